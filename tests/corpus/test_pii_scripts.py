"""Private data beside scripts without blanks, in papers of several states, after possessives; and what only looks so."""

from __future__ import annotations

import json
import time

import pytest

from pilotlight.corpus.edits.pii import Pii
from pilotlight.corpus.view import View

SHOWN = Pii(kinds={"company_id": "redact"})


def edited(text: str, language: str = "", part: Pii = SHOWN) -> str:
    return part.edit_view(View(text, facts={"language": language}))[0]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("kim@naver.com입니다", "<EMAIL>입니다"),
        ("ご連絡はメールはtaro.yamada@yahoo.co.jpまで", "ご連絡はメールは<EMAIL>まで"),
        ("请联系我,邮箱zhang.wei@163.com", "请联系我,邮箱<EMAIL>"),
        ("请联系我,邮箱zhang.wei@163.com谢谢", "请联系我,邮箱<EMAIL>谢谢"),
        ("ติดต่อsomchai@mail.co.thครับ", "ติดต่อ<EMAIL>ครับ"),
        ("Пишите на ivan@почта.рф.", "Пишите на <EMAIL>."),
        ("info@mail.почта.рф", "<EMAIL>"),
        ("hong@회사.한국으로", "<EMAIL>으로"),
        ("write to zhang@例え.com today", "write to <EMAIL> today"),
        ("joan.peré@softcatalà.cat, info@müller.de", "<EMAIL>, <EMAIL>"),
        ("地址是81.45.12.200，谢谢", "地址是<IP_ADDRESS>，谢谢"),
        ("地址是2a00:1450:4007:80e::200e。", "地址是<IP_ADDRESS>。"),
    ],
)
def test_an_address_ends_where_another_script_begins(text, after):
    assert edited(text) == after
    assert edited(after) == after


@pytest.mark.parametrize(
    ("text", "language", "after"),
    [
        ("电话是13800138000", "zh", "电话是<PHONE>"),
        ("電話は090-1234-5678まで", "ja", "電話は<PHONE>まで"),
        ("전화번호는 010-1234-5678입니다", "ko", "전화번호는 <PHONE>입니다"),
        ("फोन 98765 43210", "hi", "फोन <PHONE>"),
        ("Звоните по телефону 8 912 345 67 89", "ru", "Звоните по телефону <PHONE>"),
        ("Rufen Sie an: 089/12345678", "de", "Rufen Sie an: <PHONE>"),
    ],
)
def test_a_telephone_is_known_by_words_that_touch_their_neighbours(text, language, after):
    assert edited(text, language) == after
    assert edited(text) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("NIP 526-10-40-828", "NIP <COMPANY_ID>"),
        ("NIP: 5261040828", "NIP: <COMPANY_ID>"),
        ("SIRET 732 829 320 00074", "SIRET <COMPANY_ID>"),
        ("SIREN 732 829 320", "SIREN <COMPANY_ID>"),
        ("ИНН 7707083893", "ИНН <COMPANY_ID>"),
        ("ИНН: 500100732259", "ИНН: <NATIONAL_ID>"),
        ("СНИЛС 112-233-445 95", "СНИЛС <NATIONAL_ID>"),
        ("паспорт 45 08 123456", "паспорт <PASSPORT>"),
        ("паспорт серия 4508 номер 123456", "паспорт серия <PASSPORT>"),
        ("RG 12.345.678-9", "RG <NATIONAL_ID>"),
        ("28/12345678/40", "<NATIONAL_ID>"),
        ("Seguridad Social: 281234567840", "Seguridad Social: <NATIONAL_ID>"),
        ("Sozialversicherungsnummer 65 170839 J 003", "Sozialversicherungsnummer <NATIONAL_ID>"),
        ("SV-Nummer 65170839J003", "SV-Nummer <NATIONAL_ID>"),
    ],
)
def test_numbers_of_states_have_their_own_kinds(text, after):
    assert edited(text) == after


@pytest.mark.parametrize(
    "text",
    [
        "Room 101-202-3030",
        "pages 123-456-7890",
        "(123) 456-7890",
        "NIP 123-456-78-90",
        "SIRET: 123 456 789 00012",
        "28/12345678/41",
        "СНИЛС 112-233-445 96",
        "version 1.1.1.1",
        "8.8.8.8",
        "手机的价格是12345678元",
        "see https://www.justice.gov/ag/file/1554086/dl?inline and (https://example.gov/file/1577431/dl)",
    ],
)
def test_wrong_check_digits_and_area_codes_are_nothing(text):
    assert edited(text) == text


def test_a_number_that_cannot_be_american_is_a_telephone_beside_the_word():
    assert edited("phone 101-202-3030") == "phone <PHONE>"


def test_a_public_service_is_a_host_like_any_other():
    assert edited("ping 8.8.8.8, DNS server 9.9.9.9") == "ping <IP_ADDRESS>, DNS server <IP_ADDRESS>"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("José García's car", "<NAME>'s car"),
        ("Mark’s and Mark's", "<NAME>’s and <NAME>'s"),
        ("l'Émile Zola, L’Émile Zola’s", "l'<NAME>, L’<NAME>’s"),
        ("d'Anna et D'Anna, qu'Anna", "d'<NAME> et D'<NAME>, qu'<NAME>"),
        ("James' car", "<NAME>' car"),
        ("O'Brien's house", "<NAME>'s house"),
        ("Marks, Anna's2, d'annata", "Marks, Anna's2, d'annata"),
    ],
)
def test_a_name_is_found_before_a_possessive_and_behind_an_elided_word(text, after, tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("José García\nMark\nÉmile Zola\nAnna\nJames\nO'Brien\n", encoding="utf-8")
    assert edited(text, part=Pii(names=path)) == after


@pytest.mark.parametrize("unit", ["=1", "1 ", "k=1", "12 ", "@例え."])
def test_a_long_row_of_signs_costs_little_and_grows_in_step(unit):
    def seconds(size: int) -> float:
        begin = time.process_time()
        SHOWN.edit(unit * (size // len(unit)))
        return time.process_time() - begin

    seconds(1000)
    small = max(seconds(50_000), 0.002)
    large = seconds(500_000)
    assert large < 30 * small
    assert large < 1.0


def test_a_secret_is_found_among_a_thousand_other_assignments():
    text = "a=12345678 " * 3000 + "password = 'Xk9$mPq2vL'"
    assert [kind for _, _, kind in json.loads(str(Pii().edit_view(View(text))[1]["spans"]))] == ["secret"]
