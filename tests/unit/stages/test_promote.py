import pytest

from slac_tasks.stages.promote import verdict


@pytest.mark.parametrize(
    ("found", "guess", "gain", "promoted"),
    [(0.75, 0.6, 0.0, True), (0.6, 0.6, 0.0, False), (0.65, 0.6, 0.1, False), (0.5, 0.6, 0.0, False)],
)
def test_a_network_is_promoted_when_it_beats_the_best_guess(
    found: float, guess: float, gain: float, promoted: bool
) -> None:
    measures = {("testing_accuracy", "pretrained"): found, ("testing_best_guess", "guess"): guess}
    decided, reason = verdict(measures, gain)
    assert decided is promoted
    assert f"{found:.3f}" in reason
    assert f"{guess:.3f}" in reason


def test_without_testing_clips_nothing_is_promoted() -> None:
    decided, reason = verdict({("transfer_accuracy", "pretrained"): 0.9}, 0.0)
    assert not decided
    assert "no testing clips" in reason
