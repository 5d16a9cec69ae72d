"""By which names a candidate's video may stand in the list of another benchmark."""

import unicodedata

import pytest

from slac_tasks.admission.exclusions.registry import Names, names_of


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_video_goes_by_its_name_however_the_accents_are_composed(form: str) -> None:
    listed = {unicodedata.normalize(each, "Übung") for each in ("NFC", "NFD")}
    source_id = unicodedata.normalize(form, "judo/Übung.mp4")
    assert names_of(Names(candidate_id="c", source_id=source_id, location=None)) >= listed


@pytest.mark.parametrize(
    ("source_id", "location", "names"),
    [
        ("row 7", "https://www.youtube.com/watch?v=a2X2hz1G6i8&t=3", {"row 7", "a2X2hz1G6i8"}),
        ("row 7", "yt-dlp+https://youtu.be/a2X2hz1G6i8", {"row 7", "a2X2hz1G6i8"}),
        ("row 7", "s3://videos/judo/v_ApplyEyeMakeup_g08_c01.avi", {"row 7", "v_ApplyEyeMakeup_g08_c01"}),
        ("judo/v_a2X2hz1G6i8.mp4", None, {"judo/v_a2X2hz1G6i8.mp4", "a2X2hz1G6i8"}),
        ("a2X2hz1G6i8", "", {"a2X2hz1G6i8"}),
    ],
)
def test_a_video_goes_by_its_sources_name_and_by_the_names_in_its_addresses(
    source_id: str, location: str | None, names: set[str]
) -> None:
    assert names_of(Names(candidate_id="c", source_id=source_id, location=location)) == names
