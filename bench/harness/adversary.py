"""A reviewer who wants to know which clips are gold, and notes whatever could say so."""

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the service said."""

    json: Any
    length: int
    """Bytes, headers included."""
    seconds: float


Call = Callable[[str, str, Any], Reply]
"""Makes one request of the adversary: method, path with its query, and what is sent as JSON."""
Signs = dict[str, float]
"""What an adversary noted of one clip, by name."""


@dataclass(kw_only=True)
class Adversary:
    """One person who reviews a category and notes whatever could tell gold from other clips."""

    call: Call
    category: str
    chance: random.Random
    let_lapse: Callable[[], None]
    """Lets every lease of this person run out."""
    signs: dict[str, Signs] = field(default_factory=dict)
    """By clip, in the order in which the clips came."""
    videos: set[str] = field(default_factory=set)

    def review(self, clips: int) -> dict[str, Signs]:
        """Review so many clips, or all that there are; return what was noted of each."""
        now = self.look()
        while len(self.signs) < clips:
            most = self.chance.choice([1, 1, 6])
            reply = self.ask(most)
            later = self.look()
            hand = self.note(reply, most, moved(now, later))
            if not hand:
                break
            now = later
            if self.chance.random() < 0.1:
                self.list_held(hand)
            if self.chance.random() < 0.1:
                hand = self.wait(hand, most)
                now = self.look()
            for clip in hand:
                now = self.answer(clip, now)
        return self.signs

    def look(self) -> Signs:
        """Return numbers that the service gives a reviewer: those of the category, and now and then her own."""
        category = self.call("GET", f"/api/category?{urlencode({'category': self.category})}", None)
        found = numbers("category", category.json) | {"category_length": float(category.length)}
        if self.chance.random() < 0.5:
            me = self.call("GET", "/api/me", None)
            found |= numbers("me", {name: value for name, value in me.json.items() if name != "categories"})
            found["is_open"] = float(sum(each["is_open"] for each in me.json["categories"]))
        return found

    def ask(self, most: int, *, held: bool = False) -> Reply:
        """Ask for clips."""
        query = {"category": self.category, "most": most} | ({"held": "true"} if held else {})
        return self.call("GET", f"/api/clips?{urlencode(query)}", None)

    def note(self, reply: Reply, most: int, change: Signs) -> list[str]:
        """Note how new clips came; return them."""
        fresh = [clip for clip in reply.json if clip["clip_id"] not in self.signs]
        for place, clip in enumerate(fresh):
            video, _, start = clip["clip_id"].partition(":")
            self.signs[clip["clip_id"]] = {
                "order": float(len(self.signs)),
                "place": place / max(1, len(fresh) - 1),
                "most": float(most),
                "came": float(len(reply.json)),
                "clips_sec": reply.seconds,
                "clips_length": float(reply.length),
                "start": float(start),
                "lasts": clip["end_sec"] - clip["start_sec"],
                "media_length": float(len(clip["media"])),
                "fields": float(len(clip)),
                "video_seen": float(video in self.videos),
                **{f"handed_{name}": value for name, value in change.items()},
            }
            self.videos.add(video)
        return [clip["clip_id"] for clip in fresh]

    def list_held(self, hand: Sequence[str]) -> None:
        """Note where the clips stand in the list of those in hand."""
        reply = self.ask(len(hand), held=True)
        for place, clip in enumerate(reply.json):
            if clip["clip_id"] in hand:
                self.signs[clip["clip_id"]] |= {
                    "held_place": place / max(1, len(reply.json) - 1),
                    "held_sec": reply.seconds,
                }

    def wait(self, hand: Sequence[str], most: int) -> list[str]:
        """Let the leases run out; note which clips come back, and where. Returns what is in hand now."""
        self.let_lapse()
        reply = self.ask(max(1, len(hand)))
        back = {clip["clip_id"]: place for place, clip in enumerate(reply.json)}
        for clip in hand:
            self.signs[clip] |= {"back": float(clip in back), "back_place": float(back.get(clip, -1))}
        return [*(clip for clip in hand if clip in back), *self.note(reply, most, {})]

    def answer(self, clip: str, now: Signs) -> Signs:
        """Answer a clip, perhaps correct the answer to unsure, and note what moves; return the numbers after it."""
        vote: dict[str, Any] = {
            "vote_id": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
            "clip_id": clip,
            "category": self.category,
            "answer": self.chance.choice(["yes", "no"]),
            "seconds": 3.0,
            "guideline_version": 1,
        }
        reply = self.call("POST", "/api/votes", {"votes": [vote]})
        later = self.look()
        noted = {f"answered_{name}": value for name, value in moved(now, later).items()}
        noted |= {"vote_sec": reply.seconds, "vote_length": float(reply.length)}
        if not reply.json["stored"][vote["vote_id"]]:
            raise RuntimeError(f"answer to {clip}: not stored, want it stored")
        if self.chance.random() < 0.3:
            query = urlencode({"category": self.category, "clip_id": clip})
            media = self.call("GET", f"/api/media?{query}", None)
            noted |= {"media_sec": media.seconds, "media_bytes": float(media.length)}
            correction = vote | {
                "vote_id": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
                "answer": "unsure",
                "supersedes": vote["vote_id"],
            }
            reply = self.call("POST", "/api/votes", {"votes": [correction]})
            now, later = later, self.look()
            noted |= {f"corrected_{name}": value for name, value in moved(now, later).items()}
            noted |= {"correct_sec": reply.seconds, "correct_length": float(reply.length)}
        self.signs[clip] |= noted
        return later


def numbers(name: str, value: Any) -> Signs:
    """Return every number in an answer, by its place; of a list and of a text the length."""
    if isinstance(value, Mapping):
        return {key: each for inner, part in value.items() for key, each in numbers(f"{name}_{inner}", part).items()}
    if isinstance(value, bool | int | float):
        return {name: float(value)}
    return {f"{name}_length": float(len(value or ""))}


def moved(before: Signs, after: Signs) -> Signs:
    """Return by how much each number moved that was seen both times."""
    return {name: value - before[name] for name, value in after.items() if name in before}
