"""Talk for people: progress with time left on standard error, results on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

_EVERY_SECONDS = 10.0  # off a terminal: one line in ten seconds a task, never a scroll
_ON_TERMINAL_SECONDS = 0.2


def clean(text: str) -> str:
    """Return ``text`` without control characters, so that no corpus or name can steer a terminal."""
    return "".join(mark if mark.isprintable() or mark in "\n\t" else "\ufffd" for mark in text)


class Talk:
    """Says what happens. ``quiet`` silences progress and notes, ``json`` also tables: standard output is then JSON."""

    def __init__(self, quiet: bool = False, json: bool = False) -> None:
        self.quiet = quiet or json
        self.json = json
        self._started: dict[str, tuple[float, float]] = {}
        self._last: dict[str, float] = {}
        self._on_line = False

    def watch(self, event: Any) -> None:
        """Tell an event: a progress line with the time left, a note, or nothing."""
        if self.quiet and getattr(event, "level", "info") != "warning":
            return
        if hasattr(event, "task") and hasattr(event, "done"):
            self._progress(event)
        elif hasattr(event, "text"):
            prefix = "warning: " if getattr(event, "level", "info") == "warning" else ""
            self._line(prefix + clean(event.text))

    def _progress(self, event: Any) -> None:
        now = time.monotonic()
        begun, first = self._started.setdefault(event.task, (now, event.done))
        over = event.total is not None and event.done >= event.total
        terminal = sys.stderr.isatty()
        pause = _ON_TERMINAL_SECONDS if terminal else _EVERY_SECONDS
        if not terminal and not over and event.done == 0:
            return  # what is done at once is told once
        if not over and now - self._last.get(event.task, float("-inf")) < pause:
            return
        self._last[event.task] = now
        from pilotlight.units import show_count, show_seconds

        text = f"{event.task}: {show_count(event.done)}"
        if event.total is not None:
            text += f"/{show_count(event.total)}"
        text += f" {event.unit}".rstrip()
        if not over and event.total is not None and event.done > first and now - begun > 2:
            left = (event.total - event.done) * (now - begun) / (event.done - first)
            text += f", about {show_seconds(left)} left"
        if event.note:
            text += f" ({clean(event.note)})"
        if over:
            self._started.pop(event.task, None)
            self._last.pop(event.task, None)
        if terminal and not over:
            sys.stderr.write(f"\r\x1b[2K{text[:150]}")
            self._on_line = True
            sys.stderr.flush()
        else:
            self._line(text)

    def _line(self, text: str) -> None:
        if self._on_line:
            sys.stderr.write("\r\x1b[2K")
            self._on_line = False
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """Print a sentence on standard output, unless JSON was asked for."""
        if self._on_line:
            self._line("")
        if not self.json:
            print(clean(text))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print a table on standard output, unless JSON was asked for."""
        if self.json:
            return
        if self._on_line:
            self._line("")
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(clean(title)), title_justify="left", title_style="bold", expand=False)
        for column in columns:
            table.add_column(Text(clean(column)), overflow="fold")
        for row in rows:
            table.add_row(*(Text(clean(str(cell))) for cell in row))
        width = None if sys.stdout.isatty() else 120
        Console(width=width, highlight=False).print(table)

    def data(self, value: Any) -> None:
        """Print ``value`` as JSON on standard output when JSON was asked for."""
        if self.json:
            from pilotlight.spec import plain

            print(json.dumps(plain(value), indent=1, ensure_ascii=False))
