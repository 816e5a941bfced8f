"""Asking a training to stop: it saves a checkpoint first."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType

_OUTER: ContextVar[Callable[[], bool] | None] = ContextVar("stopping", default=None)
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


@contextlib.contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether SIGTERM or SIGINT came; a second SIGINT interrupts at once.

    Handlers that somebody else installed stay: whoever runs this training as a part of something larger decides.
    Outside the main thread, where Python allows no handlers, nothing is caught. Inside another such block, and in threads
    that were started with its context, it is the other one's function.
    """
    if (outer := _OUTER.get()) is not None:
        yield outer
        return
    came: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        del frame
        if came and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.append(number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) in _DEFAULTS:
                before[number] = signal.signal(number, remember)
    token = _OUTER.set(lambda: bool(came))
    try:
        yield lambda: bool(came)
    finally:
        _OUTER.reset(token)
        for number, handler in before.items():
            signal.signal(number, handler)
