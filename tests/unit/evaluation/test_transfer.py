from dataclasses import replace

import numpy as np
import pytest
import torch
from learning_world import draw

from slac_tasks.errors import NotConfigured
from slac_tasks.evaluation.curve import of_transfer
from slac_tasks.evaluation.subjects import ACCURACY, CONFUSION, FROZEN, GAIN, PRETRAINED, SCRATCH, VIDEO
from slac_tasks.evaluation.transfer import (
    DEFAULT_RATE,
    RATES,
    Budget,
    Outcome,
    Transfer,
    Trimmed,
    few_labels,
    halves,
    load_target,
)
from slac_tasks.model import View
from slac_tasks.networks.registry import architecture, laid_out
from slac_tasks.storage.checkpoints import Checkpoints
from slac_tasks.storage.objects import Media
from slac_tasks.training.trainer import class_loss

VIEW = View(frames=8, size=56)


def fill(folder, **classes):
    """Draw one video for each colour of a class: <folder>/<class>/<number>.mp4."""
    for name, colours in classes.items():
        for number, colour in enumerate(colours):
            draw(folder / name / f"{number}.mp4", colour=(colour, 255 - colour, 0), speed=1, seconds=2)


def trimmed(classes, recordings=None, names=("a", "b", "c")) -> Trimmed:
    """Clips of these classes without a picture."""
    count = len(classes)
    return Trimmed(
        pixels=np.zeros((count, 8, 56, 56, 3), np.uint8), classes=np.array(classes), videos=np.arange(count),
        recordings=recordings or [str(number) for number in range(count)], names=names,
    )  # fmt: skip


def test_few_labels_takes_as_many_of_each_class_and_depends_on_the_seed():
    classes = np.array([0] * 9 + [1] * 9 + [2] * 2)
    chosen = few_labels(classes, 3, 0)
    assert np.bincount(classes[chosen]).tolist() == [3, 3, 2]
    assert chosen.tolist() == few_labels(classes, 3, 0).tolist() != few_labels(classes, 3, 1).tolist()


def test_the_same_pixels_have_the_same_class_in_both_parts(tmp_path):
    fill(tmp_path / "train", archery=[10], judo=[120], yoga=[240])
    fill(tmp_path / "test", archery=[10], yoga=[240, 240], zumba=[0])
    target = load_target(tmp_path, VIEW, lambda item, why: None)
    assert target.train.names == target.test.names == ("archery", "yoga")
    assert target.train.classes.tolist() == [0, 1]
    assert target.test.classes.tolist() == [0, 1, 1]
    assert target.unmatched == ("judo", "zumba")
    assert (target.train.pixels[1] == target.test.pixels[1]).all()


def start():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return laid_out(architecture("small_frame").build()).eval().requires_grad_(False)


def transfer(target, **budget) -> Transfer:
    wanted = {"labels": (2,), "steps": 40, "batch": 4, "seeds": range(1), "tune": False, **budget}
    return Transfer(
        entry=architecture("small_frame"), start=start, target=target, budget=Budget(**wanted),
        where=torch.device("cpu"),
    )  # fmt: skip


@pytest.fixture
def colours(tmp_path):
    """Three classes that their colour tells apart; the test part lacks the middle one."""
    fill(tmp_path / "train", archery=[0, 5, 10, 15], judo=[120, 120], yoga=[255, 250, 245, 240])
    fill(tmp_path / "test", archery=[0], yoga=[255])
    return load_target(tmp_path, VIEW, lambda item, why: None)


def test_every_start_is_right_where_the_other_part_lacks_a_class_between(colours):
    outcomes = list(transfer(colours).outcomes())
    assert [one.subject for one in outcomes] == [PRETRAINED, SCRATCH, FROZEN]
    assert [one.rate for one in outcomes] == [DEFAULT_RATE, DEFAULT_RATE, None]
    for one in outcomes[1:]:
        assert one.scores[0].argmax(axis=1).tolist() == [0, 1], one.subject


def test_a_rate_is_chosen_on_training_videos_alone(colours, monkeypatch):
    judged = []

    def trained(self, one, train, test, states):
        judged.append(test)
        return np.eye(2)[test.classes] if one.rate == RATES[1] else 1 - np.eye(2)[test.classes]

    monkeypatch.setattr(Transfer, "_trained", trained)
    assert transfer(colours, tune=True).rate(SCRATCH) == RATES[1]
    assert all(one.pixels.shape[0] == 4 and one is not colours.test for one in judged)


def test_a_start_that_diverges_says_nothing_and_the_others_are_judged(colours, monkeypatch, capsys):
    monkeypatch.setattr("slac_tasks.evaluation.transfer.DEFAULT_RATE", 1e30)
    outcomes = {one.subject: one for one in transfer(colours, steps=3).outcomes()}
    assert [len(outcomes[one].scores) for one in (PRETRAINED, SCRATCH, FROZEN)] == [0, 0, 1]
    assert "evaluate: scratch, 2 labels, seed 0: " in capsys.readouterr().err


@pytest.mark.parametrize("rates", [(1e30, RATES[0]), (RATES[0], 1e30)])
def test_a_rate_at_which_a_start_diverges_is_not_chosen(colours, monkeypatch, rates):
    monkeypatch.setattr("slac_tasks.evaluation.transfer.RATES", rates)
    assert transfer(colours, steps=3, tune=True).rate(SCRATCH) == RATES[0]


def test_halves_share_no_recording_and_both_have_every_class_that_was_recorded_twice():
    part = trimmed([0, 0, 0, 1, 1, 2], recordings=["p", "p", "q", "r", "s", "t"])
    teaching, judging = halves(part)
    assert (teaching.recordings, judging.recordings) == (["p", "p", "r", "t"], ["q", "s"])
    assert (teaching.classes.tolist(), judging.classes.tolist()) == ([0, 0, 1, 2], [0, 1])


class CutOff(Exception):
    """The process is killed."""


def trainings(monkeypatch, cut_after=None) -> list[str]:
    """Write down what is trained; the process is cut off in the training after so many."""
    done, before = [], Transfer._trained

    def trained(self, *given):
        if len(done) == cut_after:
            raise CutOff
        found = before(self, *given)
        one = given[0]
        done.append(f"{one} at {one.rate}")
        return found

    monkeypatch.setattr(Transfer, "_trained", trained)
    return done


def said(transfer: Transfer) -> list[tuple[str, int, float | None, list[bytes]]]:
    """Return every figure of a transfer, bit for bit."""
    found = transfer.outcomes((PRETRAINED, SCRATCH))
    return [(one.subject, one.labels, one.rate, [scores.tobytes() for scores in one.scores]) for one in found]


def test_what_was_cut_off_trains_what_is_left_and_says_the_same_bit_for_bit(colours, store, monkeypatch):
    budget = {"labels": (1, 2), "steps": 1, "tune": True}
    with monkeypatch.context() as patch:
        trained = trainings(patch)
        whole = said(transfer(colours, **budget))
    assert len(trained) == 2 * len(RATES) + 2 * 2
    for cut_after in (1, 2 * len(RATES), len(trained) - 1):
        keeps = Checkpoints(Media(store.url, {}), f"evaluations/{cut_after}/unfinished", "ab12")
        begun = replace(transfer(colours, **budget), keeps=keeps)
        with monkeypatch.context() as patch:
            first = trainings(patch, cut_after)
            with pytest.raises(CutOff):
                said(begun)
        with monkeypatch.context() as patch:
            rest = trainings(patch)
            assert said(begun) == whole
            assert [*first, *rest] == trained
            assert said(begun) == whole
            assert [*first, *rest] == trained, "all is kept"


def test_a_training_that_is_cut_off_goes_on_where_it_was_and_leaves_no_state(colours, store, monkeypatch, capsys):
    whole = said(transfer(colours, steps=3))
    monkeypatch.setattr("slac_tasks.training.trainer.KEPT_EVERY_SEC", 0)
    keeps = Checkpoints(Media(store.url, {}), "evaluations/unfinished", "ab12")
    begun, steps = replace(transfer(colours, steps=3), keeps=keeps), []

    def loss(logits, classes):
        steps.append(classes)
        if len(steps) == 3:
            raise CutOff
        return class_loss(logits, classes)

    monkeypatch.setattr("slac_tasks.evaluation.transfer.class_loss", loss)
    with pytest.raises(CutOff):
        said(begun)
    assert said(begun) == whole
    assert "pretrained, 2 labels, seed 0: goes on after step 2" in capsys.readouterr().err
    assert len(steps) == 3 + 1 + 3
    assert len([name for name in store.names("evaluations/") if name.endswith("state.pt")]) == 2, "the scores alone"


def test_what_was_trained_for_another_target_is_not_taken(colours, store, monkeypatch):
    keeps = Checkpoints(Media(store.url, {}), "evaluations/unfinished", "ab12")
    other = replace(colours, test=colours.test.part(np.array([1])))
    lighter = replace(colours, test=replace(colours.test, pixels=colours.test.pixels + np.uint8(1)))
    trained = trainings(monkeypatch)
    for number, target in enumerate((colours, other, lighter), 1):
        found = said(replace(transfer(target, steps=2), keeps=keeps.of(target.contents)))
        assert len(trained) == 2 * number
        assert {len(scores) for *_, each in found for scores in each} == {8 * 2 * len(target.test.classes)}


def test_a_start_that_diverged_is_not_trained_again(colours, store, monkeypatch):
    monkeypatch.setattr("slac_tasks.evaluation.transfer.DEFAULT_RATE", 1e30)
    begun = replace(
        transfer(colours, steps=3), keeps=Checkpoints(Media(store.url, {}), "evaluations/unfinished", "ab12")
    )
    found = said(begun)
    assert [each for *_, each in found] == [[], []]
    monkeypatch.setattr(Transfer, "_trained", lambda *_: pytest.fail("trained again"))
    assert said(begun) == found


def outcome(subject: str, guesses) -> Outcome:
    return Outcome(subject=subject, labels=5, rate=None, scores=tuple(np.eye(3)[one] for one in guesses))


def test_the_table_has_every_measure_with_its_interval_and_the_gain():
    test = trimmed([0, 0, 1, 1, 2, 2], recordings=list("aabbcc"))
    right = [0, 0, 1, 1, 2, 2]
    outcomes = [outcome(PRETRAINED, [right, [0, 0, 1, 1, 2, 1]]), outcome(SCRATCH, [[0] * 6, [1] * 6])]
    rows = list(of_transfer(outcomes, test, "3 steps of 4"))
    value = {(row.measure, row.subject, row.category): row.value for row in rows}
    assert value[ACCURACY, PRETRAINED, None] == pytest.approx(11 / 12)
    assert value[ACCURACY, SCRATCH, None] == pytest.approx(1 / 3)
    assert value[GAIN, PRETRAINED, None] == pytest.approx(7 / 12)
    assert value[CONFUSION, PRETRAINED, "c"] == pytest.approx(1 / 4)
    assert all(row.low <= row.value <= row.high for row in rows)
    assert {row.clips for row in rows if row.measure == ACCURACY} == {6}
    assert {row.videos for row in rows if row.measure == ACCURACY} == {3}


def test_the_clips_of_a_video_are_judged_together():
    test = Trimmed(
        pixels=np.zeros((4, 1, 1, 1, 3), np.uint8), classes=np.array([0, 0, 0, 1]), videos=np.array([0, 0, 0, 1]),
        recordings=list("aaab"), names=("x", "y"),
    )  # fmt: skip
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.3, 0.7]])
    rows = of_transfer([Outcome(subject=SCRATCH, labels=1, rate=None, scores=(scores,))], test, "")
    value = {row.measure: row.value for row in rows}
    assert (value[ACCURACY], value[VIDEO]) == (0.75, 1.0)


def test_parts_that_share_no_class_are_refused_with_both(tmp_path):
    fill(tmp_path / "train", judo=[0])
    fill(tmp_path / "test", yoga=[0])
    with pytest.raises(NotConfigured, match=r"judo.*yoga"):
        load_target(tmp_path, VIEW, lambda item, why: None)


def test_a_folder_that_is_absent_or_holds_no_video_is_refused(tmp_path):
    with pytest.raises(NotConfigured, match="is no folder"):
        load_target(tmp_path / "nowhere", VIEW, lambda item, why: None)
    for split in ("train", "test"):
        (tmp_path / split / "left").mkdir(parents=True)
        (tmp_path / split / "left" / "note.txt").write_text("no video")
    lost = []
    with pytest.raises(NotConfigured, match="no readable video"):
        load_target(tmp_path, VIEW, lambda item, why: lost.append(item))
    assert lost == ["left/note.txt"]
