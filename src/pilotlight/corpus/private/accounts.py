"""Numbers of payment: cards, bank accounts (IBAN), wallets of crypto currencies; each has check digits."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from pilotlight.corpus.private.checksums import luhn, mod_97
from pilotlight.corpus.private.passage import DASHES, GAPS, Finding, Passage

_GAP: Final = rf"[{GAPS}{DASHES}]"
_CARD = re.compile(
    r"(?<![0-9A-Za-z.,_/+-])(?<![0-9][ -])(?:[0-9]{12,19}"
    rf"|[2-6][0-9]{{3}}({_GAP})[0-9]{{4}}\1[0-9]{{4}}\1[0-9]{{1,4}}(?:\1[0-9]{{1,3}})?"
    rf"|3[0-9]{{3}}({_GAP})[0-9]{{6}}\2[0-9]{{4,5}}|1800[0-9]{{11}})(?![0-9A-Za-z_]|[.,/:-][0-9])"
)
_CARD_WORDS = re.compile(
    r"\bcards?\b|credit|debit|\bvisa\b|master ?card|\bamex\b|american express|\bcc\b|\bcc ?(?:no|num)|payment"
    r"|tarjeta|targeta"
    r"|carte\b|karte\b|cartão|cartao|carta di|\bpan\b|billing|charge|discover|diners|\bjcb\b|maestro"
)
_NOT_DIGIT = re.compile("[^0-9]+")
# Characters of an IBAN by country, from the registry of SWIFT (ISO 13616).
_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18,
    "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31,
    "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29,
    "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}(?:[ \u00a0-]?[0-9A-Za-z]){11,29}")
_SEPARATORS = re.compile("[ \u00a0-]")
_BASE_58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BITCOIN = re.compile(rf"(?<![0-9A-Za-z_/+=-])[13][{_BASE_58}]{{25,34}}(?![0-9A-Za-z_/+=-])")
_BECH_32 = re.compile(r"(?<![0-9A-Za-z_])(bc|ltc|tb)1([qpzry9x8gf2tvdw0s3jn54khce6mua7l]{38,71})(?![0-9A-Za-z_])")
_ETHER = re.compile(r"0x[0-9a-fA-F]{40}(?![0-9A-Za-z_])")


def _issued(digits: str) -> bool:
    """Return whether an issuer gives out card numbers with this prefix and length (ISO/IEC 7812 ranges)."""
    size, two, three, four = len(digits), int(digits[:2]), int(digits[:3]), int(digits[:4])
    if digits[0] == "4":
        return size in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:  # Mastercard
        return size == 16
    if two in (34, 37):  # American Express
        return size == 15
    if two in (36, 38, 39) or 300 <= three <= 305 or three == 309:  # Diners Club
        return size in (14, 16, 19)
    if 3528 <= four <= 3589:  # JCB
        return size in (16, 19)
    if four in (2131, 1800):  # JCB, of old
        return size == 15
    if four == 6011 or two == 65 or 644 <= three <= 649 or two in (60, 62, 81, 82):  # Discover, RuPay, UnionPay
        return size in (16, 19)
    if two in (50, 56, 57, 58, 63, 67, 69):  # Maestro
        return 12 <= size <= 19
    return 2200 <= four <= 2204 and size in (16, 19)  # Mir


def cards(passage: Passage) -> Iterator[Finding]:
    """Yield numbers of payment cards: prefix and length of an issuer, and the check digit."""
    for first, last in passage.numbers:
        if last - first < 12:
            continue
        for match in _CARD.finditer(passage.text, first, last):
            digits = _NOT_DIGIT.sub("", match[0])
            if not luhn(digits) or len(set(digits)) < 2:
                continue
            # Fourteen digits are rather a time, thirteen a bar code or a time in milliseconds, fewer anything.
            usual = (
                _issued(digits)
                and len(digits) in (15, 16)
                and not digits.startswith(("50", "56", "57", "58", "63", "67", "69"))
            )
            if (usual and _whole(passage, match)) or _CARD_WORDS.search(_near(passage, match)):
                yield Finding(match.start(), match.end(), "payment_card", 85)


def _near(passage: Passage, match: re.Match[str]) -> str:
    return passage.before(match.start(), 60) + " . " + passage.after(match.end(), 24)


def _whole(passage: Passage, match: re.Match[str]) -> bool:
    """Return whether the number is no part of a path, a formula or a list of long numbers."""
    text = passage.text
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    return before not in ("/", "=", "&", "-", "_", "$", "€") or after not in ("/", "&", "_", "-")


def accounts(passage: Passage) -> Iterator[Finding]:
    """Yield IBANs: length of the country, and the check digits; in groups of four or in one piece."""
    text = passage.text
    for first, _ in passage.codes:
        if text[first : first + 2].isalpha():
            found = _iban(text, first)
            if found is not None and (
                text[first : first + 2].isupper() or "iban" in passage.before(first, 40) or found - first > 14
            ):
                yield Finding(first, found, "iban", 92)


def _iban(text: str, start: int) -> int | None:
    """Return where the IBAN that begins at ``start`` ends, None if none does."""
    size = _LENGTHS.get(text[start : start + 2].upper())
    match = _IBAN.match(text, start) if size else None
    if match is None or size is None or (start and text[start - 1] in "_/"):
        return None
    end, count = start, 0
    while end < match.end() and count < size:
        count += text[end] not in " \u00a0-"
        end += 1
    whole = end == len(text) or not (text[end].isalnum() or text[end] == "_")
    if count < size or not whole:
        return None
    return end if mod_97(_SEPARATORS.sub("", text[start:end]).upper()) else None


def wallets(passage: Passage) -> Iterator[Finding]:
    """Yield addresses of wallets: Bitcoin and its like with their check sums, Ethereum by its form."""
    text = passage.text
    if passage.long and "0x" in text:
        for match in _ETHER.finditer(text):
            if len(set(match[0].lower())) > 8:
                yield Finding(match.start(), match.end(), "crypto_wallet", 74)
    for first, last in passage.codes:
        size = last - first
        if (26 <= size <= 35 and _BITCOIN.fullmatch(text, first, last) and _base_58(text[first:last])) or (
            41 <= size <= 74 and (match := _BECH_32.fullmatch(text, first, last)) and _bech_32(match[1], match[2])
        ):
            yield Finding(first, last, "crypto_wallet", 88)


def _base_58(word: str) -> bool:
    """Return whether the last four bytes are the start of the double SHA-256 of the others."""
    number = 0
    for letter in word:
        number = number * 58 + _BASE_58.index(letter)
    if number >= 1 << 200:
        return False
    data = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] == data[21:]


def _bech_32(prefix: str, word: str) -> bool:
    """Return whether the check symbols are right (BIP 173, BIP 350)."""
    symbols = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    values = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    check = 1
    for value in values + [symbols.index(letter) for letter in word]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check in (1, 0x2BC830A3)
