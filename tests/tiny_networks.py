"""Image-text and video networks of a few thousand random numbers, in folders as transformers writes them."""

import json
import warnings
from pathlib import Path

import pytest

SIZE, FEATURES = 32, 16
WORDS = ("a", "video", "of", "jump", "wave", "spin", "hop", "legs", "arms")
_SHAPE = {"hidden_size": FEATURES, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def image_text_folder(folder: Path, kind: str = "clip") -> Path:
    """Write a `clip` or a `siglip` with a tokenizer that knows WORDS, and return the folder."""
    transformers = pytest.importorskip("transformers", reason="extra `vlm` is not installed")
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    tokens = {word: number for number, word in enumerate(("<pad>", "<unk>", "</s>", *WORDS))}
    text = {**_SHAPE, "vocab_size": len(tokens), "max_position_embeddings": 8, "pad_token_id": 0, "eos_token_id": 2}
    vision = {**_SHAPE, "image_size": SIZE, "patch_size": 16}
    with torch.random.fork_rng(), warnings.catch_warnings():
        torch.manual_seed(0)
        if kind == "clip":
            config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=FEATURES)
            network = transformers.CLIPModel(config)
        else:
            network = transformers.SiglipModel(transformers.SiglipConfig(text_config=text, vision_config=vision))
    network.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel(tokens, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", eos_token="</s>"
    )
    fast.save_pretrained(folder)
    pixels = {"image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}
    (folder / "preprocessor_config.json").write_text(json.dumps(pixels))
    return folder


def video_folder(folder: Path, kind: str = "videomae") -> Path:
    """Write a `videomae` or a `vjepa2` that takes 4 frames of SIZE pixels, and return the folder."""
    transformers = pytest.importorskip("transformers", reason="extra `vlm` is not installed")
    import torch

    transformers.logging.disable_progress_bar()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if kind == "videomae":
            shape = {**_SHAPE, "image_size": SIZE, "patch_size": 16, "num_frames": 4}
            network = transformers.VideoMAEModel(transformers.VideoMAEConfig(**shape))
        else:
            own = {"crop_size": SIZE, "patch_size": 16, "frames_per_clip": 4, "hidden_size": 24, "mlp_ratio": 2}
            predicts = {"pred_hidden_size": 24, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1}
            config = transformers.VJEPA2Config(**own, **predicts, num_attention_heads=2, num_hidden_layers=2)
            network = transformers.VJEPA2Model(config)
    network.save_pretrained(folder)
    name = "preprocessor_config.json" if kind == "videomae" else "video_preprocessor_config.json"
    (folder / name).write_text(json.dumps({"image_mean": [0.48, 0.46, 0.41], "image_std": [0.23, 0.22, 0.22]}))
    return folder
