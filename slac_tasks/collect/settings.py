"""Settings of collecting: which videos are looked for, and how their bytes are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.settings import Section, setting

WHERE = ("sources", "synonyms")
"""Settings of `collect` that say where videos are looked for; all others decide what becomes of a candidate."""


@dataclass(frozen=True, kw_only=True)
class Collect(Section):
    """Which videos are looked for, and which are taken."""

    sources: tuple[str, ...] = setting(
        (),
        "Folders and s3://bucket/prefix (one sub-folder per category); csv, jsonl and parquet manifests of paths, URLs "
        "and object keys; searches such as `yt-dlp:ytsearch50:{query} after:{start} before:{end}`.",
    )
    synonyms: tuple[str, ...] = setting(
        (), "What else is searched for: `clean_and_jerk: olympic weightlifting, power clean`."
    )
    shots: str = setting(
        "histogram",
        "How shots are found: `histogram` (HACS v3, section 3, with our rules) or `pyscenedetect`.",
        choices=("histogram", "pyscenedetect"),
    )
    allow_private_addresses: bool = setting(False, "Let a manifest name hosts inside the private network.")
    max_duration_sec: float = setting(240.0, "Longer videos are dropped (HACS v3: all under 4 minutes).", least=0.001)
    min_duration_sec: float = setting(2.0, "Shorter videos hold no clip.", least=0)
    max_size_bytes: int = setting(2_000_000_000, "Larger downloads are refused.", least=1, most=10**15)
    max_pixels: int = setting(4096 * 2304, "Larger frames are refused.", least=1)
    keep_originals: bool = setting(False, "Keep the downloaded bytes beside the proxies.")

    def conflicts(self) -> Iterator[str]:
        """The longest video is not shorter than the shortest one."""
        if self.max_duration_sec < self.min_duration_sec:
            yield self.refusal("max_duration_sec", f"min_duration_sec ({self.min_duration_sec}) or more")


@dataclass(frozen=True, kw_only=True)
class Fetch(Section):
    """How bytes are asked for; no setting here changes what a video becomes (ours)."""

    workers: int = setting(2, "Videos fetched at the same time by one task.", least=1, most=1_000)
    workers_per_host: int = setting(2, "Of these, how many from the same host.", least=1, most=1_000)
    requests_per_sec: float = setting(4.0, "Most requests that one host gets from one task in a second.", least=0.001)
    bytes_per_sec: float = setting(
        50_000_000.0, "Most bytes that one host gives to one task in a second.", least=1, most=10**12
    )
    tries: int = setting(3, "Tries of a download in one run, where another may help.", least=1)
    max_wait_sec: float = setting(120.0, "A host that asks for a longer pause is left for a later run.", least=0)
    timeout_sec: float = setting(30.0, "A server that is silent for so long is given up.", least=0.001, most=86_400)
    max_download_sec: float = setting(1800.0, "One request may take so long in all.", least=0.001)
    retry_drops_after_days: float = setting(
        7.0,
        "A drop that a later try may get, such as a host that was busy, is tried again after so many days.",
        least=0,
        most=36_500,
    )
    retry_drops_times: int = setting(3, "How often; 0: only `slac fetch --retry` tries again.", least=0)
    scratch: str = setting(
        "",
        "Folder for downloads that are not finished; empty: a folder of one's own among the system's temporary files. "
        "One that nobody goes on with leaves it after 30 days.",
    )
