"""Insults found by whole words, disguises and phrases; what names a group is not an insult."""

from __future__ import annotations

import codecs

import pytest

from pilotlight.corpus.filters.toxicity import Toxicity
from pilotlight.corpus.lexicons.profanity import find_profanity, words_for
from pilotlight.corpus.linear import load_model
from pilotlight.corpus.view import View
from pilotlight.errors import DataError


def plain(text):
    return codecs.decode(text, "rot13")


@pytest.mark.parametrize(
    "text",
    [
        "fuvg",
        "Fuvg!",
        "fu1g",
        "fu*g",
        "f*vg",
        "f u v g",
        "ovgpu",
        "o1gpu",
        "n$$ubyr",
        "fuvvvg",
        "a1tt3e",
        "oh11fuvg",
        "n55u0yr",
    ],
)
def test_an_insult_is_found_in_its_disguises(text):
    assert find_profanity(f"well {plain(text)} then").found == 1


@pytest.mark.parametrize(
    "text",
    [
        "Scunthorpe and Penistone are towns; the assassin read a classic in Sussex.",
        "The gay couple, the lesbian teacher, the Muslim doctor, the Jewish baker and the black man met.",
        "He arrived in Troy; MongoDB is a host; the analysis of the cockpit is in the document.",
        "Shut the door up there, please, and go to the hello page.",
    ],
)
def test_ordinary_words_and_names_of_groups_are_no_insults(text):
    assert find_profanity(text).found == 0


@pytest.mark.parametrize(
    "text",
    [
        plain("Oneel Ina Qlxr vf na npgbe, fba bs Qvpx Ina Qlxr. Ina Qlxr zrg Wreel Qlxr; Qlxr naq Qlxr'f fba."),
        plain("Zbol Qvpx"),
        plain("Gurer vf n puvax va gur nezbhe, naq puvaxf va gur jnyy."),
        plain("n synzr ergneqnag jvgu ergneqrq tebjgu"),
        plain("encr frrq naq encrfrrq bvy"),
        plain("Fur yrnarq ba ure ubr; gur ubrf jrer ehfgl."),
        plain("Gur pbpx pebjrq ng qnja, naq nabgure pbpx nafjrerq."),
        plain("gur nff pneevrq gur ybnq"),
        plain("gur ovgpu unq chccvrf, naq gur ovgpu ahefrq gurz"),
        plain("Fphagubecr"),
        plain("Gur pubyren rcvqrzvp bs 1854"),
        plain("Nyna Phzzvat naq Xvxr zrg."),
        plain("n ohaqyr bs fgvpxf, pnyyrq n snttbg"),
    ],
)
def test_a_word_that_means_something_else_never_flags_a_text_by_itself(text):
    part = Toxicity()
    assert part.reason_to_drop(part.measure(View(text, facts={"language": "en"}))) is None


@pytest.mark.parametrize("text", ["Qlxr", "Ina Qlxr", "Zbol Qvpx", "Nyna Phzzvat"])
def test_a_surname_is_nothing(text):
    assert find_profanity(plain(text), "en").found == 0


@pytest.mark.parametrize("text", ["lbh shpxvat qvpx", "lbh ner fhpu n ovgpu", "@fnz ubrf"])
def test_a_doubtful_word_counts_in_full_beside_an_insult_or_in_talk(text):
    part = Toxicity()
    assert part.reason_to_drop(part.measure(View(plain(text), facts={"language": "en"})))


@pytest.mark.parametrize(
    ("language", "text"),
    [("fr", "Yr genva n qh ergneq."), ("no", "Uivyxrg snt, bt rg xlf."), ("de", "Qvr SQC, haq qenhffra vfg rf uryy.")],
)
def test_an_english_insult_is_an_ordinary_word_elsewhere(language, text):
    assert find_profanity(plain(text), language).found == 0


def test_a_word_that_is_innocent_in_another_language_counts_only_in_its_own():
    text = "Il arrive tard avec son ami, con gusto, fan de rock"
    assert find_profanity(text, "fr").found >= 1
    assert find_profanity("Estoy con mi fan, muy tarde", "es").found == 0
    assert find_profanity("Det är dags att börja", "sv").found == 0


def test_the_same_insult_weighs_less_in_a_longer_text():
    insult = plain("nffubyr")
    assert find_profanity(insult).score > find_profanity(insult + " word" * 500).score > 0


def test_the_list_holds_no_names_of_groups():
    listed = set(words_for("en").weights)
    assert not listed & {b"gay", b"lesbian", b"muslim", b"jew", b"jewish", b"black", b"queer", b"woman", b"trans"}


def test_the_file_can_be_read_past():
    from importlib.resources import files

    text = (files("pilotlight.corpus.lexicons") / "profanity.txt").read_text(encoding="utf-8")
    assert plain("fuvg") not in text
    assert "rot13" in text


def test_the_filter_only_annotates_unless_told_and_counts_in_columns():
    part = Toxicity()
    assert part.only_annotate
    values = part.measure(View("You stupid, stupid idiot."))
    assert set(values) == set(Toxicity.columns)
    assert values["words"] == 3
    assert part.reason_to_drop(values).startswith("toxic: 0.65")
    assert Toxicity(threshold=0.9).reason_to_drop(values) is None


def test_a_model_that_is_missing_is_named(tmp_path):
    with pytest.raises(DataError, match="there is no model"):
        load_model(tmp_path / "none.npz")
