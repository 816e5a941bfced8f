"""Several trainings of one shape, gone through side by side with one program for all their gradients.

Each of them is a training as ``train`` does it: its own weights, optimiser, data order, guard, log, checkpoints and
folder. It resumes by itself, and where its guard stops it the others go on. Only losses and gradients are computed
together (``train.stack``), which is what keeps an accelerator busy that one small model would leave idle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, final

import torch

from pilotlight.errors import ConfigError, RunError
from pilotlight.events import Note, Watcher, silent
from pilotlight.manifest import NAME
from pilotlight.record.run import Run
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.alike import shape_of
from pilotlight.train.compute import like
from pilotlight.train.hardware import threads
from pilotlight.train.loop import train
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan
from pilotlight.train.seat import Seat
from pilotlight.train.stack import Stack
from pilotlight.train.stop import stop_signals


@final
class Member(NamedTuple):
    """One of the trainings: what ``train`` is given for it."""

    plan: Plan
    tokens: Tokens
    out: Path
    watch: Watcher = silent


def train_together(
    members: Sequence[Member | None], machine: Machine, *, watch: Watcher = silent, checkpoint_seconds: float = 30.0
) -> list[Run | BaseException | None]:
    """Return, for each member, its finished run or what ended it; None for None, a slot that is to stay empty.

    Each result equals that of ``train`` within rounding. It depends on its own plan, its slot and the number of slots
    (``together`` of its ``machine.json``), not on the other members: killed and started again with the same slots, some
    empty by now, it is the same bit for bit on a CPU. Models that cannot be computed together (those of recurrent cells
    and of experts) are trained one after another, and ``watch`` is told.

    Raises:
        ConfigError: the members are not of one shape, or the machine cannot be had.
    """
    there = [member for member in members if member is not None]
    if not there:
        return [None] * len(members)
    resolved = machine.resolve()
    _check_alike(there, resolved.device)
    with threads(int(resolved.threads)), stop_signals() as stopping:
        stack = None
        if len(members) > 1 and not all((member.out / NAME).is_file() for member in there):
            stack = _stack(there[0], resolved, len(members), watch)
        if stack is None:
            return [_alone(member, machine, checkpoint_seconds, stopping) for member in members]
        found: list[Run | BaseException | None] = []
        for first in range(0, len(members), stack.slots):
            part = members[first : first + stack.slots]
            found += _side_by_side(part, stack, resolved, checkpoint_seconds)
        return found


def _check_alike(members: Sequence[Member], device: str) -> None:
    shapes = {shape_of(member.plan.resolved(device), member.tokens.vocabulary) for member in members}
    if len(shapes) > 1:
        raise ConfigError(f"{len(members)} trainings of {len(shapes)} shapes cannot be computed together; expected the same "
                          "model, rows, context, precision, objective and vocabulary for all of them.")  # fmt: skip


def _stack(member: Member, machine: Machine, slots: int, watch: Watcher) -> Stack | None:
    """Return a stack of ``slots`` models, of fewer if they do not fit; None where there can be none."""
    plan, vocabulary = member.plan.resolved(machine.device), member.tokens.vocabulary
    rows = min(machine.rows_at_once or plan.train.rows, plan.train.rows)
    while slots > 1:
        try:
            return _warm(Stack(plan, machine, vocabulary, slots), plan, machine, rows, watch)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            watch(
                Note(
                    f"{slots} trainings do not fit into the memory of {machine.device} together; {slots // 2} are tried"
                )
            )
            slots //= 2
        except (RuntimeError, ValueError) as error:  # what torch.vmap says of what it cannot do
            reason = str(error).strip().partition("\n")[0]
            watch(
                Note(f"models of this kind cannot be computed together ({reason}); they are trained one after another")
            )
            return None
    return None


def _warm(stack: Stack, plan: Plan, machine: Machine, rows: int, watch: Watcher) -> Stack:
    """Return the stack after its first answers, compiled where the machine asks for it and can."""
    asked = like(plan, rows, stack.ids, machine.device)
    if not machine.compile:
        stack.warm_up(*asked)
        return stack
    try:
        stack.compile()
        stack.warm_up(*asked)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever stops a compiler is no reason to stop a training
        stack.plain()
        stack.warm_up(*asked)
        watch(Note(f"this machine cannot compile the models together ({type(error).__name__}); they run uncompiled, "
                   "slower. Install a C++ compiler, or set machine.compile to false.", "warning"))  # fmt: skip
    return stack


def _alone(
    member: Member | None, machine: Machine, checkpoint_seconds: float, stopping: Callable[[], bool]
) -> Run | BaseException | None:
    if member is None:
        return None
    if stopping():
        return RunError(f"{member.out}: not trained, because a stop was asked for; run again to go on.")
    try:
        return train(
            member.plan, machine, member.tokens, member.out, watch=member.watch, checkpoint_seconds=checkpoint_seconds
        )
    except Exception as error:
        return error


def _side_by_side(
    members: Sequence[Member | None], stack: Stack, machine: Machine, seconds: float
) -> list[Run | BaseException | None]:
    """Return what came of members that fill the slots of a stack, or fewer of them."""
    machine = machine.model_copy(update={"together": stack.slots})

    def seat_of(slot: int, member: Member) -> Seat:
        def work() -> Run:
            return train(
                member.plan, machine, member.tokens, member.out, watch=member.watch, checkpoint_seconds=seconds
            )

        return Seat(slot, work)

    seats = [seat_of(slot, member) for slot, member in enumerate(members) if member is not None]
    try:
        for seat in seats:
            seat.proceed()
        while asking := {seat: seat.question for seat in seats if seat.question is not None}:
            _answer(stack, {seat.slot: seat for seat in asking})
    finally:
        for seat in seats:
            seat.dismiss()
    by_slot = {seat.slot: seat.result for seat in seats}
    return [by_slot.get(slot) for slot in range(len(members))]  # pyright: ignore[reportReturnType]


def _answer(stack: Stack, seats: dict[int, Seat]) -> None:
    try:
        answers = stack.answer({slot: seat.question for slot, seat in seats.items() if seat.question is not None})
    except Exception as error:
        for seat in seats.values():
            seat.proceed(error)
        return
    for slot, seat in seats.items():
        seat.proceed(answers[slot])
