"""Models without multipliers: what a parametrisation multiplies branches and logits by, moved into the weights and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, final

from torch import Tensor

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.spec import diff, plain

_TRAINING_ONLY = (
    "parametrisation",
    "base_width",
    "base_depth",
    "embedding_std",
    "matrix_gain",
    "dropout",
    "initialisation",
)
_BRANCH_ENDS = {
    "reordered": ("residual.mixer_norm", "residual.feedforward_norm"),
    "sandwich": ("residual.mixer_end_norm", "residual.feedforward_end_norm"),
}  # where a norm stands at the end of a branch, a factor of what is before it would be lost


@final
class Weighed(NamedTuple):
    """A decoder and its weights by name, float32."""

    decoder: Decoder
    tensors: dict[str, Tensor]


def essence(decoder: Decoder) -> dict[str, Any]:
    """Return the settings that decide what a model with given weights computes, in one form for each way to say them."""
    found = {name: value for name, value in plain(decoder).items() if name not in _TRAINING_ONLY}
    _, width = decoder.size()
    kinds = [plain(mixer) for mixer in decoder.mixers()]
    for kind in kinds:
        if "heads" in kind:
            kind["heads"] = kind["heads"] or width // kind["head_dim"]
    alike = all(kind == kinds[0] for kind in kinds)
    found |= {"mixer": kinds[0] if alike else None, "pattern": [] if alike else kinds}
    if "expansion" in found["feedforward"]:
        found["feedforward"] = {
            **found["feedforward"],
            "expansion": round(found["feedforward"]["expansion"] * width) / width,
        }
    return found


def differences(first: Decoder, second: Decoder) -> list[str]:
    """Return what two decoders do not compute alike, as ``path: value, not value``."""
    found = diff(essence(first), essence(second))
    kinds = {path.removesuffix("kind") for path in found if path.endswith(".kind")}
    hidden = tuple(kind for kind in kinds if kind)
    shown = {
        path: both for path, both in found.items() if path.endswith("kind") or not path.startswith(hidden or ("\0",))
    }
    return [f"model.{path}: {_said(old)}, not {_said(new)}" for path, (old, new) in shown.items()]


def _said(value: Any) -> str:
    return "null" if value is None else str(value)


def unrolled(model: Weighed) -> Weighed:
    """Return the model with its blocks written out as often as they are gone through."""
    decoder, tensors = model
    if decoder.repeats == 1:
        return model
    depth, _ = decoder.size()
    pattern = decoder.mixers() if decoder.pattern else ()
    wide = decoder.model_copy(update={"depth": depth * decoder.repeats, "repeats": 1, "pattern": pattern})
    # The rules of the multipliers count visits, so that they are the same for both.
    return Weighed(wide, copied_blocks(tensors, [number % depth for number in range(depth * decoder.repeats)]))


def copied_blocks(tensors: dict[str, Tensor], sources: Sequence[int]) -> dict[str, Tensor]:
    """Return the tensors of a model whose block n is a copy of block ``sources[n]``."""
    found = {name: tensor for name, tensor in tensors.items() if not name.startswith("blocks.")}
    for number, source in enumerate(sources):
        own = f"blocks.{source}."
        found |= {
            f"blocks.{number}.{name.removeprefix(own)}": tensor.clone()
            for name, tensor in tensors.items() if name.startswith(own)
        }  # fmt: skip
    return found


def folded(model: Weighed) -> Weighed:
    """Return the same function of the ids under the ``standard`` parametrisation, which multiplies nothing.

    Raises:
        ConfigError: a part has no weights that could take a factor.
    """
    decoder, tensors = model
    depth, width = decoder.size()
    rules = decoder.rules()
    standard = {"parametrisation": "standard", "base_width": width, "base_depth": depth}
    return Weighed(decoder.model_copy(update=standard), _scaled(decoder, tensors, rules.branch, rules.output))


def unfolded(model: Weighed, decoder: Decoder) -> dict[str, Tensor]:
    """Return the tensors with which ``decoder``, of the same size, computes what a folded model does."""
    rules = decoder.rules()
    return _scaled(decoder, model.tensors, 1 / rules.branch, 1 / rules.output)


def _scaled(decoder: Decoder, tensors: dict[str, Tensor], branch: float, output: float) -> dict[str, Tensor]:
    """Return the tensors of a model whose branches and logits are larger by these factors."""
    found = dict(tensors)
    depth, _ = decoder.size()
    for number in range(depth if branch != 1 else 0):
        for names in branch_ends(decoder, tensors, number):
            found |= {name: tensors[name] * branch for name in names}
    if output != 1:
        found |= scaled_output(decoder, tensors, output)
    return found


def branch_ends(decoder: Decoder, tensors: dict[str, Tensor], number: int) -> list[list[str]]:
    """Return the names of the tensors that the two branches of a block are proportional to.

    Raises:
        ConfigError: the mixer, the feed-forward or the norm has none under a known name.
    """
    block, kind = f"blocks.{number}.", decoder.residual.kind
    if kind in _BRANCH_ENDS:
        choices = [(f"{name}.gain", f"{name}.bias") for name in _BRANCH_ENDS[kind]]
    else:
        choices = [("mixer.output", "mixer.output_bias"), ("feedforward.down", "feedforward.down_bias")]
    found = [[block + name for name in names if block + name in tensors] for names in choices]
    for names, part in zip(found, ("mixer", "feedforward"), strict=True):
        if not names:
            raise ConfigError(f"model.{part} of this kind with model.residual {kind} has no matrix or gain at its end that "
                              "could take a factor")  # fmt: skip
    return found


def scaled_output(decoder: Decoder, tensors: dict[str, Tensor], factor: float) -> dict[str, Tensor]:
    """Return the tensors to replace so that the logits are larger by ``factor``, before a cap.

    Raises:
        ConfigError: the embedding is the output matrix, and no norm with a gain stands before it.
    """
    if not decoder.tied:
        found = {"output": tensors["output"] * factor}
    else:
        place = "change.norm" if decoder.output_change else "norm"
        found = {name: tensors[name] * factor for name in (f"{place}.gain", f"{place}.bias") if name in tensors}
        if not found:
            raise ConfigError("the logits are multiplied by a factor, and with model.tied and without a norm with a gain "
                              "after the blocks no weight can take it")  # fmt: skip
    return found
