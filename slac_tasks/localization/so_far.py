"""What was found in each video so far, beside the results: a run that was cut off goes on with the next video."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from slac_tasks import json_lines
from slac_tasks.localization.detecting import Search
from slac_tasks.localization.featuring import Wanted, hash_of
from slac_tasks.localization.localizing import Localizer
from slac_tasks.localization.results import FoundRow, FoundVideo
from slac_tasks.model import content_hash

FILE = "found.jsonl"


@dataclass(frozen=True, kw_only=True)
class SoFar:
    """The videos of which a folder holds what one localizer found, all actions of each."""

    path: Path
    looked: str
    """Hash of the network, the head, and how segments are chosen."""

    @classmethod
    def of(cls, folder: Path, localizer: Localizer, search: Search) -> "SoFar":
        """Return those of this localizer."""
        networks = (hash_of(localizer.extractor.form.network), hash_of(localizer.head))
        return cls(path=folder / FILE, looked=content_hash(*networks, repr(localizer.about), repr(search)))

    def videos(self, wanted: Iterable[Wanted]) -> Iterator[FoundVideo]:
        """Yield what was found in those of the wanted videos whose files have not changed since."""
        last = self._last()
        for one in wanted:
            said = last.get(one.name)
            if said and (said["looked"], said["source"]) == (self.looked, one.source):
                rows = tuple(FoundRow(**row) for row in said["video"]["rows"])
                yield FoundVideo(**said["video"] | {"path": str(one.path), "rows": rows})

    def begin(self, wanted: Iterable[Wanted]) -> None:
        """Say that videos are looked at: what was found under their names is of other renditions than are made now."""
        last = self._last()
        for one in wanted:
            if one.name in last:
                json_lines.append(self.path, {"name": one.name, "looked": "", "source": ""})

    def add(self, video: FoundVideo, source: str) -> None:
        """Keep what was found in a video."""
        # A path may hold what no text does; a video is known by its name and its source.
        said = {"name": video.name, "looked": self.looked, "source": source, "video": asdict(replace(video, path=""))}
        json_lines.append(self.path, said)

    def _last(self) -> Mapping[str, Any]:
        return {said["name"]: said for said in json_lines.read(self.path)}
