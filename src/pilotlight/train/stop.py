"""Asking a training to stop: it saves a checkpoint first."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


@contextlib.contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether SIGTERM or SIGINT came; a second SIGINT interrupts at once.

    Handlers that somebody else installed stay: whoever runs this training as a part of something larger decides.
    Outside the main thread, where Python allows no handlers, nothing is caught.
    """
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
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
