"""Numbers that states of Europe give people and taxpayers; the checks are those of the issuers."""

from __future__ import annotations

from typing import Final

from pilotlight.corpus.private.checksums import calendar, luhn, mod_11_10, weighted
from pilotlight.corpus.private.rule import Rule, anything, rule

_SPAIN: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_ITALY_ODD: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_FINLAND: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def _britain(code: str) -> bool:
    return code[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


def _health_service(digits: str) -> bool:
    rest = 11 - weighted(digits, range(10, 1, -1)) % 11
    return rest != 10 and rest % 11 == int(digits[9]) and len(set(digits)) > 1


def _spain(code: str) -> bool:
    digits = code[:-1].translate({88: "0", 89: "1", 90: "2"})
    return len(set(digits)) > 1 and _SPAIN[int(digits) % 23] == code[-1]


def _spain_company(code: str) -> bool:
    doubled = sum(sum(divmod(int(digit) * 2, 10)) for digit in code[1:8:2])
    check = -(doubled + sum(map(int, code[2:8:2]))) % 10
    return code[8] in (str(check), "JABCDEFGHI"[check])


def _france(code: str) -> bool:
    place = {"2A": "19", "2B": "18"}.get(code[5:7], code[5:7])
    return 97 - int(code[:5] + place + code[7:13]) % 97 == int(code[13:])


def _france_company(digits: str) -> bool:
    # The post office has more branches than the check digit leaves room for: its digits add up to a multiple of five.
    post = digits.startswith("356000000") and len(digits) == 14 and sum(map(int, digits)) % 5 == 0
    return (luhn(digits) or post) and len(set(digits)) > 2


def _germany_pension(code: str) -> bool:
    digits = code[:8] + f"{ord(code[8]) - 64:02}" + code[9:11]
    total = sum(sum(divmod(int(d) * w, 10)) for d, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return calendar(0, int(code[4:6]), int(code[2:4])) and total % 10 == int(code[11])


def _spain_social_security(digits: str) -> bool:
    province, number = int(digits[:2]), int(digits[2:10])
    joined = province * 10_000_000 + number if number < 10_000_000 else int(digits[:10])
    return joined % 97 == int(digits[10:]) and (1 <= province <= 53 or province == 66)


def _germany(digits: str) -> bool:
    most = max(map(digits[:10].count, set(digits[:10])))
    return digits[0] != "0" and most in (2, 3) and len(set(digits[:10])) in (8, 9) and mod_11_10(digits)


def _italy(code: str) -> bool:
    def even(letter: str) -> int:
        return int(letter) if letter.isdigit() else ord(letter) - 65

    total = sum(even(letter) for letter in code[1:15:2]) + sum(_ITALY_ODD[even(letter)] for letter in code[0:15:2])
    return total % 26 == ord(code[15]) - 65


def _italy_company(digits: str) -> bool:
    return luhn(digits) and digits[:7] != "0000000"


def _portugal(digits: str) -> bool:
    rest = 11 - weighted(digits, range(9, 1, -1)) % 11
    return (0 if rest > 9 else rest) == int(digits[8]) and digits[0] in "1235689"


def _netherlands(digits: str) -> bool:
    return (weighted(digits, range(9, 1, -1)) - int(digits[8])) % 11 == 0 and len(set(digits)) > 1


def _poland(digits: str) -> bool:
    day = calendar(int(digits[:2]), int(digits[2:4]) % 20, int(digits[4:6]))
    return day and -weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10 == int(digits[10])


def _poland_company(digits: str) -> bool:
    return weighted(digits, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == int(digits[9]) and digits[0] != "0"


def _sweden(digits: str) -> bool:
    short = digits[-10:]
    day = int(short[4:6])
    return calendar(int(short[:2]), int(short[2:4]), day - 60 if day > 60 else day) and luhn(short)


def _denmark(digits: str) -> bool:
    return calendar(int(digits[4:6]), int(digits[2:4]), int(digits[:2]))


def _norway(digits: str) -> bool:
    first = (11 - weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11) % 11
    second = (11 - weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11
    return first == int(digits[9]) and second == int(digits[10])


def _finland(code: str) -> bool:
    return (
        calendar(int(code[4:6]), int(code[2:4]), int(code[:2]))
        and _FINLAND[int(code[:6] + code[-4:-1]) % 31] == code[-1]
    )


def _belgium(digits: str) -> bool:
    checks = (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97)
    return int(digits[9:]) in checks and int(digits[2:4]) <= 12


def _switzerland(digits: str) -> bool:
    return -weighted(digits, [1, 3] * 6) % 10 == int(digits[12])


def _austria(digits: str) -> bool:
    return weighted(digits[:3] + digits[4:], [3, 7, 9, 5, 8, 4, 2, 1, 6]) % 11 == int(digits[3])


def _ireland(code: str) -> bool:
    extra = 9 * (ord(code[8]) - 64) if len(code) == 9 and code[8] != "W" else 0
    return "WABCDEFGHIJKLMNOPQRSTUV"[(weighted(code[:7], range(8, 1, -1)) + extra) % 23] == code[7]


def _czechia(digits: str) -> bool:
    month = int(digits[2:4])
    return int(digits) % 11 == 0 and calendar(
        0, month - 50 if month > 50 else month - 20 if month > 20 else month, int(digits[4:6])
    )


def _romania(digits: str) -> bool:
    rest = weighted(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
    return calendar(int(digits[1:3]), int(digits[3:5]), int(digits[5:7])) and (1 if rest == 10 else rest) == int(
        digits[12]
    )


def _bulgaria(digits: str) -> bool:
    return weighted(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == int(digits[9])


def _turkey(digits: str) -> bool:
    odd, even = sum(map(int, digits[0:9:2])), sum(map(int, digits[1:8:2]))
    return (
        digits[0] != "0"
        and (odd * 7 - even) % 10 == int(digits[9])
        and sum(map(int, digits[:10])) % 10 == int(digits[10])
    )


def _greece(digits: str) -> bool:
    return weighted(digits, [256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == int(digits[8]) and len(set(digits)) > 1


RULES: Final[tuple[Rule, ...]] = (
    rule(
        "national_id",
        "GB",
        "6-6",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]([ -]?)[0-9]{2}\1[0-9]{2}\1[0-9]{2}\1[A-D]",
        _britain,
        "",
        "always",
    ),
    rule(
        "national_id",
        "GB",
        "6-6",
        r"(?i:[a-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d])",
        _britain,
        "nino|national insurance|ni no|ni num*",
    ),
    rule("national_id", "GB", "10-10", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", _health_service, "nhs|national health"),
    rule(
        "national_id",
        "ES",
        "8-8",
        r"[0-9]{8}[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]",
        _spain,
        "dni|d n i|nif|n i f|documento nacional|identidad|identitat",
        "expected",
    ),
    rule("national_id", "ES", "8-8", r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}[ -]?[A-HJ-NP-TV-Z]", _spain, "", "always"),
    rule(
        "national_id",
        "ES",
        "7-7",
        r"[XYZ][ -]?[0-9]{7}[ -]?[A-HJ-NP-TV-Z]",
        _spain,
        "nie|n i e|nif|n i f|extranj*|estrang*",
        "expected",
    ),
    rule("national_id", "ES", "12-12", r"[0-9]{2}/[0-9]{8}/[0-9]{2}", _spain_social_security, "", "always"),
    rule(
        "national_id",
        "ES",
        "12-12",
        r"[0-9]{2}[ -]?[0-9]{8}[ -]?[0-9]{2}",
        _spain_social_security,
        "seguridad social|seguretat social|nss|nuss|naf|afiliación|afiliacion|afiliació",
    ),
    rule("company_id", "ES", "7-8", r"[A-HJNP-SUVW][ -]?[0-9]{7}[ -]?[0-9A-J]", _spain_company, "cif|c i f|nif|n i f"),
    rule(
        "national_id",
        "FR",
        "14-15",
        r"[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        _france,
        "",
        "always",
    ),
    rule(
        "company_id",
        "FR",
        "14-14",
        r"[0-9]{3}([ .])[0-9]{3}\1[0-9]{3}\1[0-9]{5}",
        _france_company,
        "siret|siren|rcs",
        "expected",
    ),
    rule("company_id", "FR", "14-14", r"[0-9]{9} ?[0-9]{5}", _france_company, "siret|siren|rcs"),
    rule("company_id", "FR", "9-9", r"[0-9]{3}[ .]?[0-9]{3}[ .]?[0-9]{3}", _france_company, "siret|siren|rcs"),
    rule(
        "national_id",
        "DE",
        "8-8",
        r"[0-9]{2}[ ]?[0-9]{6}[ ]?[A-Z][ ]?[0-9]{3}",
        _germany_pension,
        "sozialversicherung*|rentenversicherung*|versicherungsnummer|svnr|sv nr|sv nummer|rvnr",
        "expected",
    ),
    rule(
        "national_id",
        "DE",
        "11-11",
        r"[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
        _germany,
        "steuer*|idnr|tin|tax id*|identifikationsnummer",
        "never",
    ),
    rule(
        "national_id",
        "IT",
        "0-7",
        r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
        _italy,
        "",
        "always",
    ),
    rule("company_id", "IT", "11-11", r"[0-9]{11}", _italy_company, "partita iva|p iva|piva|codice fiscale"),
    rule(
        "national_id",
        "PT",
        "9-9",
        r"[1235689][0-9]{2} ?[0-9]{3} ?[0-9]{3}",
        _portugal,
        "nif|n i f|contribuinte|nipc|tin",
    ),
    rule(
        "national_id",
        "PT",
        "9-9",
        r"[P]T ?[1235689][0-9]{8}",
        lambda code: _portugal(code[2:]),
        "nif|n i f|contribuinte",
    ),
    rule("national_id", "AD", "6-6", r"[FALECDGOPU]-[0-9]{6}-[A-Z]", anything, "", "always"),
    rule(
        "national_id",
        "AD",
        "6-6",
        r"[FALECDGOPU][ -]?[0-9]{6}[ -]?[A-Z]",
        anything,
        "nrt|n r t|registre tributari|registro tributario",
    ),
    rule("national_id", "NL", "9-9", r"[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{3}", _netherlands, "bsn|burgerservice*|sofi*"),
    rule("national_id", "PL", "11-11", r"[0-9]{11}", _poland, "pesel", "expected"),
    rule(
        "company_id",
        "PL",
        "10-10",
        r"[0-9]{3}-(?:[0-9]{3}-[0-9]{2}-[0-9]{2}|[0-9]{2}-[0-9]{2}-[0-9]{3})",
        _poland_company,
        "nip|n i p|identyfikacji podatkowej",
        "expected",
    ),
    rule("company_id", "PL", "10-10", r"[0-9]{10}", _poland_company, "nip|n i p|identyfikacji podatkowej"),
    rule(
        "national_id",
        "SE",
        "10-12",
        r"(?:19|20)?[0-9]{6}[-+][0-9]{4}",
        _sweden,
        "personnummer|personnr|pnr|personal identity|personal number",
        "expected",
    ),
    rule(
        "national_id",
        "SE",
        "10-12",
        r"(?:19|20)?[0-9]{10}",
        _sweden,
        "personnummer|personnr|swedish id|swedish personal",
    ),
    rule("national_id", "DK", "10-10", r"[0-9]{6}-[0-9]{4}", _denmark, "cpr|personnummer", "expected"),
    rule(
        "national_id",
        "NO",
        "11-11",
        r"[0-9]{6} ?[0-9]{5}",
        _norway,
        "fodselsnummer|fødselsnummer|personnummer|national id*",
        "expected",
    ),
    rule("national_id", "FI", "6-10", r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y]", _finland, "", "always"),
    rule("national_id", "BE", "11-11", r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}", _belgium, "", "always"),
    rule(
        "national_id",
        "BE",
        "11-11",
        r"[0-9]{6}[ -]?[0-9]{3}[ -]?[0-9]{2}",
        _belgium,
        "rijksregister*|registre national|national number|nrn|niss|insz",
    ),
    rule("national_id", "CH", "13-13", r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}", _switzerland, "", "always"),
    rule(
        "national_id",
        "CH",
        "13-13",
        r"756 ?[0-9]{4} ?[0-9]{4} ?[0-9]{2}",
        _switzerland,
        "ahv|avs|sozialversicherung*|ssn",
    ),
    rule(
        "national_id", "AT", "10-10", r"[1-9][0-9]{3} ?[0-9]{6}", _austria, "sozialversicherung*|svnr|sv nr|sv nummer"
    ),
    rule("national_id", "IE", "7-7", r"[0-9]{7}[A-W][A-IW]?", _ireland, "pps*|personal public"),
    rule("national_id", "CZ", "10-10", r"[0-9]{6}/[0-9]{4}", _czechia, "rodn*|birth number", "expected"),
    rule("national_id", "RO", "13-13", r"[1-8][0-9]{12}", _romania, "cnp|cod numeric", "expected"),
    rule("national_id", "BG", "10-10", r"[0-9]{10}", _bulgaria, "egn|егн"),
    rule("national_id", "HR", "11-11", r"[0-9]{11}", mod_11_10, "oib"),
    rule("national_id", "GR", "9-9", r"[0-9]{9}", _greece, "afm|αφμ|α φ μ"),
    rule("national_id", "TR", "11-11", r"[1-9][0-9]{10}", _turkey, "kimlik|tckn|tc no|tc kimlik|turkish id"),
)
"""In the order in which they are tried."""
