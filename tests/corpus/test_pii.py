"""Private data as an edit: placeholders, settings, what is recorded, and that a second pass changes nothing."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pilotlight.corpus.edits.pii import Pii
from pilotlight.corpus.private.kinds import KINDS
from pilotlight.corpus.view import View
from pilotlight.errors import DataError

LETTER = (
    "Dear Joan,\nwrite to joan.peré@softcatala.org or call +34 612 345 678 (fax 93 412 34 56).\n"
    "IBAN ES91 2100 0418 4502 0005 1332, card 4111 1111 1111 1111, DNI 12345678Z, from 81.45.12.200.\n"
    "password = 'Xk9$mPq2vL'\n"
)


def spans(text: str, part: Pii | None = None, **facts: str) -> list[tuple[int, int, str]]:
    return json.loads(str((part or Pii()).edit_view(View(text, facts=facts))[1]["spans"]))


def test_each_kind_is_counted_and_its_place_in_the_original_is_noted_but_never_its_text():
    text, values = Pii().edit_view(View(LETTER))
    found = json.loads(str(values["spans"]))
    assert {kind: values[kind] for kind in KINDS if values[kind]} == {
        "email": 1, "phone": 2, "iban": 1, "payment_card": 1, "national_id": 1, "ip_address": 1, "secret": 1,
    }  # fmt: skip
    assert [LETTER[start:end] for start, end, kind in found if kind in ("email", "iban")] == [
        "joan.peré@softcatala.org", "ES91 2100 0418 4502 0005 1332",
    ]  # fmt: skip
    assert "softcatala" not in str(values)
    assert text.startswith("Dear Joan,\nwrite to <EMAIL> or call <PHONE> (fax <PHONE>).")
    assert set(values) == set(Pii.columns)


def test_placeholders_follow_the_style():
    assert Pii(style="[{kind}]").edit("a@b.org") == "[email]"
    assert Pii(style="█████").edit("Tel. +376 812 345!") == "Tel. █████!"


def test_a_kind_can_be_annotated_or_ignored():
    part = Pii(kinds={"email": "annotate", "phone": "ignore"})
    text, values = part.edit_view(View("a@b.org, +34 612 345 678"))
    assert text == "a@b.org, +34 612 345 678"
    assert (values["email"], values["phone"]) == (1, 0)


def test_what_is_off_by_default_can_be_switched_on():
    text = "Find @pilotlight at 12 Baker Street, zip code 08001, host 192.168.1.10."
    assert Pii().edit(text) == text
    on = Pii(kinds={"handle": "redact", "street_address": "redact", "postal_code": "redact", "local_ip": "redact"})
    assert on.edit(text) == "Find <HANDLE> at <STREET_ADDRESS>, zip code <POSTAL_CODE>, host <LOCAL_IP>."


def test_the_language_of_the_document_and_the_settings_say_which_countries_are_expected():
    number = "Vine al 93 412 34 56 o al 872 20 10 30."
    assert spans(number) == []
    assert len(spans(number, language="ca")) == 2
    assert len(spans("See 12345678Z there.", Pii(regions=("ES",)))) == 1
    assert spans("See 12345678Z there.") == []


def test_names_of_a_list_are_whole_words_whatever_their_accents(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("# people\nMaria García López\nO'Brien\nMaría\nJean-Luc Picard\n", encoding="utf-8")
    part = Pii(names=path)
    text = "María García Lopez met Marian, MARIA, O\u2019Brien, Jean-Luc Picard and maria at Garcia's."
    assert part.edit(text) == "<NAME> met Marian, <NAME>, <NAME>, <NAME> and maria at Garcia's."


def test_a_list_of_a_hundred_thousand_names_costs_little(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text(
        "\n".join(f"Na{'abcdefghij'[n % 10] * (n % 7)}me{n:x} Sur{n:x}" for n in range(100_000)), encoding="utf-8"
    )
    part = Pii(names=path)
    text = "The Town of Somewhere has Nothing to do with Namea Sura or Anybody else.\n" * 5000
    part.edit("warm")
    begin = time.process_time()
    part.edit(text)
    assert time.process_time() - begin < 1.5


def test_a_list_that_cannot_be_read_is_reported(tmp_path):
    with pytest.raises(DataError, match="list of names"):
        Pii(names=tmp_path / "absent.txt").edit("Maria")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": {"emial": "redact"}},
        {"kinds": {"email": "drop"}},
        {"style": ""},
        {"style": "<9>"},
        {"regions": ["Spain"]},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        Pii.model_validate(wrong)


PIECES = (
    "a@b.org", "+34 612 345 678", "4111 1111 1111 1111", "ES9121000418450200051332", "12345678Z", "81.45.12.200", "DNI ",
    "phone ", "card ", "<PHONE>", "<EMAIL>", " ", "1", "-", ".", "\n", "password=", "'Xk9$mPq2vL'", "://u:p4ss@", "x",
    "536-22-1845", "tel: ", "123 4567",
    "00:1A:2B:3C:4D:5E", "::", "@", "account number ", "passport ", "(", ")", "+", "born ", "12/03/1984",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14), style=st.sampled_from(["<{KIND}>", "[{kind}]", "x"]))
def test_editing_twice_changes_nothing_more_however_private_data_is_mixed(pieces, style):
    part = Pii(style=style)
    once = part.edit("".join(pieces))
    assert part.edit(once) == once


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
def test_places_lie_in_the_text_apart_and_in_order(pieces):
    text = "".join(pieces)
    found = spans(text)
    ends = [0]
    for start, end, kind in found:
        assert ends[-1] <= start < end <= len(text)
        assert kind in KINDS
        ends.append(end)


@pytest.mark.parametrize(
    "unit",
    ["1", "@", "a", "a@", ":", "_-", "1 ", "=1", "a@b.co ", "password=a1", "-----BEGIN PRIVATE KEY-----", "GB29 NWBK "],
)
def test_time_grows_in_step_with_the_text(unit):
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        begin = time.process_time()
        Pii().edit(text)
        return time.process_time() - begin

    seconds(1000)
    small = max(seconds(30_000), 0.002)
    assert seconds(120_000) < 4 * 3 * small


def test_a_changed_list_of_names_is_read_again(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("Anna Soler\n", encoding="utf-8")
    step = Pii(names=names, kinds={"name": "redact"})
    assert "Anna" not in step.edit("Anna Soler met Joan Puig.")
    names.write_text("Joan Puig\nPere Pi\n", encoding="utf-8")
    assert step.edit("Anna Soler met Joan Puig.").startswith("Anna Soler met <")
