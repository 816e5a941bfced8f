"""How counts, shares, durations and bytes are read from a plan and shown to people."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_MULTIPLES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_SECONDS = {"s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NUMBER = r"([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)"


def _positive(value: float, text: object) -> float:
    if not 0 <= value < float("inf"):
        raise ValueError(f"{text!r} is not a finite number of at least 0")
    return value


def read_count(text: str | float) -> float:
    """Return a count from a number or text such as ``124M``, ``2.5B`` or ``64k``.

    Raises:
        ValueError: the text is no number with one of the suffixes k, M, B, T.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _positive(float(text), text)
    match = re.fullmatch(_NUMBER + r"\s*([kKmMbBgGtT]?)", str(text).strip().replace("_", ""))
    if not match:
        raise ValueError(f"{text!r} is not a count; write a number such as 124M, 2.5B or 64k")
    return _positive(float(match[1]) * _MULTIPLES[match[2].lower()], text)


def read_seconds(text: str | float) -> float:
    """Return seconds from a number or text such as ``1 h``, ``90 s``, ``2 min`` or ``3 d``.

    Raises:
        ValueError: the text is no number with one of the suffixes s, min, h, d, w.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _positive(float(text), text)
    parts = re.findall(_NUMBER + r"\s*([a-zA-Z]+)", str(text))
    whole = "".join(number + unit for number, unit in parts)
    if not parts or whole != re.sub(r"\s+", "", str(text)) or any(unit not in _SECONDS for _, unit in parts):
        raise ValueError(f"{text!r} is not a duration; write a number and a unit such as 90 s, 10 min, 1 h or 3 d")
    return _positive(sum(float(number) * _SECONDS[unit] for number, unit in parts), text)


def read_share(text: str | float) -> float:
    """Return a share between 0 and 1 from a number or text such as ``0.5%``.

    Raises:
        ValueError: the value is no number or lies outside 0 to 1.
    """
    hint = f"{text!r} is not a share; write 0.5% or 0.005"
    if isinstance(text, bool) or not isinstance(text, int | float):
        match = re.fullmatch(_NUMBER + r"\s*(%?)", str(text).strip())
        if not match:
            raise ValueError(hint)
        text = float(match[1]) / (100.0 if match[2] else 1.0)
    if not 0.0 <= text <= 1.0:
        raise ValueError(f"{hint}; it has to lie between 0 and 1")
    return float(text)


def read_money(text: Any) -> float:
    """Return US dollars from a number or text such as ``300 USD``.

    Raises:
        ValueError: the text is no number, or names another currency.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _positive(float(text), text)
    match = re.fullmatch(_NUMBER + r"\s*(k?)\s*(?:USD|\$)?", str(text).strip().lstrip("$"), flags=re.IGNORECASE)
    if not match:
        raise ValueError(f"{text!r} is not an amount of money; write US dollars such as 300 USD")
    return _positive(float(match[1]) * (1e3 if match[2] else 1.0), text)


Count = Annotated[float, BeforeValidator(read_count, json_schema_input_type=str | float)]
Seconds = Annotated[float, BeforeValidator(read_seconds, json_schema_input_type=str | float)]
Share = Annotated[float, BeforeValidator(read_share, json_schema_input_type=str | float)]
Money = Annotated[float, BeforeValidator(read_money, json_schema_input_type=str | float)]


def show_count(value: float) -> str:
    """Return a count with three digits and a suffix, such as ``1.24M``."""
    for size, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.3g}"


def show_seconds(seconds: float) -> str:
    """Return a duration in its two largest units, such as ``1 h 12 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, small, small_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = (whole % size) // small
            return f"{whole // size} {unit}" + (f" {rest} {small_unit}" if rest else "")
    return f"{whole} s"


def show_bytes(value: float) -> str:
    """Return a number of bytes in decimal units, such as ``12.1 MB``."""
    for size, suffix in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= 0.9995 * size:  # what rounds to 1000 of the smaller unit is 1 of this
            return f"{value / size:.3g} {suffix}"
    return f"{value:.0f} B"


def show_share(value: float, digits: int = 2) -> str:
    """Return a share in percent, such as ``0.50 %``."""
    return f"{100 * value:.{digits}f} %"


def show_chance(value: float) -> str:
    """Return a probability in whole percent, never as a certainty: ``> 99 %`` and ``< 1 %`` at the ends."""
    return "> 99 %" if value > 0.99 else "< 1 %" if value < 0.01 else show_share(value, 0)
