"""Models of known behaviour: one whose likelihoods are set by hand, ones that know a sentence by heart, a tiny Llama."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pilotlight.corpus.recipe import Recipe
from pilotlight.evals.scorer import Scorer
from pilotlight.model.decoder import Decoder
from pilotlight.tokens.pack import pack
from pilotlight.tokens.tokenizer import Encoder
from pilotlight.tokens.tokenizers.bytes import Bytes
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan, Training

SENTENCE = "The lamp is lit by the keeper at dusk. "
CONTEXT = 48


class ByteEncoder(Encoder):
    vocabulary = 257
    end = 256

    def encode_batch(self, texts):
        return [np.frombuffer(text.encode(), dtype=np.uint8).astype(np.uint32) for text in texts]

    def decode(self, ids):
        return bytes(int(id) for id in ids if id != 256).decode(errors="replace")


class SetByHand(Scorer):
    """Gives every byte 1 nat, those in ``cheap`` 0.5 and those in ``dear`` 3; notes what it was shown."""

    tokens_at_once = 256

    def __init__(self, cheap: str = "", dear: str = "", context: int = 64) -> None:
        self.encoder = ByteEncoder()
        self.start = 256
        self.context = context
        self.price = np.ones(257)
        self.price[list(cheap.encode())] = 0.5
        self.price[list(dear.encode())] = 3.0
        self.batches = []

    def nats(self, ids, targets, mask):
        self.batches.append((ids.copy(), targets.copy(), mask.copy()))
        return np.where(mask, self.price[targets], 0.0).sum(axis=1)


@dataclass
class Text:
    text: str
    id: str
    source: str = "lamp"


class Lamp:
    """A corpus of one sentence, again and again; a few documents hold other words."""

    fingerprint = "2" * 16

    def documents(self, split):
        for number in range(40 if split == "train" else 6):
            text = SENTENCE * 4 if number % 10 else f"Number {number} is another text about ships and harbours."
            yield Text(text, hashlib.md5(f"{split}{number}".encode()).hexdigest())


def plan_of(seed: int = 0, steps: int = 60, width: int = 64) -> Plan:
    return Plan(
        corpus=Recipe(), tokenizer=Bytes(), steps=steps, seed=seed,
        model=Decoder.model_validate({"depth": 1, "width": width, "mixer": {"kind": "grouped", "head_dim": 32}}),
        train=Training.model_validate({
            "rows": 8, "context": CONTEXT, "evaluate_every": 1000, "evaluate_bytes": 200, "score_bytes": 1000,
            "precision": "float32", "optim": {"kind": "adamw", "lr": 2e-2},
        }),
    )  # fmt: skip


def train_all(folder: Path) -> Path:
    from pilotlight.train.loop import train

    tokens = pack(Lamp(), Bytes(), folder / "tokens")
    machine = Machine(device="cpu", threads=1, compile=False)
    for seed in range(3):
        train(plan_of(seed), machine, tokens, folder / "runs" / "lamp" / "tiny" / f"seed{seed}")
    train(plan_of(0, steps=4), machine, tokens, folder / "runs" / "short" / "tiny" / "seed0")
    return folder


def write_reference(folder: Path) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: id for id, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(
        vocab_size=257, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=64,
    )).save_pretrained(folder)  # fmt: skip
    return folder


def write_rows(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def planted(path: Path, count: int = 12) -> Path:
    """Multiple choice whose right option is how the sentence that was learnt goes on."""
    rows = [
        {"context": SENTENCE * 2 + "The lamp is lit by the", "choices": ["keeper at dusk.", wrong, "moon and the sun."],
         "answer": 0}
        for wrong in [f"{word} of stone {number}." for number, word in enumerate(["harbour", "ship"] * (count // 2))]
    ]  # fmt: skip
    return write_rows(path, rows)
