"""Registering videos of another benchmark: they never join, and videos of ours that show the same leave."""

from collections.abc import Sequence
from typing import NamedTuple

from slac_tasks.admission.admitted import with_groups
from slac_tasks.admission.exclusions import registry
from slac_tasks.admission.exclusions.lists import MemberList
from slac_tasks.admission.exclusions.registry import ExcludedVideo
from slac_tasks.admission.likeness.archive import Archive
from slac_tasks.admission.settings import Admission
from slac_tasks.admission.withdrawals import print_unaddressed, tombstones, withdraw
from slac_tasks.storage.datasets import FETCHED
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets


class Registered(NamedTuple):
    """What a registration did."""

    withdrawn: int
    """Admitted videos of ours that left."""
    releases: list[str]
    """The releases that held some of them."""


def register(
    store: Store, ledger: Ledger, rules: Admission, listed: MemberList | None, videos: Sequence[ExcludedVideo]
) -> Registered:
    """Register a list and videos of another benchmark, and withdraw ours that are meant or that show the same."""
    datasets = Datasets(store)
    with ledger.transaction():
        # `deduplicate` takes the same lock: no video is admitted after ours were compared and before these are known.
        ledger.rows("lock_admission")
        excluded = list(videos)
        if listed is not None:
            registry.write_list(store, listed)
            registry.upsert_names(ledger, listed)
            excluded += _fetched(datasets, ledger)
        registry.upsert_videos(ledger, excluded)
        ours = _ours(ledger, rules, excluded)
        releases: set[str] = set()
        for benchmark in sorted(set(ours.values())):
            leaving = {video_id for video_id, whose in ours.items() if whose == benchmark}
            releases |= set(withdraw(datasets, ledger, leaving, registry.tombstone(benchmark)))
    return Registered(len(ours), sorted(releases))


def _fetched(datasets: Datasets, ledger: Ledger) -> list[ExcludedVideo]:
    """Return the fetched videos, admitted or not, whose name is excluded: their fingerprints exclude copies too."""
    manifests = [datasets.need(FETCHED, **keys) for keys in datasets.partitions(FETCHED)]
    found = []
    for manifest in manifests:
        # Fingerprints are large: they are read where a name is listed.
        columns = ("candidate_id", "source_id", "location")
        names = [
            registry.Names(candidate_id=candidate_id, source_id=source_id, location=location)
            for table in datasets.tables(manifest, columns)
            for candidate_id, source_id, location in zip(*(table[name].to_pylist() for name in columns), strict=True)
        ]
        named = registry.excluded_by_name(ledger, names)
        for row in datasets.rows_of(FETCHED, manifest) if named else ():
            if listed := named.get(row.candidate_id):
                video = ExcludedVideo(
                    video_id=row.video_id,
                    name=listed.name,
                    benchmark=listed.benchmark,
                    frame_hashes=list(row.frame_hashes),
                )
                registry.write_video(datasets.store, video)
                found.append(video)
    print_unaddressed("exclude", manifests)
    return found


def _ours(ledger: Ledger, rules: Admission, videos: Sequence[ExcludedVideo]) -> dict[str, str]:
    """Return the benchmark of each admitted video that shows one of these, with the rest of its group."""
    benchmark = {video.video_id: video.benchmark for video in videos}
    alike = Archive(ledger, rules, {video.video_id: video.frame_hashes for video in videos}).alike()
    for video in videos:
        for other in alike.get(video.video_id, ()):
            benchmark.setdefault(other, video.benchmark)
    known = with_groups(ledger, benchmark)
    of_group = {video.group_id: benchmark[video.video_id] for video in known if video.video_id in benchmark}
    gone = tombstones(ledger)
    return {video.video_id: of_group[video.group_id] for video in known if video.video_id not in gone}
