"""The settings with which the platform runs on a world: small networks, short rounds, a gate of its size."""

from dataclasses import replace
from pathlib import Path

from slac_tasks import toml
from slac_tasks.admission.settings import Admission
from slac_tasks.collect.settings import Collect
from slac_tasks.config import Config
from slac_tasks.localization.settings import Localization
from slac_tasks.mining.settings import Mining
from slac_tasks.networks.settings import Committee
from slac_tasks.quality.settings import Quality
from slac_tasks.release.settings import Release
from slac_tasks.training.settings import Training
from slac_tasks.verification.settings import Review

SMALL = Committee(members=("small_frame", "small_3d", "small_motion"), pretrained="random")
"""Networks of the platform's own, which start from nothing: they need no download and run on a processor."""

_LARGE = Config(
    store_url="",
    batch_categories=9,
    # Who answers some clips wants to see what became of them.
    judge_pause_min=2.0,
    committee=replace(SMALL, steps=100, clips_per_video=24),
    mining=Mining(
        clips_per_round=30, disagreement=0.1, coverage=0.25, unsure_coverage=0.25, clips_per_video=6, segments=0.3
    ),
    # So few clips show little of what labels are worth, even with a fifth of the chosen ones audited.
    review=Review(audit_share=0.2),
    quality=Quality(min_agreement=0.65, min_positive_share=0.12, min_precision=0.3),
    # Two windows cannot fill a release, so the first one holds all three; a second round stays below it.
    release=Release(min_new_labels=500, due_share=1.0, wait_for_queue=True),
    training=Training(
        architecture="small_3d",
        steps=200,
        transfer_labels=(5,),
        transfer_steps=60,
        transfer_seeds=3,
        transfer_clips=4,
        # Half of five videos a class would choose badly.
        transfer_tune=False,
        # Enough to score the newest window again, and no more.
        rescore_gpu_hours=0.003,
    ),
    # A head that has seen two videos of a category finds little; the demo shows where it would be found.
    localization=Localization(steps=40, width=32, videos=2, detect_videos=2),
)
# Half a batch in each step, and fewer of them: people wait for a demo.
_DEMO = replace(
    _LARGE,
    committee=replace(_LARGE.committee, batch=16, steps=60),
    training=replace(
        _LARGE.training,
        batch=16,
        steps=120,
        transfer_steps=40,
        transfer_seeds=2,
        # Of windows that are shorter the same: one.
        rescore_gpu_hours=0.002,
    ),
    localization=replace(_LARGE.localization, steps=20, videos=1, detect_videos=1),
)
_SMALL = replace(
    _DEMO,
    committee=replace(_DEMO.committee, steps=25),
    mining=replace(_DEMO.mining, clips_per_round=20),
    # One round of twenty clips shows nothing.
    quality=replace(_DEMO.quality, min_precision=0.0),
    release=replace(_DEMO.release, min_new_labels=10),
    training=replace(_DEMO.training, steps=40, transfer_steps=20, rescore_gpu_hours=0.0),
)
# Its network joins whatever it is worth: there is another committee, with which categories can be scored again. One
# seed of the transfer says next to nothing, as its intervals show, and takes half the time.
_QUICK = replace(_SMALL, training=replace(_SMALL.training, transfer_seeds=1, min_gain=-1.0, max_loss=1.0))
_TINY = replace(
    _SMALL,
    admission=Admission(testing_share=0.4),
    committee=replace(_SMALL.committee, steps=2, batch=4, clips_per_video=2),
    mining=replace(_SMALL.mining, clips_per_round=10),
    quality=Quality(min_labels=1, min_agreement=0.0, min_positive_share=0.0, min_precision=0.0),
    release=replace(_SMALL.release, min_new_labels=1),
    training=replace(_SMALL.training, steps=2, batch=4, transfer_labels=(1,), transfer_steps=2, transfer_seeds=1),
    localization=replace(_SMALL.localization, steps=4, batch=2, width=8, detect_videos=1),
)
PRESETS = {"demo": _DEMO, "large": _LARGE, "quick": _QUICK, "tiny": _TINY}


REHEARSED = replace(SMALL, steps=300, clips_per_video=12)
"""The committee of a rehearsal, where nobody names another."""


def rehearsal_settings(folder: Path, committee: Committee = REHEARSED) -> str:
    """Return slac.toml of the rehearsal in `folder`; the store's address is not in it.

    They are the defaults, but for networks that need no download and a release that a small folder can fill.
    """
    config = Config(
        store_url="",
        batch_categories=9,
        collect=Collect(sources=(str(folder / "manifest.jsonl"),)),
        committee=committee,
        release=Release(min_new_labels=200, due_share=1.0, wait_for_queue=True),
        training=Training(architecture="small_3d", steps=300),
    )
    return toml.changes(
        config,
        "Written by `slac rehearse`. Networks of the platform's own, which start from nothing: they need no download "
        "and no GPU. Set members and pretrained to those of your campaign.",
    )


def world_settings(folder: Path, size: str) -> str:
    """Return slac.toml of the world in `folder`; the store's address is not in it."""
    preset = PRESETS[size]
    config = replace(
        preset,
        collect=Collect(sources=(str(folder / "manifest.jsonl"),)),
        training=replace(preset.training, transfer=str(folder / "transfer")),
    )
    return toml.changes(config, "Written by `slac world make`: settings fit for this world's size.")
