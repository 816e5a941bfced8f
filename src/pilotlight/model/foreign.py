"""Models of the transformers library in a local folder: ``config.json`` and safetensors, read and written without it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast, final

import torch
from torch import Tensor

from pilotlight.errors import ConfigError, DataError, nearest
from pilotlight.model.decoder import Decoder
from pilotlight.model.families import Family
from pilotlight.model.families._links import give, take, without
from pilotlight.model.folding import Weighed, differences, folded, unrolled
from pilotlight.spec import discover

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"


@final
class Foreign(NamedTuple):
    """A published model as one of ours."""

    model: Weighed
    vocabulary: int
    """Rows of its embedding; there may be more of them than ids of its tokenizer."""
    longest: int
    """Tokens of the longest row it was made for."""
    family: Family


def families() -> dict[str, Family]:
    """Return every family by its name."""
    return {name: cast("type[Family]", kind)() for name, kind in discover(Family.folder).items()}


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a model.

    Raises:
        DataError: there are none, or one of them is missing.
    """
    if (folder / INDEX).is_file():
        found = _json(folder / INDEX).get("weight_map")
        files = set(cast("dict[str, object]", found).values()) if isinstance(found, dict) else set[object]()
        names = sorted(name for name in files if isinstance(name, str) and _is_plain(name))
        if not names or len(names) < len(files):
            raise DataError(f"{folder / INDEX} has to name a safetensors file of {folder} for every tensor in its weight_map, "
                            "and does not. Save the model again.")  # fmt: skip
    else:
        names = [WEIGHTS]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder} lacks {missing[0]}: weights are read from safetensors and from nothing else. Save the model "
                        "there with save_pretrained.")  # fmt: skip
    return [folder / name for name in names]


def _is_plain(name: str) -> bool:
    return name.endswith(".safetensors") and not name.startswith(".") and not set(name) & set("/\\:")


def read_foreign(folder: Path) -> Foreign:
    """Return the model of the transformers library in ``folder``, in float32.

    Raises:
        DataError: a file is missing or damaged, or a tensor is missing, too many or of another shape.
        ConfigError: the architecture, or one of its settings, is not known here.
    """
    config = _json(folder / CONFIG)
    if "auto_map" in config:
        raise ConfigError(f"{folder / CONFIG} asks for code of its own (auto_map), which is never run.")
    if "quantization_config" in config:
        raise ConfigError(f"{folder} holds quantised weights. Give the model as it was before.")
    known = {family.model_type: family for family in families().values()}
    kind = str(config.get("model_type"))
    if kind not in known:
        raise ConfigError(f"{folder / CONFIG} is of model_type {kind!r}; known are {', '.join(known)}."
                          f"{nearest(kind, known)}")  # fmt: skip
    family = known[kind]
    try:
        decoder = family.decoder(config)
        vocabulary = int(config["vocab_size"])
        tensors = _taken(family, decoder, config, vocabulary, _tensors(folder))
    except (ConfigError, DataError) as error:
        raise type(error)(f"{folder}: {str(error).rstrip('.')}.") from error
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"{folder / CONFIG} lacks a setting, or one has a strange value ({error}).") from error
    longest = config.get("max_position_embeddings") or config.get("n_positions") or 1024
    return Foreign(Weighed(decoder, tensors), vocabulary, int(longest), family)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Give a folder with a Hugging Face model.") from error
    if not isinstance(found, dict):
        raise DataError(
            f"{path} holds {type(found).__name__} where settings by name are expected. Save the model again."
        )
    return cast("dict[str, Any]", found)


def _tensors(folder: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    found: dict[str, Tensor] = {}
    for path in weight_files(folder):
        try:
            found |= load_file(path)
        except (SafetensorError, OSError) as error:
            raise DataError(f"{path.name} cannot be read ({error}); copy it again") from error
    return found


def _taken(
    family: Family, decoder: Decoder, config: Mapping[str, Any], vocabulary: int, theirs: dict[str, Tensor]
) -> dict[str, Tensor]:
    if theirs and not any(name.startswith(family.prefix) for name in theirs):  # saved without the head
        theirs = {name if name == family.output else family.prefix + name: tensor for name, tensor in theirs.items()}
    unused = [*family.unused, *([family.output.replace(".", r"\.")] if decoder.tied else [])]
    theirs = family.read(without(theirs, unused), config)
    return take(family.links(decoder), theirs, shapes(decoder, vocabulary))


def shapes(decoder: Decoder, vocabulary: int) -> dict[str, Sequence[int]]:
    """Return the shape of every tensor of a model."""
    with torch.device("meta"):
        model = decoder.build(vocabulary)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def fitting(decoder: Decoder, vocabulary: int, context: int, causal: bool) -> dict[str, list[str]]:
    """Return what every family that sees as ``causal`` says cannot say of a folded decoder; nothing where it fits."""
    found: dict[str, list[str]] = {}
    for name, family in families().items():
        if family.causal == causal:
            try:
                again = family.decoder(family.config(decoder, vocabulary, context))
                found[name] = differences(decoder, again)
            except ConfigError as error:
                found[name] = [str(error)]
    return found


def write_foreign(
    folder: Path, model: Weighed, vocabulary: int, context: int, *, end: int, family: str = "", causal: bool = True
) -> str:
    """Return the name of the family as which the model was written into ``folder``: ``config.json`` and weights.

    Multipliers are folded into the weights and repeated blocks written out, so that the logits are the same.

    Args:
        folder: an existing folder.
        model: the model.
        vocabulary: rows of its embedding.
        context: tokens of the longest row.
        end: id of the token that ends a document.
        family: name of the family; empty: the first one that can say all of the model.
        causal: whether a token sees only those before it.

    Raises:
        ConfigError: no family, or not the one asked for, can say all of the model; names the parts.
    """
    from safetensors.torch import save_file

    decoder, tensors = folded(unrolled(model))
    misfits = fitting(decoder, vocabulary, context, causal)
    if family and family not in misfits:
        raise ConfigError(f"no family {'' if causal else 'of encoders '}is called {family!r}; known are {', '.join(misfits)}."
                          f"{nearest(family, misfits)}")  # fmt: skip
    name = family or min(misfits, key=lambda one: len(misfits[one]))
    if misfits[name]:
        raise ConfigError(f"the model cannot be written as {name}{'' if family else ', the nearest family'}: "
                          f"{'; '.join(misfits[name][:6])}. Train with the parts of a known family to export it, or use the "
                          "model from Python.")  # fmt: skip
    chosen = families()[name]
    config = {"architectures": [chosen.architecture], "model_type": chosen.model_type, "dtype": "float32",
              **chosen.config(decoder, vocabulary, context), "bos_token_id": None, "eos_token_id": end,
              }  # fmt: skip
    config.setdefault("pad_token_id", None)
    theirs = chosen.written(give(chosen.links(decoder), tensors), config)
    save_file(theirs, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return name
