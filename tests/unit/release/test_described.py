"""Where a video is from, as a release says it: never a password, and no file of one machine."""

import pytest

from slac_tasks.release.described import url_of


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (None, None),
        ("/data/judo/a.mp4", None),
        ("judo/ann:secret@home.mp4", None),
        ("https://example.org/a.mp4?part=2", "https://example.org/a.mp4?part=2"),
        ("https://ann:secret@example.org:8443/a@b.mp4", "https://example.org:8443/a@b.mp4"),
        ("s3://lab-videos/judo/a.mp4", "s3://lab-videos/judo/a.mp4"),
    ],
)
def test_an_address_is_told_without_a_password_and_a_path_is_not_told(location: str | None, url: str | None) -> None:
    assert url_of(location) == url
