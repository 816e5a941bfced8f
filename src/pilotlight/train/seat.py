"""The place of one training among several that are computed together.

Every training is an ordinary one in a thread of its own, but only one thread runs at a time: a training runs until it asks
for losses, then the next one runs. When all of them have asked, all questions are answered at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, NamedTuple, final

import torch
from torch import nn

from pilotlight.train.asked import Asked

if TYPE_CHECKING:
    from jaxtyping import Float32

_PATIENCE = 5.0  # seconds that a training gets to tidy up when all are abandoned


@final
class Question(NamedTuple):
    """What one training asks for."""

    parameters: Mapping[str, torch.Tensor]
    asked: Asked
    scale: Float32[torch.Tensor, "rows context"] | None
    """The gradient wanted is that of the sum of nats times ``scale``; None: no gradient is wanted."""


@final
class Reply(NamedTuple):
    """Float32 nats [rows context], and the gradient of each parameter that has one."""

    nats: torch.Tensor
    gradients: Mapping[str, torch.Tensor]


@final
class Dismissed(BaseException):
    """What ends a training whose stack is given up; no fallback for ordinary errors catches it."""


@final
class Seat:
    """One training in its thread, and the way its questions and their answers go."""

    def __init__(self, slot: int, work: Callable[[], object]) -> None:
        self.slot = slot
        self.question: Question | None = None
        """What is asked now; None before the first question and after the end."""
        self.result: object = None
        """What ``work`` returned, or the exception that ended it."""
        self._work = work
        self._answer: Reply | BaseException | None = None
        self._turn, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._dismissed = False
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), daemon=True)

    def proceed(self, answer: Reply | BaseException | None = None) -> None:
        """Let the training run with what it asked for, or an error to raise, until it asks again or ends."""
        self._answer = answer
        if not self._thread.is_alive():
            self._thread.start()
        self._turn.release()
        self._back.acquire()

    def dismiss(self) -> None:
        """End the training if it is still under way."""
        self._dismissed = True
        self._turn.release()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def losses(self, model: nn.Module) -> SeatLosses:
        """Return the losses of ``model`` as this training asks for them."""
        return SeatLosses(self, model)

    def ask(self, question: Question) -> Reply:
        """Return the answer, when all other trainings have asked too."""
        self.question = question
        self._back.release()
        self._turn.acquire()
        self.question = None
        answer, self._answer = self._answer, None
        if self._dismissed or answer is None:
            raise Dismissed
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _run(self) -> None:
        self._turn.acquire()
        _HERE.set(self)
        try:
            if not self._dismissed:
                self.result = self._work()
        except BaseException as error:
            self.result = error
        finally:
            self.question = None
            self._back.release()


_HERE: ContextVar[Seat | None] = ContextVar("seat", default=None)


def here() -> Seat | None:
    """Return the seat of the training that is running in this thread; None where it is trained by itself."""
    return _HERE.get()


@final
class SeatLosses:
    """The losses of one model, computed with those of others; its gradients come from ``pull`` alone."""

    def __init__(self, seat: Seat, model: nn.Module) -> None:
        self._seat = seat
        self._parameters = dict(model.named_parameters())

    def __call__(self, asked: Asked) -> torch.Tensor:
        """Return the float32 nats of what is asked, [rows context], without gradient."""
        return self._seat.ask(Question(self._parameters, asked, None)).nats

    def pull(self, asked: Asked, weights: torch.Tensor | None, total: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the sum of nats times weights over ``total``, and the products; its gradient is added to the model's."""
        targets = asked.targets
        scale = torch.full(targets.shape, 1 / total, device=targets.device) if weights is None else weights / total
        nats, gradients = self._seat.ask(Question(self._parameters, asked, scale))
        for name, gradient in gradients.items():
            parameter = self._parameters[name]
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        return (nats * scale).sum(), nats if weights is None else nats * weights
