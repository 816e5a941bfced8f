"""Numbers that states of Asia, Africa and Oceania give people; and papers of any state, told by the words beside them."""

from __future__ import annotations

from typing import Final

from pilotlight.corpus.private.checksums import calendar, luhn, verhoeff, weighted
from pilotlight.corpus.private.rule import Rule, anything, rule


def _aadhaar(digits: str) -> bool:
    return digits[0] not in "01" and verhoeff(digits) and digits != digits[::-1]


def _australia_tax(digits: str) -> bool:
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10) if len(digits) == 9 else (10, 7, 8, 4, 6, 3, 5, 1)
    return weighted(digits, weights) % 11 == 0 and len(set(digits)) > 1


def _australia_business(digits: str) -> bool:
    return (
        weighted(str(int(digits[0]) - 1) + digits[1:], (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) % 89 == 0
        and digits[0] != "0"
    )


def _medicare(digits: str) -> bool:
    return digits[0] in "23456" and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(digits[8])


def _china(code: str) -> bool:
    day = calendar(int(code[6:10]), int(code[10:12]), int(code[12:14])) and 1900 <= int(code[6:10]) <= 2100
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return day and "10X98765432"[weighted(code[:17], weights) % 11] == code[17]


def _taiwan(code: str) -> bool:
    number = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(code[0]) + 10
    return (number // 10 + number % 10 * 9 + weighted(code[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def _hong_kong(code: str) -> bool:
    letters = code[:-7]
    first = [36, ord(letters) - 55] if len(letters) == 1 else [ord(letter) - 55 for letter in letters]
    total = first[0] * 9 + first[1] * 8 + weighted(code[-7:-1], (7, 6, 5, 4, 3, 2))
    return "0123456789A"[-total % 11] == code[-1]


def _singapore(code: str) -> bool:
    total = weighted(code[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if code[0] in "TG" else 0)
    return ("JZIHGFEDCBA" if code[0] in "ST" else "XWUTRQPNMLK")[total % 11] == code[8]


def _korea(digits: str) -> bool:
    return calendar(int(digits[:2]), int(digits[2:4]), int(digits[4:6]))


def _japan(digits: str) -> bool:
    rest = weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest < 2 else 11 - rest) == int(digits[11])


def _south_africa(digits: str) -> bool:
    return calendar(int(digits[:2]), int(digits[2:4]), int(digits[4:6])) and digits[10] in "01" and luhn(digits)


def _dated(digits: str) -> bool:
    return calendar(int(digits[:2]), int(digits[2:4]), int(digits[4:6]))


def _mixed(code: str) -> bool:
    return sum(letter.isdigit() for letter in code) >= 5


_LICENCE = (
    "driver license|driver s license|drivers license|driving license|driver licence|driver s licence|drivers "
    "licence|driving licence|driverslicense"
    "|driver license number|license number|licence number|license no|dl no|dl number|dl|permiso de conducir|carnet "
    "de conducir|carné de conducir|führerschein*"
    "|fuhrerschein*|permis de conduire|patente di guida|carta de condução|rijbewijs*|prawo jazdy"
)
_PASSPORT = (
    "passport|passports|pasaporte|passeport|reisepass*|passaport|passaporte|passaporto|paspoort*|paszport*|passnummer"
)
_BANK = (
    "bank account|bank acct|checking account|savings account|account number|account no|account num|acct number|acct "
    "no|acct|a c no|bank a c|account is|my account|from account|to account|account ending"
    "|cuenta bancaria|número de cuenta|numero de cuenta|cuenta corriente|compte bancari|compte "
    "bancaire|kontonummer|konto nr|numéro de compte|conto corrente|rekeningnummer"
)

RULES: Final[tuple[Rule, ...]] = (
    rule(
        "national_id",
        "IN",
        "12-12",
        r"[2-9][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}",
        _aadhaar,
        "aadhaar|aadhar|adhaar|uid|uidai",
        "expected",
    ),
    rule("national_id", "IN", "12-12", r"[2-9][0-9]{11}", _aadhaar, "aadhaar|aadhar|adhaar|uid|uidai"),
    rule("national_id", "IN", "4-4", r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]", anything, "", "always"),
    rule("national_id", "AU", "8-9", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{2,3}", _australia_tax, "tfn|tax file"),
    rule(
        "company_id",
        "AU",
        "11-11",
        r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
        _australia_business,
        "abn|australian business",
    ),
    rule("national_id", "AU", "10-11", r"[2-6][0-9]{3}[ -]?[0-9]{5}[ -]?[0-9](?:[ /-]?[0-9])?", _medicare, "medicare"),
    rule("national_id", "CN", "17-18", r"[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx]", _china, "", "always"),
    rule("national_id", "TW", "9-9", r"[A-Z][1289][0-9]{8}", _taiwan, "*身分證|*身份證|id|identity|*居留", "expected"),
    rule(
        "national_id", "HK", "6-7", r"[A-Z]{1,2}[0-9]{6}\(?[0-9A]\)?", _hong_kong, "hkid|identity card|*身份證|*身份证"
    ),
    rule("national_id", "SG", "7-7", r"[STFG][0-9]{7}[A-Z]", _singapore, "", "always"),
    rule("national_id", "KR", "13-13", r"[0-9]{6}-[1-8][0-9]{6}", _korea, "*주민|resident registration|rrn", "always"),
    rule(
        "national_id", "JP", "12-12", r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}", _japan, "*マイナンバー|*個人番号|my number"
    ),
    rule("national_id", "ZA", "13-13", r"[0-9]{6} ?[0-9]{4} ?[01][0-9]{2}", _south_africa, "id|identity", "expected"),
    rule(
        "national_id", "MY", "12-12", r"[0-9]{6}-[0-9]{2}-[0-9]{4}", _dated, "nric|mykad|ic|kad pengenalan", "expected"
    ),
    rule("national_id", "ID", "16-16", r"[0-9]{16}", anything, "nik|ktp|kependudukan"),
    rule("national_id", "IL", "9-9", r"[0-9]{8}-?[0-9]", luhn, "*תעודת זהות|teudat zehut|israeli id"),
    rule("passport", "", "7-9", r"[0-9]{7,9}[A-Za-z]?", anything, _PASSPORT),
    rule("passport", "", "6-8", r"[A-Z]{1,3} ?[0-9]{6,8}[A-Z]?", anything, _PASSPORT),
    rule("passport", "", "5-8", r"[A-Z][0-9]{2}[0-9A-Z]{6}", _mixed, _PASSPORT),
    rule("driver_license", "", "6-12", r"[0-9]{6,12}", anything, _LICENCE),
    rule("driver_license", "", "5-17", r"[A-Z]{1,5}[0-9A-Z]{5,17}", _mixed, _LICENCE),
    rule("driver_license", "", "6-20", r"[A-Z]{1,2}[ -]?[0-9]{3,4}(?:-[0-9]{1,5}){1,4}", _mixed, _LICENCE),
    rule("bank_account", "", "8-20", r"[0-9]{8,17}|[0-9]{3,6}(?:[ -][0-9]{2,6}){1,4}", _mixed, _BANK),
    rule(
        "bank_account",
        "US",
        "9-9",
        r"[0-9]{9}",
        lambda digits: weighted(digits, (3, 7, 1) * 3) % 10 == 0,
        "routing|aba|rtn",
    ),
)
"""In the order in which they are tried."""
