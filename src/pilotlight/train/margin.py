"""How far the learning rate is from the edge: the largest multiple of it at which a short training survives."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import final

from pilotlight.errors import RunError
from pilotlight.events import Note, Progress, Watcher, silent
from pilotlight.manifest import write_atomic
from pilotlight.record.incident import Incident
from pilotlight.record.run import Run
from pilotlight.spec import Record, fingerprint, plain
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.loop import train
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan

RECORD = "margin.json"
STEPS = 200
"""Steps of a short training, if the plan has as many."""
LARGEST, SMALLEST = 1024.0, 1 / 64
"""Multiples at which the search ends."""
HARMLESS = ("non_finite", "spike")
"""Incidents after which weights are as if nothing had been: a single step that was skipped or computed again."""
NO_WORSE = 1.5
"""Of the best loss of all multiples: a training that ended above it, or above 98 % of its first loss, did not survive."""


@final
class Attempt(Record):
    """One short training at a multiple of the plan's learning rate."""

    multiple: float
    rate: float
    loss: float | None
    """Of held-out text at the end, in ``Margin.metric``; None where it was stopped."""
    survived: bool
    seen: str
    """What happened."""


@final
class Margin(Record):
    """The largest multiple of the learning rate that survived a short training, between it and the next one that did not."""

    fingerprint: str
    """Of the plan and the tokens."""
    rate: float
    """The plan's learning rate."""
    steps: int
    multiple: float
    """The largest that survived below the first that did not; 0: none did."""
    fails_at: float | None
    """The smallest that did not survive; None: all did."""
    best: float | None
    """The multiple with the lowest loss."""
    metric: str
    """What the losses are in."""
    attempts: tuple[Attempt, ...]
    """In order of multiples."""

    @property
    def sentence(self) -> str:
        """What came out, in words."""
        if self.multiple == 0:
            return f"train.optim.lr {self.rate:g} survives {self.steps} steps at no multiple that was tried"
        found = f"train.optim.lr {self.rate:g} survives {self.steps} steps up to {self.multiple:.3g} times"
        found += f" and not at {self.fails_at:.3g} times" if self.fails_at else ", the largest that was tried"
        return f"{found}; the lowest loss was at {self.best:.3g} times"


def margin(
    plan: Plan, machine: Machine, tokens: Tokens, out: Path, *, steps: int | None = None, bisections: int = 2,
    watch: Watcher = silent,
) -> Margin:  # fmt: skip
    """Return the stability margin of ``plan``, measured by short trainings at 1, 2, 4, ... times its learning rate.

    Where its own rate does not survive, at 1/2, 1/4, ... times. The first multiple that does not survive is approached by
    bisection. Each training is a folder below ``out`` and is not done twice; ``out/margin.json`` keeps the result. A
    training survives if its guard had to do no more than skip single steps and it learned: it ended below its first
    loss, and not far above the best of the others.

    Args:
        plan: its schedule is that of a training of ``steps`` steps.
        machine: where and how.
        tokens: the packed text.
        out: folder for the trainings and the record.
        steps: of each training; by default 200, or the plan's own if those are fewer.
        bisections: halvings, on a logarithmic scale, between the last that survived and the first that did not.
        watch: told progress and what became of each training.

    Raises:
        ConfigError, DataError, RecordError, ResourceError: as ``train`` does.
        RunError: it was asked to stop; run again to go on.
    """
    steps = steps or min(STEPS, plan.steps)

    def attempt(multiple: float, done: int) -> Attempt:
        watch(Progress("stability margin", done, None, "trainings", f"{multiple:.3g} times the rate"))
        found = _attempt(_at(plan, multiple, steps), machine, tokens, out / f"x{multiple:.6g}", multiple)
        watch(Note(f"{multiple:.3g} times {plan.train.optim.lr:g}: {found.seen}"))
        return found

    judged = _search(attempt, bisections)
    low, high = _edges(judged)
    ended = [one for one in judged.values() if one.survived and one.loss is not None]
    best = min(ended, key=lambda one: one.loss or math.inf).multiple if ended else None
    result = Margin(
        fingerprint=fingerprint(plan.resolved(machine.resolve().device).identity(), tokens.fingerprint),
        rate=plan.train.optim.lr, steps=steps, multiple=low, fails_at=high, best=best, metric=plan.train.objective.metric,
        attempts=tuple(judged[multiple] for multiple in sorted(judged)),
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / RECORD, result.to_json() + "\n")
    return result


def _search(attempt: Callable[[float, int], Attempt], bisections: int) -> dict[float, Attempt]:
    """Return the attempts that find the edge: doubled or halved until it is passed, then in between."""
    found: dict[float, Attempt] = {}

    def survives(multiple: float) -> bool:
        found[multiple] = attempt(multiple, len(found))
        return _judged(found)[multiple].survived

    multiple = 1.0
    if survives(multiple):
        while multiple < LARGEST and survives(multiple := multiple * 2):
            pass
    else:
        while multiple > SMALLEST and not survives(multiple := multiple / 2):
            pass
    for _ in range(bisections):
        low, high = _edges(_judged(found))
        if low and high is not None:
            survives(math.sqrt(low * high))
    return _judged(found)


def _at(plan: Plan, multiple: float, steps: int) -> Plan:
    """Return the short plan at a multiple of the rate; its guard may skip steps and stops where it would rewind."""
    changed = plain(plan)
    changed["steps"] = steps
    changed["train"]["optim"]["lr"] = plan.train.optim.lr * multiple
    changed["train"]["guard"]["rewinds"] = 0
    return Plan.model_validate(changed)


def _attempt(plan: Plan, machine: Machine, tokens: Tokens, out: Path, multiple: float) -> Attempt:
    rate = plan.train.optim.lr
    try:
        run = train(plan, machine, tokens, out)
    except RunError:
        card = out / "incident.json"
        if not card.is_file():
            raise  # asked to stop
        seen = Incident.from_json(card.read_bytes())
        return Attempt(multiple=multiple, rate=rate, loss=None, survived=False,
                       seen=f"stopped at step {seen.step}: {seen.seen}")  # fmt: skip
    return _outcome(run, plan.train.objective.metric, rate, multiple)


def _outcome(run: Run, metric: str, rate: float, multiple: float) -> Attempt:
    loss, harm = run.facts.metrics[run.facts.metric], [one for one in run.facts.incidents if one.kind not in HARMLESS]
    losses = [line["loss"] for line in run.lines("step")]
    last = sorted(losses[-max(1, len(losses) // 10) :])
    learned = last[len(last) // 2] < 0.98 * losses[0]
    skipped = len(run.facts.incidents) - len(harm)
    seen = f"{loss:.4f} {metric.replace('_', ' ')}"
    if harm:
        seen += f"; {harm[0].kind} at step {harm[0].step}: {harm[0].seen}"
    elif not learned:
        seen += (
            f"; the loss went from {losses[0]:.4f} to {last[len(last) // 2]:.4f} nats per token, nothing was learned"
        )
    elif skipped:
        seen += f", {skipped} single steps skipped or computed again"
    return Attempt(multiple=multiple, rate=rate, loss=loss, survived=not harm and learned, seen=seen)


def _judged(found: dict[float, Attempt]) -> dict[float, Attempt]:
    """Return the attempts, those that ended far above the best one counted as not having survived."""
    best = min((one.loss for one in found.values() if one.survived and one.loss), default=math.inf)
    judged: dict[float, Attempt] = {}
    for multiple, one in found.items():
        if one.survived and one.loss is not None and one.loss > NO_WORSE * best:
            one = one.model_copy(update={"survived": False, "seen": f"{one.seen}, far above the best, {best:.4f}"})
        judged[multiple] = one
    return judged


def _edges(judged: dict[float, Attempt]) -> tuple[float, float | None]:
    """Return the largest multiple that survived below the first that did not, 0 for none, and that first one."""
    fails = min((multiple for multiple, one in judged.items() if not one.survived), default=None)
    lives = [multiple for multiple, one in judged.items() if one.survived and (fails is None or multiple < fails)]
    return max(lives, default=0.0), fails
