"""Settings of the networks: the people filter, the committee and how it learns from weak labels, and scoring."""

import os
from dataclasses import dataclass
from pathlib import Path

from slac_tasks.given.folders import path_of
from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Proposal(Section):
    """How candidate clips are cut."""

    people: str = setting(
        "none",
        "People filter: `none`; OpenCV's `hog` and `hog_faces`, with nothing to download; `pose`, MediaPipe's, which "
        "needs the extra `pose` and a file of 3 MB; or Faster R-CNN, which needs weights: `faster_rcnn` (ResNet-50, "
        "the paper's), `faster_rcnn_v2`, `faster_rcnn_mobilenet`. Of 24 real shots with people `hog` finds .75, "
        "`hog_faces` .92 and `pose` .96, and they see people in .16, .21 and .16 of 19 without; of 80 gym clips they "
        "find .59, .69 and .99, in 111, 249 and 13 ms of a processor a frame (`bench.people`).",
        choices=("none", "hog", "hog_faces", "pose", "faster_rcnn", "faster_rcnn_v2", "faster_rcnn_mobilenet"),
    )
    people_frames: int = setting(
        0,
        "Frames of a shot that the filter looks at: a shot passes when one of them shows people. 0: the filter's "
        "own number, 2 (HACS v3). More find more, false ones too: with 8, `hog` finds .88 and .37, `hog_faces` "
        "1.00 and .63.",
        least=0,
        most=1_000,
    )
    people_weights: str = setting(
        "",
        "Path of the weights of the detector that `people` names: of a Faster R-CNN its state dict, and empty asks the "
        "hub; of `pose` the file pose_detection.tflite, or the wheel of mediapipe 0.10.21, which holds it.",
    )
    min_shot_sec: float = setting(2.0, "A shot shorter than a clip holds none.", least=0.001)


@dataclass(frozen=True, kw_only=True)
class Committee(Section):
    """The classifiers and how they learn from weak labels."""

    members: tuple[str, ...] = setting(
        ("frame_resnet18", "r3d_18", "motion_r3d_18"),
        "Names in the registry of `slac_tasks.networks.registry`; at least three, of different kinds. `image_text` "
        "counts as one that sees frames: it scores a category by its name, its synonyms and its guideline.",
    )
    image_text: str = setting(
        "",
        "Folder of the network of `image_text`, where `bootstrap` runs: a CLIP or SigLIP as transformers writes it, "
        "weights, tokenizer and preprocessor. Needs the extra `vlm`.",
    )
    pretrained: str = setting(
        "hub",
        "Where backbones start: `hub` (torchvision's weights, which need the internet), `package` (weights that an "
        "installed Python package holds: frame_efficientnet_lite0 and the extra `weights`), `random`, or a folder "
        "that holds <member>.pt. Where nobody holds weights for a backbone it starts at random; a folder must.",
    )
    frozen: bool = setting(
        False,
        "Leave pretrained backbones as they are and teach heads alone: one look at each clip instead of `steps` "
        "batches, for machines without a GPU. A backbone that starts at random learns in any case.",
    )
    steps: int = setting(400, "Training steps of one member.", least=1)
    batch: int = setting(32, "Clips in one training step.", least=1, most=65_536)
    clips_per_video: int = setting(4, "Weakly labelled clips taken from one video.", least=1)
    clips: int = setting(
        40_000,
        "Weakly labelled clips that a committee learns from, at most: of every category as many as of another one that "
        "has so many, and of many videos rather than many of one. Each takes 0.6 MB of scratch space for members of 16 "
        "frames of 112 pixels, and 2.4 MB more for those of 224.",
        least=1,
    )
    seed: int = setting(0, "Seed of every random choice in training.", least=0)


@dataclass(frozen=True, kw_only=True)
class Scoring(Section):
    """How clips are scored; no setting here changes what a score means."""

    batch: int = setting(
        64, "Clips that a network is given at a time; halved when memory runs out.", least=1, most=65_536
    )
    workers: int = setting(
        -1,
        "Processes that decode; -1: none where networks run on processors, else all processors but two, 32 at most.",
        least=-1,
        most=1_000,
    )
    pixels: str = setting(
        "renditions",
        "What clips are read from: `renditions`, as `fetch` made them; or, where only originals were kept "
        "(`collect.keep_originals`), `originals`, from which renditions are made for as long as they are read, or "
        "`torchcodec`, which decodes the clips of originals alone, by NVDEC where networks run on a card. It needs the "
        "extra `nvdec`.",
        choices=("renditions", "originals", "torchcodec"),
    )
    devices: tuple[str, ...] = setting(
        (),
        "Devices that score, a process on each, such as `cuda:0` and `cuda:1`; empty: every card of the machine, "
        "or its processors.",
    )
    precision: str = setting(
        "auto",
        "`auto` (bfloat16 where the device multiplies it), `float32` or `bfloat16`.",
        choices=("auto", "float32", "bfloat16"),
    )
    compile: str = setting(
        "auto",
        "Compile each network first: `always`, `never`, or `auto`, on a card where a job has 200,000 clips or more and "
        "a compiled network runs fastest there. It takes half a minute for each.",
        choices=("auto", "always", "never"),
    )
    cache: str = setting(
        "",
        "Folder in which is written down how a network runs fastest on a card, which is tried once; empty: slac in "
        "XDG_CACHE_HOME, or in ~/.cache.",
    )

    @property
    def cache_folder(self) -> Path:
        """The folder that `cache` names."""
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return path_of(self.cache) if self.cache else base / "slac"
