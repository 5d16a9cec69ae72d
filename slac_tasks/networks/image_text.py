"""Image-text networks, such as CLIP and SigLIP, from a folder of `transformers` weights: categories by their words.

Features of a clip are the mean of its frames' embeddings, at length 1. The score of a category is linear in them: the
network's own scale times how much nearer they are to the category's texts than to the neutral text. So such a member is
a backbone with a linear head as any other. Only the head is made of words and not of clips: a new category costs no
training, and the hash of the head, which is part of the scores' key, is a hash of the words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slac_tasks.errors import NotConfigured
from slac_tasks.given.folders import path_of
from slac_tasks.networks import folders
from slac_tasks.networks.calibration import Calibration
from slac_tasks.networks.image_tower import ImageTower, embedding
from slac_tasks.networks.registry import Architecture, image_text_architecture, laid_out
from slac_tasks.networks.words import NEUTRAL, Words

_FILES: Mapping[str, Sequence[str]] = {
    **folders.SHAPE,
    **folders.WEIGHTS,
    "a tokenizer": ("tokenizer.json", "vocab.json", "*.model"),
    "the mean and deviation of pixels": ("preprocessor_config.json", "processor_config.json"),
}
_WHAT = "committee.image_text"


@dataclass(frozen=True, kw_only=True)
class ImageText:
    """Both halves of a network."""

    network: Any
    """transformers' network, whole; `tower` shares its seeing half."""
    tokenizer: Any
    entry: Architecture
    tower: ImageTower
    scale: float
    """Logits are so many times the cosine of picture and text."""

    @classmethod
    def load(cls, folder: str) -> "ImageText":
        """Read a folder that `save_pretrained` wrote, or that the hub holds, network and processor.

        Raises:
            NotConfigured: the folder, a file of it or the extra `vlm` is missing, or it holds another kind of network.

        """
        path = check_folder(folder)
        from transformers import AutoTokenizer

        mean, std = folders.normalisation(_WHAT, path, _FILES["the mean and deviation of pixels"])
        network = folders.read_network(_WHAT, path)
        with folders.reading(_WHAT, path):
            tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)  # nosec B615
        return cls.of(network.float(), tokenizer, mean, std, str(path))

    @classmethod
    def of(cls, network: Any, tokenizer: Any, mean: Sequence[float], std: Sequence[float], where: str) -> "ImageText":
        """Return a network once it has shown that it makes embeddings of one length of pictures and of texts."""
        try:
            size = int(network.config.vision_config.image_size)
            scale = float(network.logit_scale.detach().exp())
            seen = embedding(network.get_image_features(pixel_values=torch.zeros(1, 3, size, size)))
            read = _read(network, tokenizer, [NEUTRAL])
        except (AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise NotConfigured(
                f"{_WHAT}: {where} holds a {type(network).__name__}, which does not turn pictures and texts into "
                f"embeddings ({error}); want a CLIP, a SigLIP or another with get_image_features and get_text_features"
            ) from error
        if seen.shape[-1] != read.shape[-1]:
            raise NotConfigured(
                f"{_WHAT}: {where} makes embeddings of {seen.shape[-1]} numbers of pictures and {read.shape[-1]} of "
                "texts, want equally many"
            )
        return cls(
            network=network, tokenizer=tokenizer, entry=image_text_architecture(size, seen.shape[-1]), scale=scale,
            tower=cast(ImageTower, laid_out(ImageTower(network, mean, std)).eval()),
        )  # fmt: skip

    def head(self, words: Sequence[Words], calibration: Calibration) -> nn.Linear:
        """Return the head whose outputs are the calibrated logits of these categories, in their order."""
        neutral = self._meaning([NEUTRAL])
        head = nn.Linear(self.entry.features, len(words)).requires_grad_(False)
        for output, found in enumerate(words):
            head.weight[output] = calibration.slope * self.scale * (self._meaning(found.texts) - neutral)
            head.bias[output] = calibration.offset
        return head.eval()

    def _meaning(self, texts: Sequence[str]) -> Tensor:
        """Return the mean of the texts' embeddings, at length 1."""
        return F.normalize(F.normalize(_read(self.network, self.tokenizer, texts), dim=-1).mean(0), dim=-1)


def check_folder(folder: str) -> Path:
    """Return the path of a folder in which nothing is missing at first sight; no network is opened.

    Raises:
        NotConfigured: something is missing.

    """
    folders.need_transformers(_WHAT, ", or take image_text out of committee.members")
    path = path_of(folder)
    if not folder or not path.is_dir():
        raise NotConfigured(
            f"{_WHAT}: {f'no folder {path}' if folder else 'is empty'}, but committee.members names image_text; want "
            "the folder of a CLIP or SigLIP as `save_pretrained` writes it, network and processor"
        )
    folders.need_files(_WHAT, path, _FILES)
    return path


def _read(network: Any, tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """Return the embeddings (texts, features); texts are cut at the length that the network was trained with."""
    length = network.config.text_config.max_position_embeddings
    tokens = tokenizer(list(texts), padding="max_length", truncation=True, max_length=length, return_tensors="pt")
    with torch.inference_mode():
        return embedding(network.get_text_features(**tokens)).clone()
