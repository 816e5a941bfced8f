"""What is private and what only looks like it: examples of every kind, written for these tests."""

from __future__ import annotations

import json
import random
import string

import pytest

from pilotlight.corpus.edits.pii import Pii
from pilotlight.corpus.view import View

FOUND = {
    "ssn": ["SSN 536-22-1845", "my social security number is 536221845", "ITIN: 912-72-1234"],
    "national_id": [
        "NINO AB123456C",
        "AB 12 34 56 C",
        "ni number: ab123456c",
        "NHS number 943 476 5919",
        "DNI: 12345678Z",
        "dni 12345678-Z",
        "NIE X1234567L",
        "12.345.678-Z",
        "1 85 05 78 006 084 91",
        "185057800608491",
        "Steuer-ID: 86 095 742 719",
        "RSSMRA85T10A562S",
        "NIF 123456789",
        "CPF 529.982.247-25",
        "529.982.247-25",
        "cpf: 52998224725",
        "aadhaar 2341 2341 2346",
        "PAN ABCPD1234E",
        "TFN 123 456 782",
        "Medicare 2123 45670 1",
        "NRT F-123456-Z",
        "F-654321-B",
        "BSN 111222333",
        "PESEL 44051401359",
        "personnummer 811228-9874",
        "fødselsnummer 01010750160",
        "131052-308T",
        "85.07.30-033.28",
        "756.9217.0769.85",
        "PPS 1234567T",
        "rodné číslo 736028/5163",
        "CNP 1800101221144",
        "OIB: 69435151530",
        "TCKN 10000000146",
        "RUT 12.345.678-5",
        "12.345.678-5",
        "CUIT 20-12345678-6",
        "cédula 1710034065",
        "CURP HEGG560427MVZRRL04",
        "RFC GODE561231GR8",
        "11010519491231002X",
        "S1234567D",
        "HKID A123456(3)",
        "ID number 8001015009087",
        "NRIC 880101-14-5678",
        "주민등록번호 800101-1234567",
        "A123456789 身分證",
        "DNI 45678912",
    ],
    "passport": ["passport number 912803456", "Passport no: C01X00T47", "pasaporte AAB123456"],
    "driver_license": ["driver's license D1234562", "Driver License: F255-921-50-094-0", "licence number is 99999999"],
    "bank_account": ["bank account number 000123456789", "routing number 021000021"],
    "iban": [
        "GB29 NWBK 6016 1331 9268 19",
        "DE89370400440532013000",
        "ES9121000418450200051332",
        "iban fr1420041010050500013m02606",
        "NO93 8601 1117 947",
        "MT84MALT011000012345MTLCAST001S",
    ],
    "payment_card": [
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "378282246310005",
        "3782 822463 10005",
        "6011111111111117",
        "card 30569309025904",
    ],
    "crypto_wallet": [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "0x52908400098527886E0F7030069857D2E4169EE7",
    ],
    "mac_address": ["00:1A:2B:3C:4D:5E", "00-1A-2B-3C-4D-5E"],
    "ip_address": [
        "ip 81.45.12.200",
        "2a00:1450:4007:80e::200e",
        "2607:f8b0:4005:805:0:0:0:200e",
        "connect to 8.8.4.4 dns server 8.8.4.4",
    ],
    "email": [
        "a.b@c.io",
        "joan.peré@softcatala.org",
        "x@sub.domain.co.uk",
        "<mailto:x@y.com>",
        "https://example.com/?email=joe@mail.com&x=1",
    ],
    "email_hidden": ["joe (at) mail (dot) com", "joe [at] mail.com"],
    "phone": [
        "+34 612 345 678",
        "+44 (0)20 7946 0958",
        "(212) 555-0123",
        "212-555-0123 x45",
        "tel. 93 412 34 56",
        "Telèfon: 812 345",
        "06 12 34 56 78 (mobile)",
        "call 0800 1111 222",
        "+1.415.555.2671",
        "llámame al 612345678",
        "00 34 612 345 678",
        "T: 020 7946 0958",
        "You can contact me on 020-7946-0321",
        "5551234567 is my phone number",
        "Phone 030/12345678",
    ],
    "date_of_birth": [
        "DOB: 12/03/1984",
        "date of birth 1984-03-12",
        "born on March 12, 1984",
        "nacido el 12 de marzo de 1984",
        "né le 12/03/1984",
    ],
    "url_credentials": ["mysql://admin:s3cr3tpw@10.0.0.1:3306/db"],
}
NOTHING = [
    "Min: 0.249268 -> 0.221175: 1.13x faster in call_simple",
    "self.dll.tf_I(4294967295)",
    "h = h * 69069 + 907133923",
    "grua mòbil (corresponents al subgrup 8542005)",
    "17 Dec. 1995, p.  2002006",
    "persons is 153.9 – 139.1 = 14.8 million",
    "(c. 1455–1536)",
    "DECRETO Nº 008-2006-EF",
    "taken into account the 2010-2015 plan",
    "EEE21753  82071665  7FFF1443",
    "c.prec = 1000000",
    "8703.10.00.00 vehicles",
    "most recent call last: expected 50331648 bytes",
    "In 1990-1995 and 2001-2005",
    "1 200 000 habitants",
    "the year 2008 2009 2010",
    "version 10.0.19041.1",
    "ISBN 978-3-16-148410-0",
    "ISBN 0-306-40615-2",
    "2024-03-12 10:11:12",
    "12/03/2024",
    "pages 123-456",
    "$1,234,567.89",
    "3.14159265358979",
    "doi:10.1000/182",
    "0.123456789012345",
    "UTC+01:00 2020",
    "1,234,567,890",
    "192.168.1.1",
    "v1.2.3.4",
    "1.2.3.4.5",
    "section 3.2.1.1",
    "0x7fff5fbff8c0",
    "1234567890123456",
    "call 911",
    "call 100 times in 2005",
    "10:20:30",
    "std::vector<int>",
    "a[1:2:3]",
    "x @ y.T",
    "W@x.shape",
    "@property",
    "user@localhost",
    "EAN 4006381333931",
    "time 1616161616161",
    "lat 41.385064, 2.173403",
    "6.02214076e23",
    "Call of Duty 2003-2007",
    "chapters 100 101 102 103",
    "2^64 = 18446744073709551616",
    "100 000 000 €",
    "RFC 2822-2005",
    "Phone model 3310",
    "iPhone 12 2020",
    "SHA 3f786850e387550fdab836ed7e6dc881de23001b",
    "Llei 12/2008, del 23 de maig",
    "Decret 123/2019",
    "BOPA núm. 45 2004",
    "art. 123-456",
    "1945–1989",
    "200-300-400",
    "Boeing 737-800 2010",
    "6543210",
    "123e4567-e89b-12d3-a456-426614174000",
    "AB12CD34",
    "C3PO R2D2 X1234",
    "H2SO4 2008",
    "A320neo1234567",
]
NO_SECRET = [
    "id = '123e4567-e89b-12d3-a456-426614174000'",
    "token = '123e4567-e89b-12d3-a456-426614174000'",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "password = 'password123'",
    "secret_path = '/home/me/data/v2/file'",
    "api_key = os.environ['API_KEY_2']",
    "password = 'changeme1'",
    "token = tokenizer.encode_2",
    "key = 'AKIAIOSFODNN7EXAMPLE'",
    "PASSWORD_MIN_LENGTH = 12345678",
    "secret = get_secret('x1')",
    "token: 50256",
    "max_tokens=4096000",
    "https://user:password@host/",
    "api_key = 'YOUR_API_KEY_HERE1'",
    "AUTH_TOKEN=${TOKEN_1}",
    "sort key=lambda x1: x1",
    "disk-utils-for-sk-learn-model-selection-v2",
    "sk-learn-something-very-long-package-name",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA",
    "ssh-keygen = 'sha1-abc'",
    "password_hash = pbkdf2",
]


def kinds(text: str, **facts: str) -> set[str]:
    return {kind for _, _, kind in json.loads(str(Pii().edit_view(View(text, facts=facts))[1]["spans"]))}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
def test_private_data_is_found_alone_and_in_running_text(kind, text):
    for written in (text, f"Hello, {text}. Bye", f"note\n{text}, and more"):
        assert kind in kinds(written)


@pytest.mark.parametrize("text", NOTHING)
def test_numbers_and_names_that_are_nobodys_are_left_alone(text):
    assert kinds(text) == set()
    assert kinds(f"Hello, {text}. Bye") == set()


def drawn(size: int, letters: str = string.ascii_letters + string.digits) -> str:
    return "".join(random.Random(size).choices(letters, k=size))


HEX = "0123456789abcdef"
SECRETS = [
    "ghp_" + drawn(36),
    "github_pat_" + drawn(22) + "_" + drawn(59),
    "AKIA" + drawn(16, string.ascii_uppercase + "234567"),
    "AIza" + drawn(35),
    "sk_live_" + drawn(24),
    "sk-" + drawn(48),
    "sk-proj-" + drawn(100),
    "sk-ant-api03-" + drawn(90),
    f"xoxb-{drawn(12, string.digits)}-{drawn(13, string.digits)}-{drawn(24)}",
    "glpat-" + drawn(20),
    "npm_" + drawn(36),
    "hf_" + drawn(34),
    f"SG.{drawn(22)}.{drawn(43)}",
    f"eyJ{drawn(20)}.eyJ{drawn(40)}.{drawn(43)}",
    "123456789:AA" + drawn(33),
    f'aws_secret_access_key = "{drawn(40)}"',
    "password = 'Xk9$mPq2vL'",
    "DB_PASSWORD=Xk9mPq2vLw81",
    "api_key: " + drawn(32, HEX),
    f'"client_secret": "{drawn(24)}"',
    "Authorization: Bearer " + drawn(40),
    "Server=x;User Id=sa;Password=Pa55w0rd!x9;",
    "password: hunter2!X",
]


@pytest.mark.parametrize("text", SECRETS)
def test_keys_and_passwords_are_found(text):
    assert "secret" in kinds(text)


@pytest.mark.parametrize(
    "text",
    [*NO_SECRET, "hash = '" + drawn(40, HEX) + "'", "sha256:" + drawn(64, HEX), "integrity: sha512-" + drawn(80)],
)
def test_hashes_paths_identifiers_and_made_up_keys_are_no_secrets(text):
    assert kinds(text) == set()


def test_a_private_key_is_taken_whole():
    body = "\n".join(drawn(64 + n)[:64] for n in range(5))
    text = f"before\n-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\nafter"
    assert Pii().edit(text) == "before\n<PRIVATE_KEY>\nafter"
    assert kinds("-----BEGIN PUBLIC KEY-----\n" + body + "\n-----END PUBLIC KEY-----") == set()


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("(mailto:ana@casa.cat)", "(mailto:<EMAIL>)"),
        ('<a href="mailto:%20ana@casa.cat">', '<a href="mailto:%20<EMAIL>">'),
        ("https://x.org/?to=ana@casa.cat&x=1", "https://x.org/?to=<EMAIL>&x=1"),
        ("Tel. (+376) 812 345, fax", "Tel. <PHONE>, fax"),
        ("415-555-2671 x123", "<PHONE>"),
        ("mysql://admin:s3cr3tpw@db:3306", "mysql://<URL_CREDENTIALS>@db:3306"),
        ("[2a00:1450:4007:80e::200e]:80", "[<IP_ADDRESS>]:80"),
    ],
)
def test_exactly_the_private_part_is_replaced(text, after):
    assert Pii().edit(text) == after
