"""The published results beside the checkout give the published figures."""

import numpy as np
import pytest

from bench.harness.places import SHARED
from slac_tasks.localization.average_precision import RULES, matched
from slac_tasks.localization.reading import benchmark, results

FOLDER = SHARED / "annotations"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no folder shared/annotations beside the checkout")
RULE = RULES["activitynet"]


def test_the_sample_predictions_of_activitynet_are_the_truth() -> None:
    files = [FOLDER / "activitynet" / name for name in ("anet_anno_action.json", "video_info_new.csv")]
    judged = benchmark(files, "validation")
    found = results(FOLDER / "activitynet" / "sample_detection_prediction.json", judged)
    whole = np.ones((1, len(judged.benchmark.videos)))
    assert (len(judged.benchmark.videos), len(judged.benchmark.truth), len(found.found)) == (4_728, 7_290, 7_290)
    assert matched(judged.benchmark, found.found, RULE).average(whole)[0] == pytest.approx(1.0, abs=1e-12)


def test_the_detections_of_two_videos() -> None:
    folder = FOLDER / "localization_results"
    judged = benchmark([folder / "localization_gt.json"])
    found = results(folder / "localization_result.json", judged)
    table = matched(judged.benchmark, found.found, RULE)
    wanted = [0.7143] * 3 + [0.6875] * 2 + [0.5972] + [0.5208] * 3 + [0.5]
    assert table.by_threshold(np.ones((1, 2)))[0] == pytest.approx(wanted, abs=5e-5)
    assert table.average(np.ones((1, 2)))[0] == pytest.approx(0.6178, abs=5e-5)
