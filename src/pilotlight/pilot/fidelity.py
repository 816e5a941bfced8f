"""The audit of a pilot as a stand-in: every difference between its trainings, as they really were, and the full run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from pilotlight.pilot.prepare import FREE_EPOCHS
from pilotlight.record.fidelity import FidelityAudit, FidelityRow
from pilotlight.record.results import BASELINE
from pilotlight.spec import diff
from pilotlight.units import show_count

CLOSE = 1.25
"""A ratio that counts as the same: the nearest shape to a size may miss it by that."""
BEYOND = 0.5
"""How far the law is trusted outside the ratios of tokens to parameters that were tried: a share of their range in logs."""
DECAY_ACTS = 1.0
"""Steps over which decay forgets a weight, as a share of the run: longer than the run and decay hardly acts (Wang and Aitchison
2024, arXiv 2405.13698)."""
DECAY_RULES = 0.25
"""And from here on it rules: what no rung above ``DECAY_ACTS`` can speak of."""
NOT_LIKE_ADAM = frozenset({"sgd", "schedule_free_sgd"})
"""Optimisers whose step follows the size of the gradient: the factors of muP and CompleteP that are used are those for Adam's
kind (Yang et al. 2022, arXiv 2203.03466)."""
_HARMLESS = {
    "seed": "the prediction is for any seed, and its interval holds the noise of one run",
    "reseed": "the prediction is for any seed, and its interval holds the noise of one run",
    "train.evaluate_every": "how often is looked does not change the weights",
    "train.evaluate_bytes": "what is looked at on the way does not change the weights",
}
_ORDER = ("confound", "measured", "scaled by rule", "harmless")


@final
@dataclass(frozen=True)
class Training:
    """One training as the audit sees it: its plan as plain values, and what it came to."""

    variant: str
    scale: str
    plan: Mapping[str, Any]
    parameters: float
    """Non-embedding parameters."""
    tokens: float
    epochs: float | None
    """None where nobody knows."""

    def setting(self, path: str) -> Any:
        """Return the plan's value at a dotted path, or None."""
        found: Any = self.plan
        for name in path.split("."):
            if not isinstance(found, Mapping) or name not in found:
                return None
            found = found[name]  # pyright: ignore[reportUnknownVariableType]
        return found  # pyright: ignore[reportUnknownVariableType]

    @property
    def ratio(self) -> float:
        """Tokens per parameter."""
        return self.tokens / self.parameters


def audit(pilots: Sequence[Training], full: Training, told: Mapping[str, str]) -> FidelityAudit:
    """Return every difference between the baseline's trainings and ``full``, classed, open confounds first.

    ``told`` says, by the name of each variant whose effect is known well enough, what is known: it was adopted, or makes no
    difference that matters. A setting of the full run that such a variant was trained with counts as measured.
    """
    ladder = sorted((one for one in pilots if one.variant == BASELINE), key=lambda one: (one.parameters, one.tokens))
    if not ladder:
        return FidelityAudit()
    tried = [one for one in pilots if one.variant in told]
    rows = [_setting(path, values, ladder, full, _measured(path, ladder, tried, full, told))
            for path, values in _differences(ladder, full).items()]  # fmt: skip
    rows += [row for row in (_ratio(ladder, full), _repetition(ladder, full), _decay(ladder, full)) if row is not None]
    rows += [*_absolute(ladder, full), *_mixture(ladder, full)]
    rows.sort(key=lambda row: (not row.is_open, _ORDER.index(row.kind)))
    return FidelityAudit(rows=tuple(rows), compared=len(ladder))


def _apart(one: Training, full: Training) -> dict[str, Any]:
    """Return the value of ``one`` at every path at which it differs from the full run; reseeded streams count as one."""
    changes = diff(dict(one.plan), dict(full.plan))
    return {"reseed" if path.startswith("reseed") else path: old for path, (old, _) in changes.items()}


def _differences(ladder: Sequence[Training], full: Training) -> dict[str, dict[str, Any]]:
    """Return the baseline's values by rung of every setting that some training of it had otherwise than the full run."""
    found: dict[str, dict[str, Any]] = {}
    changes = [_apart(one, full) for one in ladder]
    for path in dict.fromkeys(path for change in changes for path in change):
        values: dict[str, list[Any]] = {}
        for one, change in zip(ladder, changes, strict=True):
            seen = values.setdefault(one.scale, [])
            value = change[path] if path in change and path != "reseed" else one.setting(path)
            if value not in seen:
                seen.append(value)
        found[path] = {scale: seen[0] if len(seen) == 1 else seen for scale, seen in values.items()}
    return found


def _measured(
    path: str, ladder: Sequence[Training], tried: Iterable[Training], full: Training, told: Mapping[str, str]
) -> str:
    """Return what a variant tells that had the full run's value at ``path`` where no baseline of its rung had; or nothing."""
    for one in tried:
        beside = [other for other in ladder if other.scale == one.scale]
        if beside and path not in _apart(one, full) and all(path in _apart(other, full) for other in beside):
            return f"{one.variant} was trained with it: {told[one.variant]}"
    return ""


def _setting(
    path: str, values: dict[str, Any], ladder: Sequence[Training], full: Training, measured: str
) -> FidelityRow:
    """Return the row of one setting of the plan."""
    value = full.setting(path)
    harmless = _HARMLESS.get(path) or _HARMLESS.get(path.partition(".")[0])
    if harmless:
        return FidelityRow(setting=path, pilot=values, full=value, kind="harmless", because=harmless)
    if path in ("model.depth", "model.width"):
        return _shape(path, values, ladder, full)
    if path == "steps":
        rows = full.setting("train.rows")
        because = f"the schedule is in shares of the run; batches of {rows} rows stay as they are"
        return FidelityRow(setting=path, pilot=values, full=value, kind="scaled by rule", because=because)
    if measured:
        return FidelityRow(setting=path, pilot=values, full=value, kind="measured", because=measured)
    return FidelityRow(
        setting=path, pilot=values, full=value, kind="confound", is_open=True,
        because="no rule takes it from the pilot to the full run, and no trial had the full run's value",
        way_out=f"try {path} {value} as a variant, or give it to the pilot too, in a new --out, or train the full run as the "
                "pilot was.",
    )  # fmt: skip


def _shape(path: str, values: dict[str, Any], ladder: Sequence[Training], full: Training) -> FidelityRow:
    kind, width = full.setting("train.optim.kind"), full.setting("model.width")
    told = {"setting": path, "pilot": values, "full": full.setting(path)}
    same_width = all(one.setting("model.width") == width for one in ladder)
    if full.setting("model.parametrisation") == "standard" and not (path == "model.depth" and same_width):
        return FidelityRow(
            **told, kind="confound", is_open=True,
            because="with parametrisation standard the best learning rate moves with the size, and nothing moves the plan's",
            way_out="leave model.parametrisation at completep, in a new --out.",
        )  # fmt: skip
    if kind in NOT_LIKE_ADAM:
        return FidelityRow(
            **told, kind="confound", is_open=True,
            because=f"the factors by which rates follow the size are those for optimisers of Adam's kind; {kind} is not one",
            way_out="choose an optimiser of Adam's kind, in a new --out.",
        )  # fmt: skip
    because = "the shape follows from the size; rates, decay and starts follow the shape by CompleteP"
    return FidelityRow(**told, kind="scaled by rule", because=because)


def _by_rung(ladder: Sequence[Training], values: Iterable[float]) -> dict[str, Any]:
    """Return a value for each rung: the first training's, as trainings of a rung differ by their seeds alone."""
    found: dict[str, Any] = {}
    for one, value in zip(ladder, values, strict=True):
        found.setdefault(one.scale, _short(value))
    return found


def _short(value: float) -> float:
    """Return the value to three figures: what is derived is shown, not computed with."""
    return float(f"{value:.3g}")


def _ratio(ladder: Sequence[Training], full: Training) -> FidelityRow | None:
    """Return how tokens per parameter lie to those that were tried; the law separates size and data as far as these differ."""
    tried = [one.ratio for one in ladder]
    low, high, own = min(tried), max(tried), full.ratio
    values = _by_rung(ladder, tried)
    if max(high, own) <= CLOSE * min(low, own):
        return None
    told = {"setting": "tokens per parameter", "pilot": values, "full": _short(own)}
    outside = max(0.0, math.log(low / own), math.log(own / high))
    if outside <= math.log(CLOSE):
        return FidelityRow(
            **told, kind="scaled by rule", because="inside what was tried: the law has size and data apart"
        )
    if outside <= math.log(CLOSE) + BEYOND * math.log(high / low):
        return FidelityRow(
            **told, kind="confound",
            because=f"{math.exp(outside):.1f} times outside what was tried; near enough that the law's interval, which widens "
                    "with the distance, carries it",
            way_out=_rung_with(ladder, own),
        )  # fmt: skip
    return FidelityRow(
        **told, kind="confound", is_open=True,
        because=f"{math.exp(outside):.1f} times outside what was tried, which spans a factor of {high / low:.1f}: the law has "
                "not seen size and data so far apart",
        way_out=_rung_with(ladder, own),
    )  # fmt: skip


def _rung_with(ladder: Sequence[Training], ratio: float) -> str:
    smallest = min(one.parameters for one in ladder)
    return (
        f"add a rung with the full run's {ratio:.3g} tokens per parameter, such as {{parameters: {show_count(smallest)}, "
        f"tokens: {show_count(smallest * ratio)}, seeds: 1, baseline_only: true}}, in a new --out."
    )


def _repetition(ladder: Sequence[Training], full: Training) -> FidelityRow | None:
    """Return how often the text is read, where the full run reads it more often than any pilot did."""
    tried = [one.epochs for one in ladder if one.epochs is not None]
    if full.epochs is None or len(tried) < len(ladder) or full.epochs <= CLOSE * max(tried):
        return None
    told = {"setting": "epochs", "pilot": _by_rung(ladder, tried), "full": _short(full.epochs)}
    if full.epochs <= 1:
        return FidelityRow(**told, kind="harmless", because="no text is read twice in either")
    if full.epochs <= FREE_EPOCHS:
        because = f"text read up to {FREE_EPOCHS} times is worth nearly as much as fresh text (Muennighoff et al. 2023)"
        return FidelityRow(**told, kind="harmless", because=because)
    return FidelityRow(
        **told, kind="confound", is_open=True,
        because=f"repeated text is worth less from {FREE_EPOCHS} times on, and no pilot read its text so often",
        way_out="more text, fewer tokens in goal.full_run, or a pilot on as small a part of the text (corpus.steps: sample), "
                "so that it reads it as often.",
    )  # fmt: skip


def _horizon(one: Training) -> float | None:
    """Return the share of the run over which decay forgets a weight of a matrix; None where none decays so."""
    optim = one.setting("train.optim")
    steps = one.setting("steps")
    if not isinstance(optim, Mapping) or not steps or optim.get("decay_rule") == "gradient":
        return None
    decay = optim.get("weight_decay") or 0.0
    lost = decay if optim.get("decay_rule") == "independent" else decay * (optim.get("lr") or 0.0)
    return 1 / (lost * steps) if lost else None


def _decay(ladder: Sequence[Training], full: Training) -> FidelityRow | None:
    """Return how long weight decay remembers, as a share of the run: decay is per step, so it shortens as runs grow."""
    tried, own = [_horizon(one) for one in ladder], _horizon(full)
    shares = [share for share in tried if share is not None]
    if own is None or len(shares) < len(tried) or max(*shares, own) <= CLOSE * min(*shares, own):
        return None
    told = {"setting": "memory of weight decay, as a share of the run", "pilot": _by_rung(ladder, shares),
            "full": _short(own)}  # fmt: skip
    if min(*shares, own) >= DECAY_ACTS:
        return FidelityRow(**told, kind="harmless", because="longer than the run in all of them: decay hardly acts")
    if min(shares) >= DECAY_ACTS and own < DECAY_RULES:
        return FidelityRow(
            **told, kind="confound", is_open=True,
            because="decay hardly acted in any pilot and rules in the full run, which has so many more steps",
            way_out="a rung with more steps, in which decay acts as it will in the full run, in a new --out.",
        )  # fmt: skip
    return FidelityRow(
        **told, kind="confound",
        because="decay is the same at every step, so it acts more in longer runs; the rungs differ in the same way, and the law "
                "follows them",
        way_out="a variant with another train.optim.weight_decay at the longest rung shows how much that matters.",
    )  # fmt: skip


_COUNTED = ("train.schedule.first", "train.schedule.trunk_steps", "train.rows_warmup.of_steps")


def _absolute(ladder: Sequence[Training], full: Training) -> list[FidelityRow]:
    """Return the parts of schedules that are counted in steps: they are another share of a run of another length."""
    rows: list[FidelityRow] = []
    for path in _COUNTED:
        count, steps = full.setting(path), full.setting("steps")
        if not isinstance(count, int) or all(one.setting("steps") == steps for one in ladder):
            continue
        shares = [(one.setting(path) or 0) / one.setting("steps") for one in ladder]
        rows.append(
            FidelityRow(
                setting=f"{path}, as a share of the run", pilot=_by_rung(ladder, shares), full=_short(count / steps),
                kind="confound", is_open=True,
                because="it is counted in steps, so runs of other lengths have another schedule",
                way_out=f"leave {path} out, so that it follows the length of the run, in a new --out.",
            )
        )  # fmt: skip
    return rows


def _mixture(ladder: Sequence[Training], full: Training) -> list[FidelityRow]:
    """Return the ways in which the mixture of sources follows the length of the run by itself."""
    order = full.setting("train.order")
    if not isinstance(order, Mapping) or all(one.tokens == full.tokens for one in ladder):
        return []
    tokens = _by_rung(ladder, [one.tokens for one in ladder])
    if order.get("most_epochs") is not None and not order.get("shares") and not order.get("schedule"):
        return [
            FidelityRow(
                setting="mixture by train.order.most_epochs", pilot=tokens, full=full.tokens, kind="confound", is_open=True,
                because="how much of each source is read depends on how long the run is: small sources run out in the full run, "
                        "not in the pilot",
                way_out="give train.order.shares, as they will be in the full run, in a new --out.",
            )
        ]  # fmt: skip
    if order.get("kind") == "adaptive":
        return [
            FidelityRow(
                setting="mixture by train.order.every", pilot=tokens, full=full.tokens, kind="confound",
                because="shares follow the losses every so many steps, so longer runs come closer to where they settle; the "
                        "rungs differ in the same way, and the law follows them",
                way_out="train.order.shares where they settled, in a new --out.",
            )
        ]  # fmt: skip
    return []
