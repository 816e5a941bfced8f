"""The final model as a folder that stands by itself: weights, settings, tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, final

import torch

from pilotlight.errors import RecordError
from pilotlight.manifest import building, read_manifest
from pilotlight.model.decoder import Decoder
from pilotlight.spec import Record, plain
from pilotlight.tokens.tokenizer import Encoder, open_encoder
from pilotlight.train.checkpoint import weights

if TYPE_CHECKING:
    from pilotlight.model.decoder_layer import DecoderModel
    from pilotlight.train.state import Job

KIND = "model"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@final
class ModelFacts(Record):
    """``model.json``: what is needed to build the model around its weights."""

    decoder: Decoder
    vocabulary: int
    context: int
    """Tokens of a row in training."""
    precision: Literal["float32", "bfloat16"]
    end: int
    """Id of the token between documents."""


def write_model(job: Job, model: torch.nn.Module) -> Path:
    """Return the folder ``model`` of the run, now holding the final weights and all that is needed to use them."""
    from safetensors.torch import save as to_bytes

    plan = job.plan
    facts = ModelFacts.model_validate({
        "decoder": plan.model, "vocabulary": job.tokens.vocabulary, "context": plan.train.context,
        "precision": plan.train.precision, "end": job.tokens.end,
    })  # fmt: skip
    folder = job.out / "model"
    with building(folder, kind=KIND, fingerprint=job.fingerprint, settings=plain(plan.model)) as draft:
        (draft.folder / "model.safetensors").write_bytes(to_bytes(weights(model)))
        (draft.folder / "model.json").write_text(facts.to_json() + "\n", encoding="utf-8")
        job.tokens.copy_tokenizer(draft.folder / "tokenizer")
    return folder


def open_model(folder: str | Path, device: str = "cpu") -> tuple[DecoderModel, Encoder]:
    """Return the trained model, ready to score in the precision it was trained in, and its encoder.

    Args:
        folder: a run, or the ``model`` folder of one.
        device: where the weights go.

    Raises:
        RecordError: there is no finished model, or a file of it is damaged.
    """
    from safetensors.torch import load_file

    folder = Path(folder)
    if (folder / KIND / "model.json").is_file():
        folder = folder / KIND
    read_manifest(folder, KIND, verify=True)
    try:
        facts = ModelFacts.from_json((folder / "model.json").read_bytes())
    except ValueError as error:
        raise RecordError(f"{folder / 'model.json'} is of another version. Train the model again.") from error
    model = facts.decoder.build(facts.vocabulary)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    model.compute_dtype = DTYPES[facts.precision]
    return model.eval().to(device), open_encoder(folder / "tokenizer")
