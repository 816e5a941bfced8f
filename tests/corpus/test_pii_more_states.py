"""Numbers of more states, telephones by more words, and passwords that are told; every example is made up."""

from __future__ import annotations

import pytest

from pilotlight.corpus.edits.pii import Pii
from pilotlight.corpus.view import View


def edited(text: str, language: str) -> str:
    return Pii().edit_view(View(text, facts={"language": language}))[0]


@pytest.mark.parametrize(
    ("text", "language", "after"),
    [
        ("Minu isikukood on 37605030299.", "et", "Minu isikukood on <NATIONAL_ID>."),
        ("Mans personas kods ir 061016-22042.", "lv", "Mans personas kods ir <NATIONAL_ID>."),
        ("Asmens kodas: 33309240064", "lt", "Asmens kodas: <NATIONAL_ID>"),
        ("Το ΑΜΚΑ μου είναι 29052401154.", "el", "Το ΑΜΚΑ μου είναι <NATIONAL_ID>."),
        ("เลขประจำตัวประชาชน 1-2103-47325-22-6", "th", "เลขประจำตัวประชาชน <NATIONAL_ID>"),
        ("מספר הזהות שלי 077013076.", "he", "מספר הזהות שלי <NATIONAL_ID>."),
        ("Мій ІПН 2747146904.", "uk", "Мій ІПН <NATIONAL_ID>."),
        ("A TAJ számom 123 456 788.", "hu", "A TAJ számom <NATIONAL_ID>."),
        ("JMBG: 0101006500006", "hr", "JMBG: <NATIONAL_ID>"),
        ("Kennitala: 120174-3399", "is", "Kennitala: <NATIONAL_ID>"),
        ("کد ملی 0013542419 است", "fa", "کد ملی <NATIONAL_ID> است"),
        ("His Emirates ID is 784-1980-1234567-8.", "en", "His Emirates ID is <NATIONAL_ID>."),
        ("CNIC 35202-1234567-1 of Lahore", "en", "CNIC <NATIONAL_ID> of Lahore"),
        ("O meu NIF é PT123456789.", "pt", "O meu NIF é <NATIONAL_ID>."),
        ("Chiamami al 3420837783 stasera.", "it", "Chiamami al <PHONE> stasera."),
        ("Appelle-moi au 0633903289 ce soir.", "fr", "Appelle-moi au <PHONE> ce soir."),
        ("Telefonnummeret mitt er 93533740.", "no", "Telefonnummeret mitt er <PHONE>."),
        ("A telefonszámom 06-3/740 6812.", "hu", "A telefonszámom <PHONE>."),
        ("Số điện thoại của tôi là 03 3740 6812.", "vi", "Số điện thoại của tôi là <PHONE>."),
        ("My password is Tr0ub4(dor&3, keep it safe", "en", "My password is <SECRET>, keep it safe"),
        ("La contraseña es aB3$efgh9!", "es", "La contraseña es <SECRET>"),
        ('Password: "u2F*8)kk(e"', "en", 'Password: "<SECRET>"'),
    ],
)
def test_what_is_named_is_found(text, language, after):
    assert edited(text, language) == after


@pytest.mark.parametrize(
    "text",
    [
        "Minu isikukood on 37605030298.",
        "Мій ІПН 2747146905.",
        "1-2103-47325-22-5",
        "Kennitala: 120174-3489",
        "00DF; 00DF; 0053 0073; 0053 0053; # LATIN SMALL LETTER SHARP S",
        "LATIN SMALL LETTER I WITH DOT ABOVE AND ACUTE;0069 0307 0301",
        "User's Manual, HP part no 33471-90901, June 1989.",
        "password: getPassword1()",
        "password: Settings.Password1,",
        "password: ${DB_PASS_1}",
        "password: <your-password-1!>",
        "Password: {{ vault_pw_1! }}",
        "password is required_1st time",
        "password = os.environ['PASSWORD_1']",
        "password = models.CharField(max_length=128)",
    ],
)
def test_wrong_check_digits_and_code_are_left_alone(text):
    for language in ("en", "et", "uk", "th", "is"):
        assert edited(text, language) == text
