"""Numbers that states of the Americas give people and taxpayers; the checks are those of the issuers."""

from __future__ import annotations

from typing import Final

from pilotlight.corpus.private.checksums import calendar, luhn, weighted
from pilotlight.corpus.private.rule import Rule, anything, rule


def _social_security(digits: str) -> bool:
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if digits in ("078051120", "219099999", "457555462") or len(set(digits)) == 1:  # printed in advertisements
        return False
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _individual_taxpayer(digits: str) -> bool:
    return digits[0] == "9" and (
        50 <= int(digits[3:5]) <= 65 or (70 <= int(digits[3:5]) <= 99 and digits[3:5] not in ("89", "93"))
    )


def _canada(digits: str) -> bool:
    return digits[0] not in "08" and luhn(digits)


def _two_checks(digits: str, size: int) -> bool:
    if len(set(digits)) == 1:
        return False
    for end in (size - 2, size - 1):
        weights = range(end + 1, 1, -1) if size == 11 else [(place % 8) + 2 for place in range(end - 1, -1, -1)]
        rest = weighted(digits[:end], list(weights)) % 11
        if (0 if rest < 2 else 11 - rest) != int(digits[end]):
            return False
    return True


def _brazil_person(digits: str) -> bool:
    return _two_checks(digits, 11)


def _brazil_company(digits: str) -> bool:
    return _two_checks(digits, 14)


def _chile(code: str) -> bool:
    body, check = code[:-1], code[-1]
    rest = 11 - weighted(body[::-1], [2, 3, 4, 5, 6, 7, 2, 3]) % 11
    return len(set(body)) > 1 and {11: "0", 10: "K"}.get(rest, str(rest)) == check


def _argentina(digits: str) -> bool:
    rest = 11 - weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
    return {11: 0, 10: 9}.get(rest, rest) == int(digits[-1]) and digits[:2] in (
        "20",
        "23",
        "24",
        "25",
        "26",
        "27",
        "30",
        "33",
        "34",
    )


def _peru(digits: str) -> bool:
    rest = 11 - weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
    return rest % 10 == int(digits[-1])


def _ecuador(digits: str) -> bool:
    return int(digits[:2]) in (*range(1, 25), 30) and digits[2] < "6" and luhn(digits)


def _uruguay(digits: str) -> bool:
    padded = digits.zfill(8)
    return -weighted(padded, [2, 9, 8, 7, 6, 3, 4]) % 10 == int(padded[-1])


def _mexico(code: str) -> bool:
    letters = "0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ"
    total = sum(letters.index(letter) * (18 - place) for place, letter in enumerate(code[:17]))
    return (
        -total % 10 == int(code[17]) if code[17].isdigit() and calendar(0, int(code[6:8]), int(code[8:10])) else False
    )


def _mexico_tax(code: str) -> bool:
    return calendar(0, int(code[-7:-5]), int(code[-5:-3]))


RULES: Final[tuple[Rule, ...]] = (
    rule(
        "ssn",
        "US",
        "9-9",
        r"[0-9]{3}-[0-9]{2}-[0-9]{4}",
        _social_security,
        "ssn|ssns|social sec*|socialsec*|soc sec*",
        "always",
    ),
    rule(
        "ssn",
        "US",
        "9-9",
        r"[0-9]{3}[ .]?[0-9]{2}[ .]?[0-9]{4}",
        _social_security,
        "ssn|ssns|social sec*|socialsec*|soc sec*",
    ),
    rule(
        "ssn",
        "US",
        "9-9",
        r"9[0-9]{2}[ -]?[5-9][0-9][ -]?[0-9]{4}",
        _individual_taxpayer,
        "itin|individual taxpayer|tax id|taxpayer id*|tin",
    ),
    rule(
        "company_id",
        "US",
        "9-9",
        r"[0-9]{2}-[0-9]{7}",
        anything,
        "ein|fein|employer id*|federal id*|federal tax|tax id*",
    ),
    rule(
        "national_id",
        "CA",
        "9-9",
        r"[0-9]{3}([ -])[0-9]{3}\1[0-9]{3}",
        _canada,
        "sin|social insurance|assurance sociale|nas",
        "expected",
    ),
    rule("national_id", "CA", "9-9", r"[0-9]{9}", _canada, "sin|social insurance|assurance sociale|nas"),
    rule("national_id", "BR", "11-11", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", _brazil_person, "", "always"),
    rule("national_id", "BR", "11-11", r"[0-9]{9}-?[0-9]{2}", _brazil_person, "cpf|cadastro de pessoa*", "expected"),
    rule(
        "national_id",
        "BR",
        "7-9",
        r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Xx]|[0-9]{7,9}-[0-9Xx]",
        anything,
        "rg|r g|registro geral|carteira de identidade|cédula de identidade",
    ),
    rule("company_id", "BR", "14-14", r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}", _brazil_company, "", "always"),
    rule("company_id", "BR", "14-14", r"[0-9]{12}-?[0-9]{2}", _brazil_company, "cnpj|cadastro nacional"),
    rule("national_id", "CL", "7-9", r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]", _chile, "", "always"),
    rule("national_id", "CL", "7-9", r"[0-9]{7,8}-[0-9Kk]", _chile, "rut|run|rol unico|rol único"),
    rule("national_id", "AR", "11-11", r"[0-9]{2}-[0-9]{8}-[0-9]", _argentina, "", "always"),
    rule("national_id", "AR", "11-11", r"[0-9]{11}", _argentina, "cuit|cuil|c u i t|c u i l"),
    rule(
        "national_id",
        "AR",
        "7-8",
        r"[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}",
        anything,
        "dni|d n i|documento nacional|documento de identidad",
    ),
    rule("company_id", "PE", "11-11", r"20[0-9]{9}", _peru, "ruc|r u c|registro unico|registro único"),
    rule("national_id", "PE", "11-11", r"1[0567][0-9]{9}", _peru, "ruc|r u c|registro unico|registro único"),
    rule("national_id", "PE", "8-8", r"[0-9]{8}", anything, "dni|d n i|documento nacional|documento de identidad"),
    rule("national_id", "EC", "10-10", r"[0-9]{9}-?[0-9]", _ecuador, "cédula|cedula|cédula de identidad"),
    rule(
        "national_id", "UY", "8-8", r"[0-9]\.?[0-9]{3}\.?[0-9]{3}-?[0-9]", _uruguay, "cédula|cedula|cédula de identidad"
    ),
    rule("national_id", "CO", "7-12", r"[0-9]{1,3}\.?[0-9]{3}\.?[0-9]{3}(?:\.?[0-9]{3})?", anything, "cédula|cedula"),
    rule("national_id", "MX", "7-8", r"[A-Z][AEIOUX][A-Z]{2}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]", _mexico, "", "always"),
    rule("national_id", "MX", "6-9", r"[A-Z&\u00d1]{4}[0-9]{6}[0-9A-Z]{3}", _mexico_tax, "rfc|r f c|contribuyente*"),
)
"""In the order in which they are tried."""
