"""The script of a text, and the languages that a script settles by itself."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

# First and last sixteenth-row of each range: a character's row is its number without the last hexadecimal digit.
_RANGES = (
    "latin 004-007 00c-024 1e0-1ef", "greek 037-03f 1f0-1ff", "cyrillic 040-052 1c8-1c8 2de-2df a64-a69",
    "armenian 053-058", "hebrew 059-05f", "arabic 060-06f 075-077 08a-08f fb5-fdf fe7-fef", "syriac 070-074",
    "thaana 078-07b", "nko 07c-07f", "devanagari 090-097 a8e-a8f", "bengali 098-09f", "gurmukhi 0a0-0a7",
    "gujarati 0a8-0af", "oriya 0b0-0b7", "tamil 0b8-0bf", "telugu 0c0-0c7", "kannada 0c8-0cf", "malayalam 0d0-0d7",
    "sinhala 0d8-0df", "thai 0e0-0e7", "lao 0e8-0ef", "tibetan 0f0-0ff", "myanmar 100-109", "georgian 10a-10f 1c9-1cb",
    "hangul 110-11f 313-318 ac0-d7f", "ethiopic 120-139 2d8-2dd", "cherokee 13a-13f ab7-abb", "canadian 140-167 18b-18f",
    "baybayin 170-171", "khmer 178-17f", "mongolian 180-18a", "lontara 1a0-1a1", "balinese 1b0-1b7", "sundanese 1b8-1bb",
    "ol_chiki 1c5-1c7", "coptic 2c8-2cf", "tifinagh 2d3-2d7", "kana 304-30f 31f-31f ff6-ff9", "han 340-9ff f90-faf",
    "yi a00-a4c", "vai a50-a63", "bamum a6a-a6f", "javanese a98-a9d", "meetei aae-aaf abc-abf", "gothic 1033-1034",
    "adlam 1e90-1e95", "chakma 1110-1114",
)  # fmt: skip
_ALONE = {
    "greek": "el", "armenian": "hy", "syriac": "syr", "thaana": "dv", "nko": "nqo", "gurmukhi": "pa", "gujarati": "gu",
    "oriya": "or", "tamil": "ta", "telugu": "te", "kannada": "kn", "malayalam": "ml", "sinhala": "si", "thai": "th",
    "lao": "lo", "hangul": "ko", "cherokee": "chr", "baybayin": "tl", "khmer": "km", "mongolian": "mn",
    "lontara": "bug", "balinese": "ban", "sundanese": "su", "ol_chiki": "sat", "coptic": "cop", "tifinagh": "zgh",
    "kana": "ja", "yi": "ii", "vai": "vai", "bamum": "bax", "javanese": "jv", "meetei": "mni", "gothic": "got",
    "adlam": "ff", "chakma": "ccp",
}  # fmt: skip
_PICKED = 32  # characters looked at
_KANA = re.compile("[\u3041-\u30fa]")
_CANTONESE = re.compile("[嘅咗喺嘢佢哋冇啲咁嚟]")
_ASSAMESE = re.compile("[ৰৱ]")
_MINGRELIAN = re.compile("[ჷჸ]")
_SHAN = re.compile("[\u1075-\u108d]")
_INUKTITUT = re.compile("[ᖃᖅᖏᖑᖓᕿᖁᓪᖕ]")


@cache
def _rows() -> dict[int, str]:
    found: dict[int, str] = {}
    for line in _RANGES:
        script, *spans = line.split()
        for span in spans:
            first, last = (int(bound, 16) for bound in span.split("-"))
            found |= dict.fromkeys(range(first, last + 1), script)
    return found


def main_script(text: str) -> tuple[str, float]:
    """Return the script of most of the letters, and its share of them; ``""`` and 0 where there is no letter.

    At most some thirty characters, evenly spread, are looked at. Kana and Chinese characters together are ``kana``.
    """
    if text.isascii():
        return ("latin", 1.0) if text.upper() != text.lower() else ("", 0.0)
    script_of = _rows().get
    counts = Counter([script_of(ord(one) >> 4) for one in text[:: len(text) // _PICKED + 1] if one.isalpha()])
    counts.pop(None, None)
    if not counts:
        return "", 0.0
    total = counts.total()
    if counts["kana"] * 10 >= counts["han"]:
        counts["kana"] += counts.pop("han", 0) if counts["kana"] else 0
    script = max(sorted(counts, key=str), key=counts.__getitem__)
    if script == "han" and _KANA.search(text):
        script = "kana" if len(_KANA.findall(text)) * 20 >= len(text) else "han"
    return str(script), counts["han" if script == "kana" and "kana" not in counts else script] / total


def language_of_script(script: str, text: str) -> str | None:
    """Return the language that ``text``, mostly in ``script``, is in; None where that takes more than its letters.

    Where two languages share a script, letters and particles that only one of them writes decide.
    """
    if (alone := _ALONE.get(script)) is not None:
        return alone
    if script == "han":
        return "yue" if len(_CANTONESE.findall(text)) * 50 >= len(text) else "zh"
    if script == "ethiopic":
        return "ti" if text.count("ኣ") > text.count("አ") else "am"
    if script == "tibetan":
        return "dz" if text.count("ཚུ་") * 60 >= len(text) else "bo"
    if script == "myanmar":
        return "shn" if len(_SHAN.findall(text)) * 20 >= len(text) else "my"
    if script == "canadian":
        return "iu" if len(_INUKTITUT.findall(text)) * 25 >= len(text) else "cr"
    if script == "georgian":
        return "xmf" if _MINGRELIAN.search(text) else "ka"
    return "as" if script == "bengali" and _ASSAMESE.search(text) else None
