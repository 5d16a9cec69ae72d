import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.networks import person_detectors, pose
from slac_tasks.networks.pose import MEMBER, Pose, people, squared
from slac_tasks.networks.settings import Proposal

ANCHORS = 2254
LIGHT, DARK = (np.full((90, 160, 3), value, np.uint8) for value in (255, 0))


def network(*, anchors: int = ANCHORS) -> bytes:
    """Return a network of the detector's shapes: it sees two people in a light picture and none in a dark one."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="extra `pose` is not installed")
    import flatbuffers

    boxes = np.zeros((1, anchors, 12), np.float32)
    boxes[..., 2:4] = 20
    gain = np.zeros((1, anchors, 1), np.float32)
    gain[0, [0, 1, anchors - 1]] = 30  # the first two share a place: they are one person
    buffers = [None, None, boxes, gain, np.array([1, 2, 3], np.int32)]
    shapes = [(1, 224, 224, 3), (1,), boxes.shape, gain.shape, (3,), gain.shape]
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [], []
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [0], [2, 5]
    for place, shape in enumerate(shapes):
        tensor, buffer = schema.TensorT(), schema.BufferT()
        values = buffers[place] if place < len(buffers) else None
        tensor.shape, tensor.buffer, tensor.name = list(shape), place + 1, f"t{place}"
        tensor.type = schema.TensorType.INT32 if place == 4 else schema.TensorType.FLOAT32
        buffer.data = None if values is None else np.frombuffer(values.tobytes(), np.uint8)
        graph.tensors.append(tensor)
        model.buffers += [buffer] if model.buffers else [schema.BufferT(), buffer]
    steps = [
        (schema.BuiltinOperator.MEAN, [0, 4], [1], schema.BuiltinOptions.ReducerOptions, schema.ReducerOptionsT()),
        (schema.BuiltinOperator.MUL, [1, 3], [5], schema.BuiltinOptions.MulOptions, schema.MulOptionsT()),
    ]
    for number, (code, inputs, outputs, kind, options) in enumerate(steps):
        named, step = schema.OperatorCodeT(), schema.OperatorT()
        named.builtinCode = named.deprecatedBuiltinCode = code
        named.version = 1
        step.opcodeIndex, step.inputs, step.outputs = number, inputs, outputs
        step.builtinOptionsType, step.builtinOptions = kind, options
        model.operatorCodes.append(named)
        graph.operators.append(step)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pose") / "pose_detection.tflite"
    path.write_bytes(network())
    return path


def test_people_are_counted_frame_by_frame_and_the_weights_have_a_name(file: Path) -> None:
    detector = person_detectors.detector(Proposal(people="pose", people_weights=str(file)), "cpu")
    assert detector is not None
    assert detector.count([LIGHT, DARK, LIGHT]) == [2, 0, 2]
    assert len(detector.weights) == 16


def test_the_wheel_that_holds_the_file_will_do(file: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "mediapipe-0.10.21.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr(MEMBER, file.read_bytes())
    assert Pose.load(str(wheel)).weights == Pose.load(str(file)).weights


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ai_edge_litert", reason="extra `pose` is not installed")
    with pytest.raises(NotConfigured, match=r"is empty, but proposal\.people is pose; want the file pose_detection"):
        Pose.load("")
    with pytest.raises(NotConfigured, match=f"no file {tmp_path}/none") as failure:
        Pose.load(str(tmp_path / "none"))
    assert failure.value.exit_code == 78
    monkeypatch.setattr(pose, "find_spec", lambda name: None)
    with pytest.raises(NotConfigured, match=r"install the extra `pose` \(uv pip install 'slac\[pose\]'\)"):
        Pose.load("")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(network(anchors=10))
    with pytest.raises(BrokenContract, match=r"another network: found \[\(1, 224, 224, 3\), \(1, 10, 12\)"):
        Pose.load(str(other))
    other.write_bytes(b"no network")
    with pytest.raises(BrokenContract, match="is no network of LiteRT"):
        Pose.load(str(other))
    with zipfile.ZipFile(other, "w") as made:
        made.writestr("setup.py", "")
    with pytest.raises(BrokenContract, match="holds no mediapipe/modules"):
        Pose.load(str(other))


@given(height=st.integers(1, 400), width=st.integers(1, 400))
def test_a_picture_of_any_shape_lies_whole_in_the_middle_of_a_black_square(height: int, width: int) -> None:
    square = squared(np.full((height, width, 3), 255, np.uint8))
    assert square.shape == (224, 224, 3)
    light = square[..., 0] > 0
    assert light.any(0).sum() == max(1, round(224 * width / max(height, width)))
    assert light.any(1).sum() == max(1, round(224 * height / max(height, width)))
    # In the middle, to half a pixel.
    assert np.abs(np.argwhere(light).mean(0) - 111.5).max() <= 0.5


def test_boxes_lie_where_their_anchors_are_and_one_person_has_one() -> None:
    boxes, logits = np.zeros((ANCHORS, 12), np.float32), np.full(ANCHORS, -9, np.float32)
    boxes[:, 2:4] = 22.4
    # Two anchors of the first place, one of the last place of the last grid, one below the least score.
    logits[[0, 1, ANCHORS - 1]], logits[900] = (2, 3, 1), -0.1
    found = people(boxes, logits)
    first, last = 4 / 224, (224 - 16) / 224
    assert found == pytest.approx(
        np.array(
            [
                [first - 0.05, first - 0.05, first + 0.05, first + 0.05],
                [last - 0.05, last - 0.05, last + 0.05, last + 0.05],
            ]
        ),
        abs=1e-5,
    )
