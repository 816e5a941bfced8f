"""Check digits: whether a number is one that an issuer could have given out.

Every function takes the digits (and letters, in capitals) without separators.
"""

from __future__ import annotations

from collections.abc import Sequence

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_VERHOEFF_PRODUCT = tuple(
    tuple((x + y) % 5 if x < 5 and y < 5 else (x + y) % 5 + 5 if x < 5 else (x - y) % 5 + 5 if y < 5 else (x - y) % 5
          for y in range(10)) for x in range(10)
)  # fmt: skip
_VERHOEFF_STEP = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def luhn(digits: str) -> bool:
    """Return whether the last digit is the one that ISO/IEC 7812-1 annex B asks for."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        total += _DOUBLED[value] if place % 2 else value
    return total % 10 == 0


def mod_97(code: str) -> bool:
    """Return whether an account number (IBAN, letters allowed) leaves 1 when divided by 97 (ISO 13616)."""
    turned = code[4:] + code[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _verhoeff_tables() -> list[list[int]]:
    rows: list[list[int]] = [list(range(10)), list(_VERHOEFF_STEP)]
    for _ in range(6):
        rows.append([rows[-1][_VERHOEFF_STEP[digit]] for digit in range(10)])
    return rows


_VERHOEFF_PERMUTED = _verhoeff_tables()


def verhoeff(digits: str) -> bool:
    """Return whether the last digit is right by the dihedral scheme of Verhoeff (1969)."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _VERHOEFF_PRODUCT[check][_VERHOEFF_PERMUTED[place % 8][ord(digit) - 48]]
    return check == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Return the sum of digits times weights; digits beyond the weights are left out."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def mod_11_10(digits: str) -> bool:
    """Return whether the last digit is right by ISO 7064, MOD 11,10."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def calendar(year: int, month: int, day: int) -> bool:
    """Return whether there is such a day; the year may have two digits."""
    if not 1 <= month <= 12:
        return False
    longest = 29 if month == 2 and year % 4 == 0 else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    return 1 <= day <= longest
