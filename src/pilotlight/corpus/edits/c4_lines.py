"""Lines of web pages that are not prose: notices about cookies and scripts, labels, citation marks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal, final

from pydantic import Field

from pilotlight.corpus.edit import Edit, Scope
from pilotlight.corpus.view import Values, View

if TYPE_CHECKING:
    from pilotlight.corpus.words import Words

_CITATION = re.compile(r" ?\[(?:\d{1,3}|edit|citation needed)\]")
_NOTICES = (
    "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
    "accept cookies", "política de cookies", "política de privacidad", "usa cookies", "utiliza cookies",
    "uso de cookies", "aviso legal", "política de privadesa", "política de galetes", "utilitza galetes",
    "politique de confidentialité", "utilise des cookies", "gestion des cookies", "mentions légales",
    "datenschutzerklärung", "verwendet cookies", "cookie-richtlinie", "política de privacidade",
    "utiliza cookies", "informativa sulla privacy", "utilizza i cookie", "privacybeleid", "gebruikt cookies",
)  # fmt: skip
_NOTICE_LENGTH = 400  # characters; a longer line is a paragraph that speaks about such things
_SCRIPTS = re.compile(
    r"javascript.{0,60}(?:enabl|disabl|activ|aktiv|turn(?:ed)? o|required|blocked|not support|n't support)"
    r"|(?:enabl|disabl|activ|aktiv|turn(?:ed)? on|requires?|not support|n't support|without).{0,60}javascript"
)
_Suspects = tuple[tuple[str, ...], bool]
"""Notices that may be in a line, and whether JavaScript may be."""
_ALL: _Suspects = (_NOTICES, True)
_PAGE = "The museum reopens in spring. Its garden stays open all winter."


@final
class C4Lines(Edit):
    """Removes lines as C4 did (Raffel et al. 2020, section 2.2): few words, no mark at the end, notices of web pages.

    Only for prose from the web: it would empty poems, tables, lists and dialogue. Every rule can be switched off.
    Whatever it leaves is what the filters behind it see: behind it, ``fineweb`` finds no open lines any more. The
    paper removes every line with the word Javascript; here, by default, those that say that it is needed.
    """

    columns: ClassVar = {
        "lines": "number of lines that are not empty",
        "kept_lines": "how many of them were kept",
        "citations": "number of citation marks that were cut out",
    }
    examples: ClassVar[tuple[tuple[str, str], ...]] = (
        (f"Home\n{_PAGE}\n\nRead more\n\n{_PAGE}\nPlease turn on JavaScript in your browser to see this page.",
         f"{_PAGE}\n\n{_PAGE}"),
        ("The tower is old.[12] It was built by monks [citation needed].", "The tower is old. It was built by monks."),
        (f"{_PAGE}\nThis site uses cookies, see our privacy policy.", _PAGE),
        ("JavaScript is a language that browsers understand.\nMenu | Shop | Contact | Imprint",
         "JavaScript is a language that browsers understand."),
        ("博物馆在春天重新开放。\n首页\n花园整个冬天都开放。", "博物馆在春天重新开放。\n花园整个冬天都开放。"),
        ("And so it went on and on...", ""),
    )  # fmt: skip

    ended: bool = True
    """Remove lines that do not end with a mark of punctuation, or end with an ellipsis."""
    words: int = Field(default=3, ge=0)
    """Fewest words of a line; the last version of the paper says 5, the code that made the published corpus 3."""
    longest_word: int = Field(default=1000, ge=1)
    """Most characters of a word; lines with a longer one are removed, but for scripts without spaces."""
    notices: bool = True
    """Remove lines about cookies, privacy policies and terms of use, in some languages of Europe."""
    javascript: Literal["needed", "any", "keep"] = "needed"
    """Remove lines that say that JavaScript is needed, all lines with the word, or none."""
    citations: bool = True
    """Cut out citation marks such as [12] and [citation needed]."""
    applies_to: Scope = "prose"
    """Which texts the step looks at: by default prose."""

    def edit(self, text: str) -> str:
        """Return the text without the lines."""
        return self._edited(text)[0]

    def edit_view(self, view: View) -> tuple[str, Values]:
        """Return the text without the lines, and what went."""
        return self._edited(view.text)

    def _edited(self, text: str) -> tuple[str, Values]:
        lines: list[str] = []
        full = kept = cut = 0
        gap = False  # lines were removed since the last one that stays
        suspects = self._suspects(text)
        for line in text.split("\n"):
            bare = not line or line.isspace()
            if bare and gap and (not lines or not lines[-1].strip()):
                continue  # the empty lines on both sides of what went become one
            if not bare:
                full += 1
                count = 0
                while self.citations and "[" in line and (found := _CITATION.subn("", line))[1]:
                    line, count = found[0], count + found[1]
                # What is nowhere in the text is in none of its lines, unless a citation mark stood inside it.
                if not self._stays(line.strip(), _ALL if count else suspects):
                    gap = True
                    continue
                kept, cut = kept + 1, cut + count
                gap = False
            lines.append(line)
        while gap and lines and not lines[-1].strip():
            lines.pop()
        return "\n".join(lines), {"lines": full, "kept_lines": kept, "citations": cut}

    def _suspects(self, text: str) -> _Suspects:
        """Return the notices that are somewhere in the text, and whether it speaks of JavaScript."""
        if not self.notices and self.javascript == "keep":
            return (), False
        low = text.lower()
        return tuple(notice for notice in _NOTICES if notice in low), "javascript" in low

    def _stays(self, line: str, suspects: _Suspects) -> bool:
        if self.ended and not _ends(line):
            return False
        if line.count(" ") + 1 < self.words and (line.isascii() or _words(line).count < self.words):
            return False
        if len(line) > self.longest_word and not self._short_words(line):
            return False
        notices, scripts = suspects
        if not notices and not scripts:
            return True
        low = line.lower()
        if self.notices and len(line) < _NOTICE_LENGTH and any(notice in low for notice in notices):
            return False
        if self.javascript == "keep" or not scripts or "javascript" not in low:
            return True
        return self.javascript == "needed" and (len(line) >= _NOTICE_LENGTH or not _SCRIPTS.search(low))

    def _short_words(self, line: str) -> bool:
        longest = max(map(len, line.split()))
        return longest <= self.longest_word or _words(line).unspaced


def _ends(line: str) -> bool:
    from pilotlight.corpus.line_ends import ends_sentence

    return ends_sentence(line) and not line.endswith(("...", "…"))


def _words(line: str) -> Words:
    from pilotlight.corpus.words import words_of

    return words_of(line)
