"""Going back to a checkpoint from before the trouble and on from there on another way.

A rewind is written into the state: a window of batches in the journal, a lower rate in ``rates``. So the run stays a
function of seed, step and journal. It takes its other way at the step ``branch``, whichever checkpoint it starts
from: the steps up to there are trained again as they were. Checkpoints for rewinds are *anchors*, made by the number
of steps and not by the clock, so that a run that was killed rewinds as one that was not.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple, final

from pilotlight.errors import ResourceError
from pilotlight.record.incident import Incident
from pilotlight.tokens.journal import Skip
from pilotlight.train import checkpoint
from pilotlight.train.events import Saved
from pilotlight.train.plan import Plan
from pilotlight.train.start import start_over
from pilotlight.train.state import Job, Rate, Rewound, State


def anchor_every(plan: Plan) -> int:
    """Return the steps between two anchors."""
    guard = plan.train.guard
    return guard.anchor_every or max(guard.back, plan.steps // 10)


def is_anchor(plan: Plan, step: int) -> bool:
    """Return whether a checkpoint is made after ``step`` updates, whatever the clock says."""
    return step % anchor_every(plan) == 0


def anchors_kept(job: Job, state: State) -> set[int]:
    """Return the steps of all anchors that a rewind from now on may ask for."""
    guard, every = job.plan.train.guard, anchor_every(job.plan)
    oldest = state.step - 2 * guard.back - guard.near  # of a second rewind, further back
    asked = [oldest]
    if (level := state.detector.level) is not None:
        asked += [level.at - guard.back, level.at - 2 * guard.back]
    for earlier in state.rewinds[-1:]:
        asked += [earlier.branch - times * guard.back for times in range(1, guard.rewinds + 1)]
    found = {max(0, point) // every * every for point in asked}
    return found | set(range(max(0, oldest) // every * every, state.step + 1, every))


def save(job: Job, state: State) -> bool:
    """Publish a checkpoint and remove old ones; a full disk is told and survived. Return whether it was saved."""
    try:
        folder = checkpoint.save(job.checkpoints, state, job.fingerprint)
    except ResourceError as error:
        job.watch(Incident(
            kind="unsaved_checkpoint", step=state.step, seen=str(error), advice="Free some space.",
            action="training goes on; earlier checkpoints are as they were, and the next save tries again",
        ))  # fmt: skip
        return False
    checkpoint.abandon(job.checkpoints, state.step)
    checkpoint.prune(job.checkpoints, job.machine.keep, job.machine.milestone_every, anchors_kept(job, state))
    job.watch(Saved(state.step, folder))
    return True


@final
class Way(NamedTuple):
    """How a run goes on after a rewind."""

    branch: int
    """The step at which it takes another way."""
    skips: bool
    """Whether the batches from there to beyond the trouble are taken out of the stream."""
    slower: bool
    """Whether the learning rate is lowered from there on."""


def rewind(job: Job, state: State, way: Way, why: str) -> Rewound:
    """Return the rewind that was done: ``state`` is that of the newest valid anchor at or before ``way.branch``."""
    guard, left = job.plan.train.guard, state.step
    begins, ends = state.batches.draw(way.branch), state.batches.draw(left) + guard.beyond
    rate = state.rates[-1].factor if state.rates else 1.0
    known = state.incidents, state.rewinds
    found, damaged = checkpoint.anchor(job.checkpoints, job.fingerprint, way.branch, anchor_every(job.plan))
    for incident in damaged:
        job.watch(incident)
    if found is None:
        start_over(job, state)
    else:
        checkpoint.restore(found, state)
    branch = max(way.branch, state.step)  # a run that was branched off another one cannot go back beyond that
    state.incidents, state.rewinds = known
    state.batches = job.stream(state.journal)
    if way.skips:
        state.journal.append(_window(state, begins, ends))
        state.batches = job.stream(state.journal)
    if way.slower:
        state.rates.append(Rate(step=branch, factor=rate * guard.slower, rewarm=guard.rewarm))
    done = Rewound(left=left, to=state.step, branch=branch, skipped=ends - begins if way.skips else 0,
                   factor=state.rates[-1].factor if state.rates else 1.0)  # fmt: skip
    state.rewinds.append(done)
    state.log.add({"kind": "rewind", "step": done.to, **done.model_dump(exclude={"to"}), "why": why})
    return done


def _window(state: State, begins: int, ends: int) -> Skip:
    """Return the skip of the places ``begins`` to ``ends`` - 1 of the unskipped stream, as steps are numbered now."""
    steps = range(state.step, state.step + ends - state.batches.draw(state.step) + 1)
    first = bisect_left(steps, begins, key=state.batches.draw)
    last = bisect_left(steps, ends, key=state.batches.draw) - 1
    return Skip(first=steps[first], last=steps[max(first, last)])
