"""How one unit is done, in a worker or in the process that asks."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

from pilotlight.errors import PilotlightError
from pilotlight.events import Watcher
from pilotlight.work.message import plain_result


@final
class Terminated(SystemExit):
    """The request that this process end; passes through a unit so that its ``finally`` blocks run."""


def perform(key: str, call: str, arguments: dict[str, Any], watch: Watcher, logs: Path | None) -> dict[str, Any]:
    """Return ``{"finished": result}`` or ``{"failed": sentence, "error_class": ..., "traceback": path}``.

    The traceback of an exception that is no ``PilotlightError`` is written below ``logs`` (None: a temporary
    folder of this process). Lets through only what ends the process.
    """
    try:
        return {"finished": plain_result(find(call)(arguments, watch))}
    except Terminated:
        raise
    except PilotlightError as error:
        return {"failed": _one_line(str(error)), "error_class": type(error).__name__, "traceback": ""}
    except (Exception, SystemExit) as error:
        sentence = _one_line("".join(traceback.format_exception_only(error)))
        path = _keep_traceback(key, logs, error)
        return {"failed": sentence, "error_class": type(error).__name__, "traceback": path}


def find(call: str) -> Callable[..., Any]:
    """Return the function that ``"module:function"`` names."""
    module, _, function = call.partition(":")
    return getattr(importlib.import_module(module), function)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:2000]


def _keep_traceback(key: str, logs: Path | None, error: BaseException) -> str:
    folder = logs if logs is not None else Path(tempfile.gettempdir()) / f"pilotlight-{os.getpid()}"
    name = re.sub(r"[^\w.=-]", "_", key)[:150]
    path = folder / f"{name}.traceback.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="backslashreplace")
    except OSError:
        return ""  # a full disk must not hide the error itself
    return str(path)
