"""One code per language: ISO 639-1 where there is one, else ISO 639-3, and the members of macrolanguages under one."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pilotlight.errors import ConfigError, nearest

UNKNOWN = "und"
"""What stands for a text in no language, or in one that cannot be told."""


@cache
def _table() -> tuple[dict[str, str], dict[str, str]]:
    """Return the code of every known spelling, and the English name of every code."""
    codes: dict[str, str] = {}
    names: dict[str, str] = {}
    text = (files("pilotlight.corpus.languages") / "languages.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        code, others, name = line.split("|")
        names[code] = name
        codes |= dict.fromkeys((code, *others.split()), code)
    return codes, names


def known_codes() -> tuple[str, ...]:
    """Return the codes of all languages with a name, in order."""
    return tuple(sorted(_table()[1]))


def language_code(code: str) -> str:
    """Return the one code for a language given by any ISO 639 code: ``eng`` and ``en-GB`` are ``en``, ``arb`` is ``ar``.

    A code of which nothing is known comes back as it is.
    """
    plain = code.strip().replace("_", "-").partition("-")[0].lower()
    return _table()[0].get(plain, plain)


def language_name(code: str) -> str:
    """Return the English name of a language; the code itself where it has none here."""
    return _table()[1].get(language_code(code), code)


def checked_code(code: str) -> str:
    """Return the one code for a language that a user names.

    Raises:
        ConfigError: no such language is known.
    """
    found = language_code(code)
    names = _table()[1]
    if found in names:
        return found
    by_name = {name.lower(): key for key, name in names.items()}
    if (named := by_name.get(code.strip().lower())) is not None:
        return named
    raise ConfigError(
        f"language {code!r} is not known; expected an ISO 639 code such as en, ca or ceb."
        f"{nearest(code.strip().lower(), [*by_name, *names])}"
    )
