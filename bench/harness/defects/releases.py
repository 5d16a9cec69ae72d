"""What may be wrong with a release."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from bench.harness.defects.labels import all_positive, flipped, gone_category, lost_category, only_one_category
from bench.harness.defects.planting import Defect, aged, at, doubled, in_category, of, of_clips, withdrawn
from slac_tasks.quality.expectations.entries import Handover
from slac_tasks.storage.datasets import RELEASES


def unlikely(handover: Handover) -> Handover:
    """Release labels of a model that it thinks are wrong."""
    return at("confidence", 0.2, least=10)(at("kind", "model", least=10)(handover))


def no_testing(handover: Handover) -> Handover:
    """Lose the labels for testing, and write those of one large category many times."""
    rows = handover.rows.filter(pc.not_equal(handover.rows["split"], "testing"))
    found = replace(handover, rows=rows)
    large = found.rows.filter(in_category(found))
    return replace(found, rows=pa.concat_tables([large] * 5))


DEFECTS: tuple[Defect, ...] = (
    *of_clips(RELEASES.name),
    *of(
        RELEASES.name,
        ("labels of a withdrawn video", "not_withdrawn", withdrawn),
        ("labels of an unregistered category", "category_registered", at("category", "jodu")),
        ("a label of 0", "label_is_a_sign", at("label", 0)),
        ("a confidence below 0", "confidence_in_range", at("confidence", -0.5)),
        ("a stale release", "fresh", aged),
        ("labels of an unknown kind", "kind_registered", at("kind", "guess")),
        ("labels of no round", "asked_in_a_round", at("round", None)),
        ("other labels than were judged", "label_as_judged", flipped),
        ("two videos of one name", "name_of_one_video", at("name", "clip_000001")),
        ("unlikely labels", "likelier_side", unlikely),
        ("labels that rest on nothing", "support_counted", at("support", 0)),
        ("a category of positives", "positive_share_of_category", all_positive(in_category)),
        ("no testing labels", "splits_of_category", no_testing),
        ("one category left", "balance", only_one_category),
        ("a category lost", "category_drift", lost_category),
        ("a category gone", "categories_kept", gone_category),
        ("positives drift", "sign_drift", all_positive(in_category)),
        ("label flips in one category", "few_labels_flipped", flipped),
        ("labels released twice", "rows_unique", doubled),
        ("labels without a source", "values_known", at("source", None)),
    ),
)  # fmt: skip
