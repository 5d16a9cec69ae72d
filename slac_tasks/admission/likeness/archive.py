"""Which videos show what others show: the fingerprints of all that the ledger knows, and of those at hand."""

from collections import ChainMap
from collections.abc import Mapping, Sequence

from slac_tasks.admission.likeness.fingerprints import Fingerprint, fingerprint, from_signed
from slac_tasks.admission.likeness.lookalikes import Lookalikes, keys_of
from slac_tasks.admission.likeness.verdict import Likeness, compared
from slac_tasks.admission.settings import Admission
from slac_tasks.progress import track
from slac_tasks.storage.ledger import Ledger

_PAGE = 20_000
"""Videos whose keys are read from the ledger at a time."""
_BATCH = 50
"""Videos whose look-alikes are read from the ledger at a time."""


class Archive:
    """The fingerprints of every admitted or excluded video and of those at hand, and which of them show the same."""

    def __init__(self, ledger: Ledger, rules: Admission, fingerprints: Mapping[str, Sequence[int]]) -> None:
        """Take the fingerprints of the videos at hand, by video_id."""
        self.ledger, self.rules = ledger, rules
        self.fresh: dict[str, Fingerprint] = {
            video_id: fingerprint(hashes) for video_id, hashes in fingerprints.items()
        }
        self.names: list[str] = []
        self.index = Lookalikes()

    def alike(self) -> dict[str, dict[str, Likeness]]:
        """Return, for each video at hand, the other videos that show the same or may do, and how sure it is.

        Each pair is there in both directions.
        """
        if not self.fresh:
            return {}
        self._fill()
        found: dict[str, dict[str, Likeness]] = {}
        fresh = list(self.fresh)
        starts = range(0, len(fresh), _BATCH)
        for start in track(starts, len(starts), f"batches of {_BATCH} videos compared"):
            likely = {name: self._likely(name) for name in fresh[start : start + _BATCH]}
            fingerprints = self._fingerprints({other for others in likely.values() for other in others})
            for name, others in likely.items():
                for other in others:
                    if other in found.get(name, ()):
                        continue
                    if likeness := self._compared(self.fresh[name], fingerprints[other]):
                        found.setdefault(name, {})[other] = likeness
                        found.setdefault(other, {})[name] = likeness
        return found

    def _fill(self) -> None:
        after = ""
        while page := self.ledger.rows("video_keys", after=after, size=_PAGE):
            after = page[-1]["video_id"]
            old = [row for row in page if row["video_id"] not in self.fresh]
            self._add([row["video_id"] for row in old], [bytes(row["key_hashes"]) for row in old])
        self._add(list(self.fresh), [keys_of(each.rows) for each in self.fresh.values()])

    def _add(self, names: list[str], blobs: list[bytes]) -> None:
        self.names += names
        self.index.add(blobs)

    def _likely(self, name: str) -> list[str]:
        return [other for number in self.index.like(self.fresh[name].rows) if (other := self.names[number]) != name]

    def _fingerprints(self, names: set[str]) -> Mapping[str, Fingerprint]:
        rows = self.ledger.rows("fingerprints", videos=sorted(names - self.fresh.keys()))
        return ChainMap(self.fresh, {row["video_id"]: fingerprint(from_signed(row["frame_hashes"])) for row in rows})

    def _compared(self, ours: Fingerprint, theirs: Fingerprint) -> Likeness | None:
        return compared(
            ours, theirs, max_distance=self.rules.max_hash_distance, min_shared=self.rules.min_shared_frames
        )
