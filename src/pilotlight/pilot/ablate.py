"""An ablation study: the pilot that takes away or simplifies one part of a plan at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, final

import yaml

from pilotlight.errors import ConfigError
from pilotlight.manifest import write_atomic
from pilotlight.pilot.pilot import Pilot, Setup, Variant
from pilotlight.plan_file import read_yaml
from pilotlight.record.results import WITHOUT
from pilotlight.spec import plain


@final
class Part(NamedTuple):
    """A part that a plan may have, and what the plan is without it."""

    name: str
    """What the variant is called, after ``without_``."""
    path: str
    """Dotted path of the setting that is changed."""
    present: Callable[[Any], bool]
    """Whether a value of that setting means that the part is there."""
    simpler: Any
    """The setting without the part; a function makes it from the value that is there."""
    why: str


def _kind_is_not(*kinds: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and value["kind"] not in kinds


def _there(value: Any) -> bool:
    return value not in (None, 0, 0.0, False, (), [])


def _same_heads(value: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "grouped", "head_dim": value["head_dim"]}


def _same_warmup(value: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "constant", "warmup": value["warmup"]}


PARTS = (
    Part("qk_norm", "model.mixer.qk_norm", _there, False, "queries and keys as they are"),
    Part("shared_heads", "model.mixer.queries_per_kv", lambda value: _there(value) and value > 1, 1,
         "every query head its own keys"),
    Part("mixer", "model.mixer", _kind_is_not("grouped"), _same_heads, "full attention in its place"),
    Part("pattern", "model.pattern", _there, [], "the same mixer in every block"),
    Part("gate", "model.feedforward", _kind_is_not("gelu", "relu_squared", "experts"), {"kind": "gelu"},
         "a feed-forward without a gate"),
    Part("experts", "model.feedforward", lambda value: value["kind"] == "experts", {"kind": "swiglu"},
         "one dense feed-forward"),
    Part("position", "model.position", _kind_is_not("none"), {"kind": "none"}, "no word of where a token stands"),
    Part("residual", "model.residual", _kind_is_not("pre"), {"kind": "pre"}, "norms before the branches only"),
    Part("separate_output", "model.tied", lambda value: value is False, True, "the embedding as the output matrix"),
    Part("repeats", "model.repeats", lambda value: value > 1, 1, "blocks are gone through once"),
    Part("dropout", "model.dropout", _there, 0.0, "nothing is dropped"),
    Part("softcap", "model.softcap", _there, None, "logits without a bound"),
    Part("optimiser", "train.optim", _kind_is_not("adamw"), {"kind": "adamw"}, "AdamW at its default rate: tune it too"),
    Part("weight_decay", "train.optim.weight_decay", _there, 0.0, "weights that do not decay"),
    Part("decay", "train.schedule", _kind_is_not("constant"), _same_warmup, "a rate that does not fall at the end"),
    Part("warmup", "train.schedule.warmup", _there, 0.0, "the peak rate from the first step"),
    Part("clipping", "train.clip", _there, None, "gradients as they are"),
    Part("sparsity", "train.sparsity", _there, None, "every weight is trained"),
    Part("rows_warmup", "train.rows_warmup", _there, None, "whole batches from the first step"),
    Part("z_loss", "train.objective.z_loss", _there, 0.0, "no penalty of the softmax's denominator"),
    Part("augmentations", "train.augmentations", _there, [], "inputs as they are"),
    Part("order", "train.order", _kind_is_not("shuffled"), {"kind": "shuffled"}, "text in random order"),
    Part("packing", "train.packing", lambda value: value != "concat", "concat", "documents one after another"),
    Part("separation", "train.documents", lambda value: value != "joined", "joined", "tokens see earlier documents"),
)  # fmt: skip
"""What can be taken away. A norm is not among them: few models train without one, and a lost training has no effect to tell."""


def ablations(setup: Setup) -> dict[str, Variant]:
    """Return a variant for every part that ``setup`` has, each without that one part: model, training, then text."""
    data = plain(setup)
    found: dict[str, Variant] = {}
    for part in PARTS:
        # With a pattern nothing is made of model.mixer; what its mixers have is taken away from all of them.
        inside = _inside_pattern(part, data["model"]["pattern"])
        changes = _without(part, data) if inside is None else inside
        if changes:
            found[WITHOUT + part.name] = Variant(set=changes, why=part.why)
    return found | _without_steps(data["corpus"]["steps"])


def _without(part: Part, data: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of ``data`` without the part; nothing where it is not there."""
    value = _value(data, part.path)
    if value is _ABSENT or not part.present(value):
        return {}
    return {part.path: part.simpler(value) if callable(part.simpler) else part.simpler}


def _inside_pattern(part: Part, pattern: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the pattern without a part of its mixers, nothing where none has it; None if it is no part of a pattern."""
    first, _, name = part.path.partition("model.mixer")
    if first or not pattern:
        return None
    if not name:
        return {}
    name = name.removeprefix(".")
    changed = [mixer | {name: part.simpler} if part.present(mixer.get(name)) else mixer for mixer in pattern]
    return {"model.pattern": changed} if changed != pattern else {}


_ABSENT = object()


def _value(data: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(data, dict) or name not in data:
            return _ABSENT
        data = data[name]
    return data


def _without_steps(steps: list[dict[str, Any]]) -> dict[str, Variant]:
    """Return a variant without each step that changes the text; one that annotates only is worth nothing by itself."""
    found: dict[str, Variant] = {}
    for place, step in enumerate(steps):
        if step.get("only_annotate"):
            continue
        name = f"{WITHOUT}{step['kind']}"
        while name in found:
            name += "_again"
        others = steps[:place] + steps[place + 1 :]
        found[name] = Variant(set={"corpus.steps": others}, why=f"the text without the step {step['kind']}")
    return found


def write_ablation(plan: Path, out: Path, only: tuple[str, ...] = (), *, force: bool = False) -> list[str]:
    """Return what was written to ``out``: the pilot of ``plan`` with its ablations as its variants.

    Args:
        plan: a pilot file.
        out: file to write, in the folder of ``plan``, where its relative paths hold.
        only: names of ablations, with or without ``without_``; empty: all.
        force: replace a file that is there.

    Raises:
        ConfigError: ``plan`` has mistakes, ``out`` is there already or elsewhere, or no such part is there.
    """
    pilot = Pilot.load(plan)
    found = ablations(pilot.setup)
    wanted = {name if name.startswith(WITHOUT) else WITHOUT + name for name in only} or set(found)
    if unknown := sorted(wanted - set(found)):
        raise ConfigError(f"{plan} has no part {', '.join(unknown)} to take away; it has {', '.join(found)}.")
    if out.exists() and not force:
        raise ConfigError(f"{out} is there already. Choose another name with --out, or replace it with --force.")
    if out.absolute().parent != plan.absolute().parent:
        raise ConfigError(f"{out} lies in another folder than {plan}, whose relative paths would not hold there. Choose a "
                          "file beside it.")  # fmt: skip
    data, _ = read_yaml(plan)
    chosen = {name: variant for name, variant in found.items() if name in wanted}
    data["question"] = f"What is each part worth? ({pilot.question})"
    data["variants"] = {name: plain(variant) for name, variant in chosen.items()}
    head = f"# An ablation of {plan.name}: each variant lacks one part.   pilot run {out.name}\n"
    body = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    write_atomic(out, head + body)
    Pilot.load(out)
    runs = len(chosen) * sum(map(pilot.seeds_at, pilot.compared))
    return [f"{out}: {len(chosen)} parts, each taken away once: {', '.join(chosen)}.",
            f"That is {runs} trainings beside the baseline's; keep the parts you doubt with --only, "
            f"then: pilot run {out}"]  # fmt: skip
