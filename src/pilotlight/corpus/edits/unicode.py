"""Unicode in one form: composed accents, plain line ends, no control characters, broken encodings mended."""

from __future__ import annotations

import re
import unicodedata
from typing import ClassVar, final

from pilotlight.corpus.edit import Edit

# Everything below a space but tab, line feed and form feed; delete; C1 controls; byte-order mark.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")
# The same in UTF-8, where bytes are counted and searched many times faster than characters.
_PLAIN_CONTROLS = bytes([*range(9), 0x0B, *range(0x0E, 0x20), 0x7F])
_OTHER_CONTROLS = re.compile(b"\xc2[\x80-\x84\x86-\x9f]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What UTF-8 looks like when it was read as Latin-1 or Windows-1252: a lead byte, then what a trail byte became.
_SUSPICIOUS = re.compile("[\xc2-\xf4][\x80-\xbf\u0152-\u0178\u02c6\u02dc\u2013-\u2122\u20ac]")
_PERHAPS_SUSPICIOUS = re.compile(b"\xc3[\x82-\xb4][\xc2\xc5\xcb\xe2]")


@final
class Unicode(Edit):
    """NFC, line feeds only, no control characters; with ``mend``, lines of broken encoding repaired by ftfy.

    Typographic quotes, ligatures and full-width letters stay as they are: they are text, not damage.
    """

    examples: ClassVar[tuple[tuple[str, str], ...]] = (
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("cafe\u0301 and Zu\u0308rich", "caf\xe9 and Z\xfcrich"),
        ("\ufeffThe law\x00 is the law\x07.", "The law is the law."),
        ("La funciÃ³n de la administraciÃ³n", "La función de la administración"),
        ("“Quoted” — l’ordre del dia, ﬁle, ＡＢＣ", "“Quoted” — l’ordre del dia, ﬁle, ＡＢＣ"),
        ("def f(x):\n\treturn '\\x00'\f\n", "def f(x):\n\treturn '\\x00'\f\n"),
    )

    mend: bool = True
    """Repair lines whose encoding was misread (such as ``funciÃ³n``)."""

    def edit(self, text: str) -> str:
        """Return the text in one form of Unicode."""
        once = self._edited(text)
        while self.mend and once != text and _SUSPICIOUS.search(once):
            # What stood between two halves of a broken letter may just have gone; every repair shortens the text.
            text, once = once, self._edited(once)
        return once

    def _edited(self, text: str) -> str:
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if text.isascii():
            plain = text.encode("ascii")
            clean = plain.translate(None, _PLAIN_CONTROLS)
            return text if len(clean) == len(plain) else clean.decode("ascii")
        text = text.replace("\x85", "\n")
        data = text.encode("utf-8", "surrogatepass")
        if self.mend and _PERHAPS_SUSPICIOUS.search(data) and _SUSPICIOUS.search(text):
            text = "\n".join(self._mended(line) if _SUSPICIOUS.search(line) else line for line in text.split("\n"))
            data = text.encode("utf-8", "surrogatepass")
        if (
            len(data.translate(None, _PLAIN_CONTROLS)) < len(data)
            or _BYTE_ORDER_MARK in data
            or _OTHER_CONTROLS.search(data)
        ):
            text = _CONTROLS.sub("", text)
        return unicodedata.normalize("NFC", text)

    @staticmethod
    def _mended(line: str) -> str:
        from ftfy import fix_encoding
        from ftfy.badness import is_bad

        if not is_bad(line):
            return line
        return fix_encoding(line).replace("\r\n", "\n").replace("\r", "\n")
