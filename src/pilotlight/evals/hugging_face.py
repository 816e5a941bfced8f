"""A reference model from a local Hugging Face folder: read offline, without any code of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, final

import torch
from safetensors import SafetensorError

from pilotlight.errors import ConfigError, DataError
from pilotlight.evals.scorer import Scorer
from pilotlight.tokens.hugging_face import JsonEncoder, find_end, read

if TYPE_CHECKING:
    import numpy as np

LONGEST = 2048
"""Tokens of context that are used at most; attention over more takes memory that a scoring does not need."""
_LOGITS = 50_000_000
"""Logits that exist at a time: 200 MB."""


@final
class HuggingFaceModel(Scorer):
    """A causal language model of the transformers library."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        config = read_config(folder)
        self.model = _load(folder, device)
        self.encoder, bos = _encoder(folder)
        self.start = bos if bos is not None else self.encoder.end
        longest = config.get("max_position_embeddings") or config.get("n_positions") or LONGEST
        self.context = min(LONGEST, int(longest))
        rows = int(self.model.get_input_embeddings().weight.shape[0])
        if rows < self.encoder.vocabulary:
            raise DataError(
                f"{folder}: the tokenizer has {self.encoder.vocabulary} ids, the model only {rows} embeddings. "
                "Give the tokenizer.json that belongs to the model."
            )
        self.tokens_at_once = max(256, _LOGITS // rows)

    @torch.no_grad()
    def nats(self, ids: np.ndarray, targets: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the nats of the masked targets of every row."""
        device = self.model.device
        wanted = torch.from_numpy(mask).to(device)
        logits = self.model(input_ids=torch.from_numpy(ids).to(device), use_cache=False).logits[wanted].float()
        aim = torch.from_numpy(targets).to(device)[wanted]
        losses = torch.nn.functional.cross_entropy(logits, aim, reduction="none")
        total = torch.zeros(len(ids), dtype=torch.float64)
        total.index_add_(0, wanted.nonzero()[:, 0].cpu(), losses.double().cpu())
        return total.numpy()


def read_config(folder: Path) -> dict[str, Any]:
    """Return ``config.json`` of a model that can be scored.

    Raises:
        DataError: the file is damaged, or there are no safetensors weights or no tokenizer.json.
        ConfigError: the model needs code of its own.
    """
    path = folder / "config.json"
    try:
        config = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Give a folder with a Hugging Face model.") from error
    if "auto_map" in config:
        raise ConfigError(
            f"{path} asks for code of its own (auto_map), which is never run. Give a model whose architecture "
            "transformers knows itself."
        )
    for pattern, what in (("*.safetensors", "weights in safetensors"), ("tokenizer.json", "tokenizer.json")):
        if not list(folder.glob(pattern)):
            raise DataError(f"{folder} holds no {what}. Save the model and its tokenizer there with save_pretrained.")
    return config


def _load(folder: Path, device: str) -> Any:
    try:
        from transformers import AutoModelForCausalLM  # pyright: ignore[reportMissingImports]
        from transformers.utils import logging  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ConfigError(
            f"{folder} is a Hugging Face model, and transformers is not installed. Install it with: "
            'pip install "pilotlight[hf]"'
        ) from error
    logging.disable_progress_bar()
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, output_loading_info=True,
            dtype="auto" if device.startswith("cuda") else torch.float32,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        first = str(error).strip().splitlines()[:1]
        raise DataError(
            f"{folder} cannot be loaded as a causal language model ({first[0] if first else type(error).__name__}). "
            "Check that it is one, and that its files are whole."
        ) from error
    model, info = loaded
    if missing := sorted(info["missing_keys"]):
        # The library fills such weights at random and only warns.
        raise DataError(
            f"{folder} lacks {len(missing)} weights of its model, the first {missing[0]}. Give the whole model."
        )
    return model.eval().to(device)


def _encoder(folder: Path) -> tuple[JsonEncoder, int | None]:
    path, beside = folder / "tokenizer.json", folder / "tokenizer_config.json"
    config: dict[str, Any] = {}
    if beside.is_file():
        try:
            config = json.loads(beside.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{beside} is not JSON ({error}). Save the tokenizer again.") from error
    tokenizer = read(path)
    end, _ = find_end(tokenizer, None, config, path)
    bos = config.get("bos_token")
    name = bos.get("content") if isinstance(bos, dict) else bos
    return JsonEncoder(path, end), tokenizer.token_to_id(name) if isinstance(name, str) else None
