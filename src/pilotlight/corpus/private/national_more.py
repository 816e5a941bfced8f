"""Numbers that more states give people: the Baltic states, the Balkans, Ukraine, Hungary, Iceland, the Near East, Asia.

Checks are those of the issuers; where a state publishes none, a word beside the number has to name it.
"""

from __future__ import annotations

from typing import Final

from pilotlight.corpus.private.checksums import calendar, luhn, weighted
from pilotlight.corpus.private.rule import Rule, anything, rule


def _baltic(digits: str) -> bool:
    """Return whether a number of Estonia or Lithuania is right: a century, a birthday, and one of two sums."""
    if not calendar(int(digits[1:3]), int(digits[3:5]), int(digits[5:7])):
        return False
    rest = weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if rest == 10:
        rest = weighted(digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return rest == int(digits[10])


def _latvia(digits: str) -> bool:
    return digits[:2] == "32" or calendar(int(digits[4:6]), int(digits[2:4]), int(digits[:2]))


def _greek_security(digits: str) -> bool:
    return calendar(int(digits[4:6]), int(digits[2:4]), int(digits[:2])) and luhn(digits)


def _ukraine(digits: str) -> bool:
    return weighted(digits, (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10 == int(digits[9])


def _hungary_security(digits: str) -> bool:
    return weighted(digits, (3, 7, 3, 7, 3, 7, 3, 7)) % 10 == int(digits[8])


def _hungary_tax(digits: str) -> bool:
    return weighted(digits, range(1, 10)) % 11 == int(digits[9])


def _balkans(digits: str) -> bool:
    """Return whether a number of the states that were Yugoslavia is right: a birthday and a sum modulo 11."""
    if not calendar(int(digits[5:7]), int(digits[2:4]), int(digits[:2])):
        return False
    rest = 11 - weighted(digits, (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest > 9 else rest) == int(digits[12])


def _iceland(digits: str) -> bool:
    day = calendar(int(digits[4:6]), int(digits[2:4]), int(digits[:2]))
    return day and weighted(digits, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _thailand(digits: str) -> bool:
    return (11 - weighted(digits, range(13, 1, -1)) % 11) % 10 == int(digits[12])


def _iran(digits: str) -> bool:
    rest = weighted(digits, range(10, 1, -1)) % 11
    return len(set(digits)) > 1 and int(digits[9]) == (rest if rest < 2 else 11 - rest)


def _emirates(digits: str) -> bool:
    return 1900 <= int(digits[3:7]) <= 2100


_CZECH: Final = "rodn*|birth number"

RULES: Final[tuple[Rule, ...]] = (
    rule("national_id", "EE", "11-11", r"[1-8][0-9]{10}", _baltic, "isikukood*|personal identification", "expected"),
    rule("national_id", "LT", "11-11", r"[3-6][0-9]{10}", _baltic, "asmens kod*|personal code", "expected"),
    rule("national_id", "LV", "11-11", r"[0-3][0-9]{5}-[0-9]{5}", _latvia, "personas kod*|personal code", "expected"),
    rule("national_id", "GR", "11-11", r"[0-3][0-9]{10}", _greek_security, "αμκα|α μ κ α|amka"),
    rule(
        "national_id", "UA", "10-10", r"[0-9]{10}", _ukraine,
        "іпн|рнокпп|податков*|ідентифікаційн*|rnokpp|ipn|ukrainian tax",
    ),
    rule("national_id", "HU", "9-9", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}", _hungary_security, "taj*"),
    rule("national_id", "HU", "10-10", r"8[0-9]{9}", _hungary_tax, "adóazonosító*|adoazonosito*|adószám*"),
    rule("national_id", "SK", "10-10", r"[0-9]{6}/[0-9]{4}", anything, _CZECH),
    rule("national_id", "", "13-13", r"[0-3][0-9]{12}", _balkans, "jmbg|emšo|emso|јмбг|матичн*|matičn*|maticni*|embg|емшо"),
    rule("national_id", "IS", "10-10", r"[0-7][0-9]{5}-?[0-9]{4}", _iceland, "kennital*|kt"),
    rule(
        "national_id", "TH", "13-13", r"[1-8]([ -])[0-9]{4}\1[0-9]{5}\1[0-9]{2}\1[0-9]", _thailand,
        "*ประชาชน|thai id|national id|citizen id", "always",
    ),
    rule("national_id", "TH", "13-13", r"[1-8][0-9]{12}", _thailand, "*ประชาชน|thai id|citizen id"),
    rule("national_id", "IL", "9-9", r"[0-9]{8}-?[0-9]", luhn, "*מספר זהות|*מספר הזהות|*ת ז |*ת״ז"),
    rule("national_id", "IR", "10-10", r"[0-9]{3}-?[0-9]{6}-?[0-9]", _iran, "*کد ملی|*کدملی|iranian national"),
    rule("national_id", "AE", "15-15", r"784-?[0-9]{4}-?[0-9]{7}-?[0-9]", _emirates, "emirates id|*الهوية|eid", "expected"),
    rule("national_id", "AE", "15-15", r"784-[0-9]{4}-[0-9]{7}-[0-9]", _emirates, "", "always"),
    rule("national_id", "PK", "13-13", r"[1-7][0-9]{4}-[0-9]{7}-[0-9]", anything, "cnic|nicop|*شناختی", "always"),
    rule("national_id", "VN", "12-12", r"0[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}", anything, "cccd|căn cước*|cmnd|chứng minh"),
    rule("national_id", "NG", "11-11", r"[1-9][0-9]{10}", anything, "nin|national identification number"),
)  # fmt: skip
"""In the order in which they are tried."""
