"""What is done about a step that is not believed: skip it, rewind and skip, rewind with a lower rate, stop.

A flagged step has not touched the weights, so one alone, however gross, is only skipped. Several close together are
trouble, of the data or of the weights. Which of the two is tried, not guessed: a batch that was accepted before is
computed again. If it looks as it did, the weights are sound, and skipping goes on until the new level counts as one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pilotlight.errors import RunError
from pilotlight.manifest import write_atomic
from pilotlight.record.incident import Incident
from pilotlight.tokens.journal import Skip
from pilotlight.train.guard import JUDGEMENTS, Judgement
from pilotlight.train.ranks import worst
from pilotlight.train.rewind import Way, rewind, save
from pilotlight.train.state import Job, State

_REFERENCES = 4  # batches of the best time that are computed again: enough to average their noise

Measure = Callable[[int], tuple[float, float]]
"""Number of an earlier step -> loss and gradient norm of its batch with the weights of now."""
Kind = Literal["non_finite", "spike", "budget", "rewind", "slower", "stopped"]

_LOWER = (
    "The training is unstable, and would stop here again: train again in a new folder with a lower train.optim.lr "
    "(`pilot margin` measures how high it may be), a longer train.schedule.warmup, or norms of queries and keys."
)


def judged(state: State, loss: float, norm: float) -> Judgement:
    """Return whether a step is believed: the most severe judgement of all ranks."""
    (severity,) = worst(JUDGEMENTS.index(state.detector.judge(loss, norm)))
    return JUDGEMENTS[int(severity)]


def seen_of(loss: float, norm: float) -> str:
    """Return the two numbers of a step in words."""
    return f"loss {loss:.6g} nats per token, gradient norm {norm:.6g}"


def report(job: Job, state: State, kind: Kind, seen: str, action: str, advice: str = "") -> Incident:
    """Return the incident, told and kept; one that is met again after a rewind is kept once."""
    incident = Incident(kind=kind, step=state.step, seen=seen, action=action, advice=advice)
    if incident not in state.incidents:
        state.incidents.append(incident)
    job.watch(incident)
    return incident


def skip(job: Job, state: State, judgement: Judgement, seen: str, measure: Measure) -> None:
    """Take the batch of this step out of the stream, and climb further up where that is not enough.

    Raises:
        RunError: more batches were skipped, or more rewinds needed, than the guard allows.
    """
    if judgement == "spike" and (limits := state.detector.limits()):
        seen += f"; flagged above {limits[0]:.6g} or {limits[1]:.6g}"
    report(job, state, "spike" if judgement == "spike" else "non_finite", seen,
           f"batch {state.batches.draw(state.step)} was taken out of the stream; weights and optimiser are as "
           "before")  # fmt: skip
    state.log.add({"kind": "skip", "step": state.step, "why": seen})
    state.journal.append(Skip(first=state.step, last=state.step))
    state.batches = job.stream(state.journal)
    is_within = state.detector.skip(state.step)
    settings = job.plan.train.guard
    flagged = state.detector.cluster(state.step)
    if flagged and (hurt := _hurt(state, measure)):
        _go_back(job, state, min(flagged), f"{len(flagged)} steps flagged within {settings.near}, and {hurt}")
    elif not is_within:
        _stop(job, state, "budget",
              f"{settings.skips + 1} batches skipped within {settings.within} steps; the last: {seen}",
              "The training is unstable or its data is damaged, and would stop here again: look at the text of the "
              "skipped batches, or train again in a new folder with a lower train.optim.lr or more "
              "train.guard.skips.")  # fmt: skip


def _hurt(state: State, measure: Measure) -> str:
    """Return what shows that the weights are to blame: a batch that was accepted is not believed any more."""
    if state.step == 0:
        return ""
    loss, norm = measure(state.step - 1)
    if judged(state, loss, norm) == "accept":
        return ""
    return f"batch {state.step - 1}, which was accepted before, now has {seen_of(loss, norm)}"


def watch_level(job: Job, state: State, measure: Measure) -> bool:
    """Return whether the run was rewound because its losses have stayed above their best level for too long.

    Text that has become harder looks the same from the losses; so batches of the best time are computed again.

    Raises:
        RunError: more rewinds are needed than the guard allows.
    """
    level = state.detector.level
    if level is None:
        return False
    is_due, at = worst(float(state.detector.is_adrift), float(-level.at))
    if not is_due:
        return False
    state.detector.wait()
    best = range(max(0, int(-at) - _REFERENCES), int(-at))
    now = sum(measure(step)[0] for step in best) / len(best)
    (is_hurt,) = worst(float(not now <= level.best * (1 + state.detector.settings.drift)))
    if not is_hurt:
        return False
    why = (f"the median loss has risen from {level.best:.6g} at step {level.at} to {level.level:.6g} nats per token, and "
           f"batches from then now have {now:.6g}")  # fmt: skip
    _go_back(job, state, int(-at), why, drifts=True)
    return True


def _go_back(job: Job, state: State, since: int, why: str, *, drifts: bool = False) -> None:
    """Rewind to ``back`` steps before ``since``; with a lower rate where that is the cause or skipping did not help."""
    guard, earlier = job.plan.train.guard, state.rewinds
    if len(earlier) >= guard.rewinds:
        _stop(
            job, state, "stopped", f"{why}; {len(earlier)} rewinds before it, and {guard.rewinds} are allowed", _LOWER
        )
    again = bool(earlier) and earlier[-1].branch <= state.step <= earlier[-1].left + guard.apart
    since = min(since, earlier[-1].branch) if again else since
    (branch,) = worst(-max(0, since - guard.back))
    way = Way(branch=int(-branch), skips=not drifts, slower=drifts or again)
    at = state.step
    done = rewind(job, state, way, why)
    action = f"from step {at} back to the checkpoint of step {done.to}, and on from step {done.branch}"
    if done.skipped:
        action += f" without the {done.skipped} batches from there on"
    if way.slower:
        action += f" at {done.factor:.3g} times the planned learning rate"
    incident = Incident(kind="slower" if way.slower else "rewind", step=at, seen=why, action=action)
    state.incidents.append(incident)
    job.watch(incident)
    save(job, state)


def _stop(job: Job, state: State, kind: Kind, seen: str, advice: str) -> None:
    card = report(job, state, kind, seen, "the run stopped", advice)
    write_atomic(job.out / "incident.json", card.to_json() + "\n")
    raise RunError(f"{job.out}: stopped at step {state.step} of {job.plan.steps}: {card.seen}. {card.advice}")
