"""Which language a text is in, and texts in languages that a source should not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast, final

from pydantic import field_validator, model_validator

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.languages.codes import UNKNOWN, checked_code
from pilotlight.corpus.languages.identify import identify
from pilotlight.corpus.view import Values, View
from pilotlight.errors import ConfigError
from pilotlight.units import Share

_ACCEPTED = {"no": ("nn",), "zh": ("yue", "wuu"), "ar": ("arz",), "ku": ("ckb",), "fa": ("mzn",), "sr": ("bs",)}
"""Languages that a list with the first one lets in too: written alike, and hardly told apart in a short text."""


@final
class Language(Filter):
    """Notes the language of every text; with ``allow`` or ``sources``, keeps the languages named there.

    Some 200 languages are told apart by their script, by function words, by fastText's lid.176 and by the profiles of
    Resiliparse, from at most 360 characters. A text in no language (digits, signs) is ``und``.
    """

    columns: ClassVar[Mapping[str, str]] = {
        "language": "ISO 639-1 code of the language where there is one, else ISO 639-3; und: no letters",
        "confidence": "how sure the language is, from 0 to 1",
    }
    facts: ClassVar[tuple[str, ...]] = ("language",)
    keeps: ClassVar[tuple[str, ...]] = (
        "The meeting was moved to Thursday because the hall was not free.",
        "La reunió s'ha traslladat a dijous perquè la sala no estava lliure.",
        "การประชุมเลื่อนไปเป็นวันพฤหัสบดี",
    )
    drops: ClassVar[tuple[str, ...]] = ("12 345 678 90", "----- * * * -----", "")

    applies_to: Scope = "prose"
    """Which texts the step looks at: prose, as a program is in no language."""
    only_annotate: bool = True
    """Note the language and drop nothing; on by default, and off by default as soon as a list is given."""
    allow: tuple[str, ...] = ()
    """Languages that stay, by ISO 639 code or English name, for every source that ``sources`` does not name."""
    sources: dict[str, tuple[str, ...]] = {}
    """Languages that stay, by source; replaces ``allow`` for that source."""
    least: Share = 0.25
    """Least confidence that a text is in an allowed language; below, it is dropped as uncertain."""

    @model_validator(mode="before")
    @classmethod
    def _drops_where_a_list_is_given(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        given = dict(cast("Mapping[str, Any]", data))
        if (given.get("allow") or given.get("sources")) and "only_annotate" not in given:
            given["only_annotate"] = False
        return given

    @field_validator("allow", mode="after")
    @classmethod
    def _known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(checked_code(code) for code in codes)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @field_validator("sources", mode="after")
    @classmethod
    def _all_known(cls, sources: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {name: cls._known(codes) for name, codes in sources.items()}

    def measure(self, view: View) -> Values:
        """Return the language of the text and how sure it is."""
        language, confidence = identify(view.text)
        return {"language": language, "confidence": confidence}

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the language if it is not allowed, not sure enough, or none."""
        language, confidence = str(values["language"]), float(values["confidence"])
        if language == UNKNOWN:
            return "no language: there are no letters"
        allowed = self.sources.get(source, self.allow)
        if not allowed:
            return None
        if language not in allowed and not any(language in _ACCEPTED.get(code, ()) for code in allowed):
            return f"other language: {language} ({confidence:.2f}), allowed {', '.join(allowed)}"
        if confidence < self.least:
            return f"uncertain language: {language} ({confidence:.2f}), less than {self.least:.2f}"
        return None
