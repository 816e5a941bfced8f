"""Sections of bench/RESULTS.md: what was measured, on which machine, of which commit, with which versions."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

RESULTS = Path(__file__).parent / "RESULTS.md"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, cwd=RESULTS.parent, check=False)
    return done.stdout.strip() if not done.returncode else ""


def commit() -> str:
    """Return the short name of the commit, and whether files differ from it (results aside)."""
    changed = [line for line in _git("status", "--porcelain").splitlines() if not line.endswith("bench/RESULTS.md")]
    return (_git("rev-parse", "--short", "HEAD") or "none") + (" with uncommitted changes" if changed else "")


def machine() -> str:
    """Return the processor, its cores and the memory in words."""
    name = platform.processor() or platform.machine()
    told = Path("/proc/cpuinfo")
    if told.is_file() and (found := re.search(r"^model name\s*:\s*(.+)$", told.read_text(), flags=re.MULTILINE)):
        name = found[1]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores ({name}), {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}"


def versions(names: Sequence[str]) -> str:
    """Return the versions of installed distributions; what is not installed is left out."""
    found = [f"Python {platform.python_version()}"]
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def facts(names: Sequence[str], load: Sequence[float]) -> str:
    """Return the line that a section begins with; ``load`` are load averages noted while it was measured."""
    loads = f"load average {min(load):.1f} to {max(load):.1f}"
    return f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}; {machine()}, {loads}; {versions(names)}."


def write_section(title: str, text: Sequence[str], page: Path = RESULTS) -> None:
    """Put ``text`` into the page, in place of what stood there under ``title``."""
    block = "\n".join([f"## {title}", "", *text, ""])
    whole = page.read_text(encoding="utf-8") if page.exists() else "# Measurements\n"
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", flags=re.MULTILINE | re.DOTALL)
    whole = old.sub(lambda _: block + "\n", whole) if old.search(whole) else whole.rstrip() + "\n\n" + block
    page.write_text(whole.rstrip() + "\n", encoding="utf-8")
