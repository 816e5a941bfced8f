"""Trained models that something starts from or is made of: our own, or of the transformers library."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, final

from pilotlight.errors import ConfigError, DataError, RecordError
from pilotlight.manifest import read_manifest
from pilotlight.model.folding import Weighed
from pilotlight.model.foreign import Foreign, read_foreign
from pilotlight.model.growth import fitted
from pilotlight.model.vocabulary import with_ids
from pilotlight.tokens.shared_ids import matched, same_ids
from pilotlight.tokens.tokenizer import Encoder, learn_encoder, open_encoder
from pilotlight.tokens.tokenizers.file import File
from pilotlight.train.final import KIND, ModelFacts, read_facts
from pilotlight.train.starts._content import is_own, model_folder

if TYPE_CHECKING:
    from torch import Tensor

    from pilotlight.tokens.tokens import Tokens
    from pilotlight.train.plan import Plan
    from pilotlight.train.starts.weights import Weights

LONGEST = 2048
"""Tokens of a row at most for an imported model: attention over more takes memory that pilots do not have."""
_MASKS = ("[MASK]", "<mask>")


@final
class Given(NamedTuple):
    """A trained model, whoever trained it."""

    folder: Path
    model: Weighed
    facts: ModelFacts
    copy_tokenizer: Callable[[Path], object]
    """Fills a folder with the files of the tokenizer, for ``open_encoder``."""

    @property
    def ids(self) -> int:
        """Ids of the tokenizer; rows of the embedding past them stand for no text."""
        return self.facts.vocabulary - self.facts.extra_ids


def open_source(path: Path) -> Given:
    """Return the model in a run, in a folder of `pilot model`, or in a Hugging Face folder.

    Raises:
        ConfigError: there is none, or one of an architecture that is not known.
        RecordError: it is unfinished, or a file of it is damaged.
        DataError: the files of a Hugging Face model are damaged, or it has no tokenizer.
    """
    folder = model_folder(path)
    if not is_own(folder):
        return _imported(folder)
    from safetensors.torch import load_file

    read_manifest(folder, KIND, verify=True)
    facts = read_facts(folder)
    tensors = load_file(folder / "model.safetensors")
    return Given(folder, Weighed(facts.decoder, tensors), facts, partial(shutil.copytree, folder / "tokenizer"))


def _imported(folder: Path) -> Given:
    found = read_foreign(folder)
    with tempfile.TemporaryDirectory() as place:
        copy = partial(learn_encoder, File(path=folder), ())
        copy(Path(place) / "tokenizer")
        encoder = open_encoder(Path(place) / "tokenizer")
    if encoder.vocabulary > found.vocabulary:
        raise DataError(f"{folder}: the tokenizer has {encoder.vocabulary} ids, the model only {found.vocabulary} rows. Give "
                        "the tokenizer that belongs to the model.")  # fmt: skip
    tensors, vocabulary = _with_mask(found, folder, encoder)
    facts = ModelFacts(
        decoder=found.model.decoder, vocabulary=vocabulary, extra_ids=vocabulary - encoder.vocabulary,
        objective="next_token" if found.family.causal else "masked",
        metric="bits_per_byte" if found.family.causal else "masked_nats_per_token",
        context=min(LONGEST, found.longest), precision="float32", end=encoder.end,
    )  # fmt: skip
    return Given(folder, Weighed(found.model.decoder, tensors), facts, copy)


def _with_mask(found: Foreign, folder: Path, encoder: Encoder) -> tuple[dict[str, Tensor], int]:
    """Return the tensors of an encoder with the row of its mask token right behind the ids of text, where ours has it."""
    mask = None if found.family.causal else _mask(folder)
    if mask is None:
        return found.model.tensors, found.vocabulary
    return with_ids(found.model.tensors, [*range(encoder.vocabulary), mask]), encoder.vocabulary + 1


def _mask(folder: Path) -> int | None:
    path = folder / "tokenizer.json"
    if not path.is_file():
        return None
    added = json.loads(path.read_text(encoding="utf-8")).get("added_tokens", ())
    return next((token["id"] for token in added if token["content"] in _MASKS), None)


def start_from(source: Given, start: Weights, plan: Plan, tokens: Tokens) -> dict[str, Tensor]:
    """Return the tensors with which a training of ``plan`` on ``tokens`` starts from a trained model.

    Raises:
        ConfigError: the plan's model is another one, and growth does not make it; or the tokenizer is another.
    """
    rows = _rows(source, start, plan, tokens)
    tensors = source.model.tensors
    if rows != list(range(source.facts.vocabulary)):
        tensors = with_ids(tensors, rows)
    try:
        return fitted(
            Weighed(source.model.decoder, tensors), plan.model, depth_rule=start.depth, noise=start.noise,
            seed=plan.seed_of("weights"),
        )  # fmt: skip
    except ConfigError as error:
        raise ConfigError(f"train.start: {start.path}: {str(error).rstrip('.')}.") from error


def _rows(source: Given, start: Weights, plan: Plan, tokens: Tokens) -> list[int | None]:
    """Return for every id of the plan's model the row of the source that it starts from."""
    with tempfile.TemporaryDirectory() as place:
        source.copy_tokenizer(Path(place) / "tokenizer")
        new, old = tokens.encoder(), open_encoder(Path(place) / "tokenizer")
        same = same_ids(new, old)
        found: list[int | None] = [*range(new.vocabulary)] if same else matched(new, old)
    if start.tokenizer == "same" and not same:
        shared = sum(id is not None for id in found)
        raise ConfigError(f"train.start: {start.path} was trained with another tokenizer: {shared} of {len(found)} ids stand for "
                          "text it has an id for. Use its tokenizer (tokenizer: {kind: file, path: ...}), or set "
                          "train.start.tokenizer to matched.")  # fmt: skip
    known = source.facts.extra_ids if source.facts.objective == plan.train.objective.kind else 0
    return found + [source.ids + number if number < known else None for number in range(plan.train.extra_ids)]


def source_flops(path: Path) -> float | None:
    """Return the FLOPs that the training of a model took; None where that is not known, as of an imported one."""
    from pilotlight.record.run import Run

    folder = model_folder(path)
    try:
        return Run.open(folder.parent).facts.flops
    except (RecordError, OSError):
        return None
