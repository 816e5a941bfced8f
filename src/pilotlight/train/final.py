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
    """Ids of the model: the tokenizer's, and behind them the extra ones."""
    extra_ids: int = 0
    """Ids past the tokenizer's that stand for no text: the objective's first, such as the mask token, then those of
    augmentations."""
    objective: str = "next_token"
    """Kind of what the model was trained to predict."""
    metric: str = "bits_per_byte"
    """What it is measured in; another one where it does not predict the next token, and so gives no text a likelihood."""
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
        "decoder": plan.model, "vocabulary": plan.ids(job.tokens.vocabulary), "extra_ids": plan.train.extra_ids,
        "objective": plan.train.objective.kind, "metric": plan.train.objective.metric, "context": plan.train.context,
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
        folder: the output of `pilot train`, a run, or the ``model`` folder of one.
        device: where the weights go.

    Raises:
        RecordError: there is no finished model, or a file of it is damaged.
    """
    from safetensors.torch import load_file

    folder = _folder_of(folder)
    read_manifest(folder, KIND, verify=True)
    facts = read_facts(folder)
    model = facts.decoder.build(facts.vocabulary)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    model.compute_dtype = DTYPES[facts.precision]
    return model.eval().to(device), open_encoder(folder / "tokenizer")


def read_facts(folder: str | Path) -> ModelFacts:
    """Return what is known of the model in the output of `pilot train`, in a run, or in the ``model`` folder of one.

    Raises:
        RecordError: there is no model, or its facts are of another version.
    """
    path = _folder_of(folder) / "model.json"
    try:
        return ModelFacts.from_json(path.read_bytes())
    except OSError as error:
        raise RecordError(f"{path} is missing. Give the folder of a finished run.") from error
    except ValueError as error:
        raise RecordError(f"{path} is of another version. Train the model again.") from error


def _folder_of(folder: str | Path) -> Path:
    folder = Path(folder)
    inner = (folder / "run" / KIND, folder / KIND)  # of the output of `pilot train`, of a run
    return next((one for one in inner if (one / "model.json").is_file()), folder)
