"""Names of hosts in running text: where they end beside scripts that put no blank between words."""

from __future__ import annotations

import re
from typing import Final

_MARKED: Final = "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f\u1e00-\u1eff"
LATIN: Final = "".join(
    chr(code)
    for first, last in ((0xC0, 0x24F), (0x300, 0x36F), (0x1E00, 0x1EFF))
    for code in range(first, last + 1)
    if code not in (0xD7, 0xF7)
)
"""Latin letters beyond ASCII, and the marks that are put on letters."""
_LETTER: Final = rf"[0-9A-Za-z{_MARKED}]"
_LABEL: Final = rf"{_LETTER}(?:[0-9A-Za-z_{_MARKED}-]{{0,61}}{_LETTER})?\."
DOMAIN: Final = re.compile(rf"(?:{_LABEL}){{1,8}}([A-Za-z]{{2,18}}|xn--[A-Za-z0-9-]{{2,40}})(?![0-9A-Za-z_{_MARKED}])")
"""A host in Latin letters; its ending is the group. Letters of other scripts behind it are none of it."""

# The letters of a script, the endings given out in it (IANA root zone), and whether its words are set apart by blanks.
_SCRIPTS: Final = (
    ("\u0400-\u052f", "рф рус бел укр срб мкд мон бг қаз ею москва дети онлайн сайт орг ком католик", True),
    ("\u0370-\u03ff\u1f00-\u1fff", "ελ ευ", True),
    ("\u0530-\u058f", "հայ", True),
    ("\u10a0-\u10ff", "გე", False),
    ("\u0590-\u05ff", "ישראל קום", True),
    ("\u0600-\u06ff", "مصر السعودية امارات ایران الجزائر المغرب الاردن فلسطين قطر تونس سورية عراق عمان شبكة موقع پاکستان", True),
    ("\u0900-\u097f", "भारत संगठन नेट कॉम", True),
    ("\u0980-\u09ff", "বাংলা ভারত", True),
    ("\u0b80-\u0bff", "இந்தியா இலங்கை", True),
    ("\u0e00-\u0e7f", "ไทย คอม", False),
    ("\uac00-\ud7a3", "한국 삼성 닷컴 닷넷", False),
    (
        "\u3040-\u30ff\u3400-\u9fff",
        "中国 中國 香港 台灣 台湾 新加坡 澳门 澳門 公司 网络 網絡 网址 网站 在线 中文网 商城 集团 政务 公益 みんな コム",
        False,
    ),
)  # fmt: skip


def _foreign(letters: str, endings: str, apart: bool) -> str:
    """Return the form of a host of one script: known endings, or the oldest of the Latin ones."""
    known = "|".join(sorted(endings.split(), key=lambda ending: (-len(ending), ending)))
    after = rf"(?![0-9{letters}_])" if apart else ""
    labels = rf"(?:[0-9{letters}](?:[0-9{letters}-]{{0,61}}[0-9{letters}])?\.){{1,6}}"
    return rf"{labels}(?:(?:{known}){after}|(?:com|net|org|ru)(?![0-9A-Za-z_]))"


FOREIGN_DOMAIN: Final = re.compile(
    r"(?:[0-9A-Za-z-]{1,63}\.){0,3}(?:" + "|".join(_foreign(*script) for script in _SCRIPTS) + ")"
)
"""A host in one other script (RFC 5890), which may begin with Latin labels, such as почта.рф."""
