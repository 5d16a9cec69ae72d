"""A backbone with all heads that read its features, and what the members of the committee say of a shard's clips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import nn

from slac_tasks.config import Config
from slac_tasks.networks.canaries import COUNT, canary, is_canary
from slac_tasks.networks.features import projection
from slac_tasks.networks.inference import CPU_BATCH, Extractor, device, keep_freed_memory, precision
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.weights import decode_backbone, decode_head
from slac_tasks.storage.datasets.scoring import CommitteeRow, FeatureRow, ScoreRow
from slac_tasks.video.clips import Footage


@dataclass(kw_only=True)
class Sheet:
    """What one member says of the clips of one shard."""

    member: CommitteeRow
    scores: list[ScoreRow] = field(default_factory=list)
    features: list[FeatureRow] = field(default_factory=list)
    canaries: dict[str, list[float]] = field(default_factory=dict)
    """Each canary's scores, in the order of the head's outputs."""


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A frozen backbone and its heads: it sees each clip once, for all members that want it."""

    extractor: Extractor
    heads: dict[str, nn.Linear]
    """By content hash."""

    def score(self, batch: Footage, sheets: Sequence[Sheet]) -> None:
        """Add the scores and features of a batch to each sheet, and the scores of its canaries."""
        features = self.extractor.features(batch.pixels[self.extractor.entry.view])
        with torch.inference_mode():
            scores = {name: torch.sigmoid(self.heads[name](features)) for name in {s.member.head for s in sheets}}
        kept = projection(features.shape[1])
        packed = kept.packed(features.numpy())
        for sheet in sheets:
            for clip, outputs, stored in zip(batch.clips, scores[sheet.member.head].tolist(), packed, strict=True):
                if is_canary(clip):
                    sheet.canaries[clip.clip_id] = outputs
                    continue
                ids = {"clip_id": clip.clip_id, "video_id": clip.video_id}
                sheet.scores.append(
                    ScoreRow(
                        **ids, member=sheet.member.member, score=outputs[sheet.member.output],
                        preprocessing=self.extractor.preprocessing,
                    )
                )  # fmt: skip
                sheet.features.append(FeatureRow(**ids, features=stored, projection=kept.key))

    def canaries_alone(self, head: str) -> dict[str, list[float]]:
        """Return the scores of each canary, scored by itself and in full precision."""
        exact = replace(self.extractor, batch=1, dtype=torch.float32)
        scores = {}
        for index in range(COUNT):
            reel = canary(index, [exact.entry.view])
            with torch.inference_mode():
                outputs = torch.sigmoid(self.heads[head](exact.features(reel.pixels[exact.entry.view])))
            scores[reel.clips[0].clip_id] = outputs[0].tolist()
        return scores


def load_scorers(read: Callable[[str], bytes], members: Sequence[CommitteeRow], config: Config) -> dict[str, Scorer]:
    """Return the scorer of every backbone among these members, by the backbone's content hash.

    Args:
        read: gives the bytes of an object of the store by its name.
        members: what the scorers are wanted for.
        config: the device, and how clips are scored.

    Raises:
        NotConfigured: the device that the settings name is absent.
        BrokenContract: weights are damaged.

    """
    settings, where = config.scoring, device(config.device)
    batch = settings.batch
    if where.type == "cpu":
        keep_freed_memory()
        batch = min(batch, CPU_BATCH)
    scorers = {}
    for backbone in dict.fromkeys(member.backbone for member in members):
        own = [member for member in members if member.backbone == backbone]
        entry = architecture(own[0].architecture)
        network = decode_backbone(entry, read(f"weights/{backbone}.pt")).to(where)
        if settings.compile:
            network.compile(dynamic=True)
        dtype = precision(where, "float32" if entry.is_exact else settings.precision)
        scorers[backbone] = Scorer(
            extractor=Extractor(entry=entry, backbone=network, where=where, batch=batch, dtype=dtype),
            heads={
                head: decode_head(entry, read(f"weights/{head}.pt"))[0]
                for head in dict.fromkeys(member.head for member in own)
            },
        )
    return scorers
