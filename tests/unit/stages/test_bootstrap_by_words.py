"""The member that reads, in a committee: `bootstrap` and `score` with a tiny CLIP of random numbers."""

from pathlib import Path

import pytest
from learning_world import MEMBERS, WINDOW, LearningWorld
from tiny_networks import image_text_folder

from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.model import round_key
from slac_tasks.networks.features import unpacked
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.weights import decode_calibration
from slac_tasks.networks.words import FOLDER, IMAGE_TEXT, Words, encode_words
from slac_tasks.stages import bootstrap, score
from slac_tasks.storage.datasets import COMMITTEES, FEATURES, HARD_CLIPS, LABELS, SCORES
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.objects import put_by_content

# Two members that learn from clips, and the one that reads in the seat of the frame network.
SEATS = (IMAGE_TEXT, *MEMBERS[1:])


@pytest.fixture
def world(tmp_path: Path) -> LearningWorld:
    made = LearningWorld(tmp_path)
    made.add_category("wave")
    made.add_category("jump")
    image_text_folder(tmp_path / "clip")
    return made


def taught(
    world: LearningWorld, *categories: str, parent: str | None = None, guideline: str = ""
) -> tuple[str, list[CommitteeRow]]:
    """Teach these categories, and return the committee and the rows of the member that reads."""
    named = {category: Words(name=category, guideline=guideline) for category in categories}
    words = put_by_content(world.store, FOLDER, ".json", encode_words(named))
    settings = {"members": SEATS, "image_text": str(world.folder / "clip")}
    committee = world.recipe(*categories, parent=parent, words=words, **settings)
    given = {"window": WINDOW, "committee": committee, "words": words, **({"parent": parent} if parent else {})}
    bootstrap.run(world.job("bootstrap", categories=categories, config=world.config(**settings), **given))
    rows = world.datasets.rows(COMMITTEES, committee=committee)
    assert {row.member for row in rows} == set(SEATS)
    return committee, [row for row in rows if row.member == IMAGE_TEXT]


def scored(world: LearningWorld, committee: str, *categories: str) -> None:
    score.run(world.job("score", window=WINDOW, committee=committee, categories=categories))


def test_it_scores_and_writes_features_as_other_members_do(world: LearningWorld) -> None:
    committee, rows = taught(world, "wave", "jump")
    scored(world, committee, "wave", "jump")
    for row in rows:
        keys = {"category": row.category, "window": WINDOW, "weights": row.weights}
        scores = world.datasets.rows(SCORES, **keys)
        assert len(scores) == 8
        assert all(0 < one.score < 1 and "float32" in str(one.preprocessing) for one in scores)
        features = unpacked(world.datasets.read(FEATURES, **keys)["features"])
        assert (abs((features**2).sum(1) - 1) < 0.01).all()


def test_a_category_that_is_added_costs_it_words_alone_and_a_changed_guideline_changes_no_other(
    world: LearningWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    committee, old = taught(world, "wave", "jump", guideline="arms")
    world.add_category("spin")
    _, new = taught(world, "spin", parent=committee, guideline="legs")
    assert [row for row in new if row.category != "spin"] == old
    (added,) = [row for row in new if row.category == "spin"]
    assert {added.backbone} == {row.backbone for row in old}
    assert added.weights not in {row.weights for row in old}
    assert "bootstrap: image_text learned spin from what they are called, not calibrated" in capsys.readouterr().err


def test_other_words_are_other_weights_under_another_id(world: LearningWorld) -> None:
    first, second = taught(world, "wave", guideline="arms"), taught(world, "wave", guideline="legs")
    assert first[0] != second[0]
    assert first[1][0].weights != second[1][0].weights
    assert first[1][0].backbone == second[1][0].backbone


def test_the_random_control_calibrates_it_and_no_other_clip_does(
    world: LearningWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    committee, rows = taught(world, "wave", "jump")
    scored(world, committee, "wave", "jump")
    seat = next(row for row in rows if row.category == "wave")
    answered(world, seat)
    world.add_category("spin")
    _, new = taught(world, "spin", parent=committee)
    assert "calibrated on 6 random clips" in capsys.readouterr().err
    (added,) = [row for row in new if row.category == "spin"]
    found = decode_calibration(architecture(added.architecture), world.store.get(f"weights/{added.head}.pt"))
    # Every clip of the control shows nothing, and the others, which all show it, were chosen.
    assert found.offset < -0.5
    assert [row for row in new if row.category != "spin"] == rows


def answered(world: LearningWorld, seat: CommitteeRow) -> None:
    """Let people answer what this member scored: no to six clips of the random control, yes to two chosen ones."""
    keys = {"category": seat.category, "window": WINDOW, "weights": seat.weights}
    hard, labels = [], []
    for place, one in enumerate(world.datasets.rows(SCORES, **keys)):
        start = int(one.clip_id.rpartition(":")[2]) / 1000
        clip = {
            "clip_id": one.clip_id, "video_id": one.video_id, "start_sec": start, "end_sec": start + 2,
            "split": "training", "strategy": "random" if place < 6 else "consensus",
        }  # fmt: skip
        said = {"member": seat.member, "weights": seat.weights, "score": one.score}
        hard.append({**clip, "proxy_256": "p", "disagreement": 0.0, "consensus": 0.5, "scores": [said]})
        labels.append(
            {
                **clip, "category": seat.category, "round": "r", "status": "settled", "label": -1 if place < 6 else 1,
                "confidence": 1.0, "method": "m", "yes": 0, "no": 2, "unsure": 0, "broken": 0, "votes": [],
            }
        )  # fmt: skip
    made = {"stage": "test", "settings": {}, "made_from": {}}
    of_round = {"category": seat.category, "round": round_key(WINDOW, "p0000abcd")}
    world.datasets.write(HARD_CLIPS, [HARD_CLIPS.from_records(hard)], keys=of_round, **made)
    world.datasets.write(LABELS, [LABELS.from_records(labels)], keys={"labels": "000001"}, **made)


def test_without_words_or_a_folder_nothing_is_taught(world: LearningWorld) -> None:
    settings = {"members": SEATS, "image_text": str(world.folder / "clip")}
    given = {"window": WINDOW, "committee": world.recipe("wave", **settings), "categories": ("wave",)}
    with pytest.raises(WrongArguments, match="--words is missing"):
        bootstrap.run(world.job("bootstrap", config=world.config(**settings), **given))
    settings["image_text"] = str(world.folder / "nowhere")
    given |= {"words": "w", "committee": world.recipe("wave", words="w", **settings)}
    with pytest.raises(NotConfigured, match=r"committee.image_text: no folder .*nowhere"):
        bootstrap.run(world.job("bootstrap", config=world.config(**settings), **given))
