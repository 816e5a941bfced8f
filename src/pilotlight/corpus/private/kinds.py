"""The kinds of private data, and the countries that a language leads to expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Action = Literal["redact", "annotate", "ignore"]


class Kind(NamedTuple):
    """One kind of private data: what is done about it unless settings say otherwise, and what it is."""

    action: Action
    meaning: str


KINDS: Final[Mapping[str, Kind]] = {
    "email": Kind("redact", "mail addresses"),
    "email_hidden": Kind("redact", "mail addresses with a bracketed (at) for the sign"),
    "phone": Kind("redact", "telephone numbers"),
    "payment_card": Kind("redact", "numbers of payment cards, by issuer and check digit"),
    "iban": Kind("redact", "bank accounts as IBAN, by length and check digits"),
    "bank_account": Kind("redact", "other bank accounts, by the words beside them"),
    "crypto_wallet": Kind("redact", "addresses of crypto wallets"),
    "ip_address": Kind("redact", "IPv4 and IPv6 addresses of open hosts"),
    "local_ip": Kind("ignore", "IP addresses of no open host: private, loopback, documentation"),
    "mac_address": Kind("redact", "hardware addresses"),
    "url_credentials": Kind("redact", "user and password in a URL"),
    "secret": Kind("redact", "keys, tokens and passwords"),
    "private_key": Kind("redact", "private keys in PEM form"),
    "ssn": Kind("redact", "social security and individual taxpayer numbers of the United States"),
    "national_id": Kind("redact", "numbers of identity and tax of some sixty states"),
    "company_id": Kind("annotate", "numbers of companies: tax, register"),
    "passport": Kind("redact", "passport numbers, by the words beside them"),
    "driver_license": Kind("redact", "driver licences, by the words beside them"),
    "name": Kind("redact", "names from the list of the settings"),
    "date_of_birth": Kind("annotate", "dates behind words of birth"),
    "street_address": Kind("ignore", "streets with a number"),
    "postal_code": Kind("ignore", "postal codes, by the words beside them"),
    "handle": Kind("ignore", "names of accounts such as @name"),
}
"""Every kind there is, by its name in the settings."""

_REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "ca": ("AD", "ES"),
    "es": ("AR", "CL", "CO", "EC", "ES", "MX", "PE", "UY"),
    "eu": ("ES",),
    "gl": ("ES",),
    "fr": ("BE", "CH", "FR"),
    "de": ("AT", "CH", "DE"),
    "it": ("CH", "IT"),
    "pt": ("BR", "PT"),
    "nl": ("BE", "NL"),
    "pl": ("PL",),
    "sv": ("SE",),
    "da": ("DK",),
    "nb": ("NO",),
    "nn": ("NO",),
    "no": ("NO",),
    "fi": ("FI",),
    "cs": ("CZ",),
    "sk": ("SK",),
    "ro": ("RO",),
    "bg": ("BG",),
    "hr": ("HR",),
    "el": ("GR",),
    "tr": ("TR",),
    "hi": ("IN",),
    "ja": ("JP",),
    "ko": ("KR",),
    "zh": ("CN", "HK", "TW"),
    "he": ("IL",),
    "id": ("ID",),
    "ms": ("MY",),
    "ru": ("RU",),
    "uk": ("UA",),
    "hu": ("HU",),
    "et": ("EE",),
    "lt": ("LT",),
    "lv": ("LV",),
    "is": ("IS",),
    "th": ("TH",),
    "fa": ("IR",),
    "ar": ("AE",),
    "ur": ("PK",),
    "vi": ("VN",),
}


def regions_of(language: str) -> tuple[str, ...]:
    """Return the countries whose formats are expected in a language (ISO 639-1); English says nothing about it."""
    return _REGIONS.get(language, ())
