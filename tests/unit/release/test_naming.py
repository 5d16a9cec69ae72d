"""Names of videos: no two videos have one, and a name stays."""

from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.release.naming import names_of

NAMES = st.sampled_from(["clip_000001", "a2X2hz1G6i8", "judo.mp4", "-_-_-_-_-_-", "0123456789abcdef"])
VIDEOS = st.dictionaries(st.text("0123456789abcdef", min_size=16, max_size=16), NAMES, max_size=6)


@given(videos=VIDEOS)
def test_a_name_is_of_one_video(videos: dict[str, str]) -> None:
    found = names_of(videos.items())
    assert set(found) == set(videos)
    assert len(set(found.values())) == len(found)
    assert all(name in (video_id, videos[video_id]) for video_id, name in found.items())


@given(first=VIDEOS, second=VIDEOS)
def test_a_name_stays_whatever_comes_later(first: dict[str, str], second: dict[str, str]) -> None:
    before = names_of(first.items())
    after = names_of((first | second).items(), before)
    assert {video_id: after[video_id] for video_id in before} == before
    assert len(set(after.values())) == len(after)


def test_a_youtube_id_is_a_name_unless_two_videos_share_it() -> None:
    assert names_of([("a" * 16, "a2X2hz1G6i8"), ("b" * 16, "judo.mp4")]) == {
        "a" * 16: "a2X2hz1G6i8",
        "b" * 16: "b" * 16,
    }
    shared = [("a" * 16, "clip_000001"), ("b" * 16, "clip_000001")]
    assert names_of(shared) == {"a" * 16: "a" * 16, "b" * 16: "b" * 16}
    assert names_of(shared, {"b" * 16: "clip_000001"}) == {"a" * 16: "a" * 16, "b" * 16: "clip_000001"}
    # It is none for a third one either, though the others have gone by their video_id since an earlier release.
    third = ("c" * 16, "clip_000001")
    assert names_of([*shared, third], names_of(shared))["c" * 16] == "c" * 16
    # Nor does it get the name of one that has left since.
    assert names_of([third], {"a" * 16: "clip_000001"}) == {"c" * 16: "c" * 16}


def test_a_name_is_eleven_characters_and_the_first_of_several() -> None:
    assert names_of([("a" * 16, "a2X2hz1G6i8_"), ("b" * 16, "a2X2hz1G6i")]) == {"a" * 16: "a" * 16, "b" * 16: "b" * 16}
    found_often = [("a" * 16, f"{letter}2X2hz1G6i8") for letter in "hgfedcba"]
    assert names_of(found_often) == names_of(found_often[::-1]) == {"a" * 16: "a2X2hz1G6i8"}
