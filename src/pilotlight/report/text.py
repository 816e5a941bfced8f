"""How text and numbers are shown: no character that steers a page, no digit that the interval does not carry."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from pilotlight.stats.estimate import Estimate

_ESCAPES = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-_])")
_JOINERS = "\u200c\u200d"  # needed by Persian, Indic scripts and emoji; they cannot reorder text
_SPACES = {"\t": " ", "\r": " ", "\u2028": " ", "\u2029": " ", "\x85": " "}
_MINUS = "\u2212"


def clean(text: str) -> str:
    """Return ``text`` without terminal escapes, control, direction and other invisible characters; newlines stay."""
    if text.isprintable():
        return text
    shown: list[str] = []
    for mark in _ESCAPES.sub("", text):
        if mark in _SPACES:
            shown.append(_SPACES[mark])
        elif mark == "\n" or mark in _JOINERS:
            shown.append(mark)
        elif unicodedata.category(mark) == "Cs":
            shown.append("\ufffd")
        elif unicodedata.category(mark) not in ("Cc", "Cf", "Cn", "Co"):
            shown.append(mark)
    return "".join(shown)


def short(text: str, limit: int = 160) -> str:
    """Return ``text`` on one line, cut to ``limit`` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def digits(width: float) -> int:
    """Return the decimals that show an uncertainty of ``width`` with two figures, between 0 and 6."""
    if not width > 0 or not math.isfinite(width):
        return 3
    return max(0, min(6, 1 - math.floor(math.log10(width))))


def fixed(value: float, decimals: int) -> str:
    """Return a number with so many decimals, thin groups of thousands and a true minus sign."""
    text = f"{value:{',' if abs(value) >= 1e4 else ''}.{decimals}f}".replace(",", "\u2009")
    if text.startswith("-"):
        bare = text[1:]
        return bare if float(bare.replace("\u2009", "")) == 0 else _MINUS + bare
    return text


def number(value: float, figures: int = 4) -> str:
    """Return a number with so many significant figures; large and tiny ones as powers of ten."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    size = math.floor(math.log10(abs(value)))
    if size >= 6 or size < -4:
        front = f"{value / 10.0**size:.{figures}g}".replace("-", _MINUS)
        return f"10{_raised(size)}" if front == "1" else f"{front}·10{_raised(size)}"
    return fixed(value, max(0, figures - 1 - size))


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def percent(value: float, decimals: int = 1) -> str:
    """Return a share in percent."""
    return f"{fixed(100 * value, decimals)}\u202f%"


def effect(value: float, decimals: int = 2) -> str:
    """Return a relative effect in percent, always with its sign."""
    text = fixed(100 * value, decimals)
    sign = "" if text.startswith(_MINUS) or float(text.replace("\u2009", "")) == 0 else "+"
    return f"{sign}{text}\u202f%"


def chance(value: float) -> str:
    """Return a probability in whole percent, never rounded to certainty."""
    if 0 < value < 0.01:
        return "< 1\u202f%"
    if 0.99 < value < 1:
        return "> 99\u202f%"
    return percent(value, 0)


def small_p(value: float) -> str:
    """Return a p-value as it is printed."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def shown(estimate: Estimate) -> tuple[str, str]:
    """Return the value and the interval of an estimate, with the decimals that its width carries."""
    places = digits(estimate.half_width) if estimate.half_width > 0 else _plain_digits(estimate.value)
    value = fixed(estimate.value, places)
    if estimate.low == estimate.high:
        return value, ""
    return value, f"[{fixed(estimate.low, places)}, {fixed(estimate.high, places)}]"


def _plain_digits(value: float) -> int:
    return 3 if value == 0 else max(0, min(6, 3 - math.floor(math.log10(abs(value)))))


def how(estimate: Estimate) -> str:
    """Return how an estimate was obtained: level, number of units, method and cautions."""
    cautions = "".join(f"; caution: {caution}" for caution in estimate.cautions)
    width = f"{100 * estimate.level:g} % interval, " if estimate.low < estimate.high else ""
    return f"{width}n = {estimate.n}, {estimate.method}{cautions}"


def setting(value: Any) -> str:
    """Return a setting on one line as a plan would write it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {setting(item)}" for key, item in value.items()) + "}"  # pyright: ignore
    if isinstance(value, list | tuple):
        return "[" + ", ".join(setting(item) for item in value) + "]"  # pyright: ignore[reportUnknownVariableType]
    return str(value)
