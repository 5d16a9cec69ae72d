"""A backbone with all heads that read its features, and what the members of the committee say of a shard's clips."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from slac_tasks.config import Config
from slac_tasks.networks.canaries import COUNT, canary, is_canary
from slac_tasks.networks.features import projection
from slac_tasks.networks.forms import fastest, plain
from slac_tasks.networks.inference import CPU_BATCH, Extractor, device, keep_freed_memory, precision
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.weights import decode_backbone, decode_head
from slac_tasks.storage.datasets.scoring import CommitteeRow, FeatureRow, ScoreRow
from slac_tasks.video.clips import ClipAddress

WORTH_TRYING = 2_000
"""Clips of a job from which on the forms of its networks are tried on a card that nothing is known of: some seconds."""
WORTH_COMPILING = 200_000
"""Clips of a job from which on a form that is compiled is one of them: half a minute for each network."""


@dataclass(kw_only=True)
class Sheet:
    """What one member says of the clips of one shard."""

    member: CommitteeRow
    scores: list[ScoreRow] = field(default_factory=list)
    features: list[FeatureRow] = field(default_factory=list)
    canaries: dict[str, list[float]] = field(default_factory=dict)
    """Each canary's scores, in the order of the head's outputs."""

    def without(self, videos: Collection[str]) -> "Sheet":
        """Return the same without the clips of these videos."""
        return replace(
            self, scores=[row for row in self.scores if row.video_id not in videos],
            features=[row for row in self.features if row.video_id not in videos],
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A frozen backbone and its heads: it sees each clip once, for all members that want it."""

    extractor: Extractor
    exact: nn.Module
    """The backbone as it was built, for what is known in full precision."""
    heads: dict[str, nn.Linear]
    """By content hash."""

    def note(self, clips: Sequence[ClipAddress], features: Tensor, sheets: Sequence[Sheet]) -> None:
        """Add the scores and features of clips to each sheet, and the scores of its canaries.

        Args:
            clips: whose they are.
            features: (clips, features), float32 on the CPU.
            sheets: of members that read these features.

        """
        with torch.inference_mode():
            scores = {name: torch.sigmoid(self.heads[name](features)) for name in {s.member.head for s in sheets}}
        kept = projection(features.shape[1])
        packed, preprocessing = kept.packed(features.numpy()), self.extractor.preprocessing
        for sheet in sheets:
            for clip, outputs, stored in zip(clips, scores[sheet.member.head].tolist(), packed, strict=True):
                if is_canary(clip):
                    sheet.canaries[clip.clip_id] = outputs
                    continue
                ids = {"clip_id": clip.clip_id, "video_id": clip.video_id}
                sheet.scores.append(
                    ScoreRow(
                        **ids, member=sheet.member.member, score=outputs[sheet.member.output],
                        preprocessing=preprocessing,
                    )
                )  # fmt: skip
                sheet.features.append(FeatureRow(**ids, features=stored, projection=kept.key))

    def canaries_alone(self, head: str) -> dict[str, list[float]]:
        """Return the scores of each canary, scored by itself and in full precision by the network as it was built."""
        exact = replace(self.extractor, form=plain(self.exact), batch=1, dtype=torch.float32)
        scores = {}
        for index in range(COUNT):
            reel = canary(index, [exact.entry.view])
            with torch.inference_mode():
                outputs = torch.sigmoid(self.heads[head](exact.features(reel.pixels[exact.entry.view])))
            scores[reel.clips[0].clip_id] = outputs[0].tolist()
        return scores

    @property
    def how(self) -> list[str]:
        """What decides a score's bits, beside the clips and the weights."""
        return [self.extractor.where.type, self.extractor.form.name, self.extractor.preprocessing]


def load_scorers(
    read: Callable[[str], bytes], members: Sequence[CommitteeRow], config: Config, clips: int
) -> dict[str, Scorer]:
    """Return the scorer of every backbone among these members, by the backbone's content hash.

    Args:
        read: gives the bytes of an object of the store by its name.
        members: what the scorers are wanted for.
        config: the device, and how clips are scored.
        clips: how many clips the whole job is about, those that are scored already too: a run that goes on after a
            kill runs its networks in the same form.

    Raises:
        NotConfigured: the device that the settings name is absent.
        BrokenContract: weights are damaged.

    """
    settings, where = config.scoring, device(config.device)
    batch = settings.batch
    if where.type == "cpu":
        keep_freed_memory()
        batch = min(batch, CPU_BATCH)
    compiled = settings.compile == "always" or (settings.compile == "auto" and clips >= WORTH_COMPILING)
    scorers = {}
    for backbone in dict.fromkeys(member.backbone for member in members):
        own = [member for member in members if member.backbone == backbone]
        entry = architecture(own[0].architecture)
        network = decode_backbone(entry, read(f"weights/{backbone}.pt")).to(where)
        dtype = precision(where, "float32" if entry.is_exact else settings.precision)
        form = plain(network)
        if where.type == "cuda" and dtype is torch.bfloat16:
            form = fastest(
                entry, network, dtype, batch, compiled=compiled, cache=settings.cache_folder / "forms",
                learn=clips >= WORTH_TRYING,
            )  # fmt: skip
        elif settings.compile == "always":
            network.compile(dynamic=True)
        scorers[backbone] = Scorer(
            extractor=Extractor(entry=entry, form=form, where=where, batch=batch, dtype=dtype),
            exact=network,
            heads={
                head: decode_head(entry, read(f"weights/{head}.pt"))[0]
                for head in dict.fromkeys(member.head for member in own)
            },
        )
    return scorers
