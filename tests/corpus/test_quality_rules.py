"""Every rule of Gopher, C4 and FineWeb by itself: a text that has to go for it, and its neighbour that has to stay."""

from __future__ import annotations

import pytest

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.filters.c4 import C4
from pilotlight.corpus.filters.fineweb import Fineweb
from pilotlight.corpus.filters.gopher import Gopher
from pilotlight.corpus.filters.gopher_repetition import GopherRepetition
from pilotlight.corpus.view import View
from pilotlight.spec import discover

WORDS = [
    "river",
    "stone",
    "window",
    "garden",
    "letter",
    "market",
    "teacher",
    "morning",
    "bridge",
    "forest",
    "captain",
    "mountain",
    "silver",
    "harbour",
    "kitchen",
    "summer",
    "village",
    "winter",
    "castle",
    "doctor",
    "farmer",
    "island",
    "journey",
    "lantern",
    "meadow",
    "number",
    "orchard",
    "painter",
    "quarter",
    "railway",
    "sailor",
    "temple",
    "uncle",
    "valley",
    "wagon",
    "yellow",
    "anchor",
    "basket",
    "candle",
    "desert",
    "engine",
    "feather",
    "glacier",
    "hammer",
    "insect",
    "jacket",
    "kettle",
    "ladder",
    "mirror",
    "needle",
    "office",
    "pocket",
    "rabbit",
    "saddle",
    "tailor",
    "velvet",
    "walnut",
    "zebra",
    "bottle",
    "copper",
]
PLAIN = "The " + " and the ".join(WORDS[:30]) + " have to be there."
KOREAN = "마을 사람들은 매달 첫째 월요일에 모여 물과 길에 대해 이야기한다. " + " ".join(
    f"그날 {word} 사람도 와서 말을 할 수 있다."
    for word in ("어느", "다른", "모든", "젊은", "늙은", "새로운", "먼", "가까운")
)


def reason(part: Filter, text: str, **facts: str) -> str:
    return (part.reason_to_drop(part.measure(View(text, facts=facts))) or "").partition(":")[0]


def sentence(number: int) -> str:
    """A sentence that shares no run of three words with another."""
    chosen = [WORDS[(number * step + step * step) % len(WORDS)] for step in (1, 7, 11, 13, 17, 19)]
    return (
        f"Every {chosen[0]} {number} {chosen[1]} near {chosen[2]} {chosen[3]} saw {chosen[4]} {number + 1} {chosen[5]}."
    )


def prose(count: int, between: str = "\n") -> str:
    return between.join(sentence(number) for number in range(count))


GOPHER = [
    ("few words", " ".join(WORDS[:49]), " ".join(WORDS[:50])),
    ("many words", "book " * 100_001, "book " * 100_000),
    ("short words", "ab cd " * 40, "abc def " * 40),
    ("long words", "abcdefghijk " * 60, "abcdefghij " * 60),
    ("hash signs", PLAIN + " #tag" * 12, PLAIN + " #tag" * 9),
    ("ellipses", PLAIN + " so..." * 12 + " Yes.", PLAIN + " so..." * 9 + " Yes."),
    ("ellipses", PLAIN + " so…" * 12 + " Yes.", PLAIN + " so…" * 9 + " Yes."),
    ("bullet points", "\n".join(f"• {word} goes" for word in WORDS), PLAIN + "\n• one\n- two\n* three"),
    ("bullet points", "\n".join(f"- {word} goes" for word in WORDS), "\n".join(f"-{word} goes!" for word in WORDS)),
    ("cut-off lines", f"{PLAIN}\nand so…\nas it was...", f"{PLAIN}\nand so.\nas it was.\nbut...\nno more."),
    ("words without letters", " ".join(WORDS) + " 17" * 16, " ".join(WORDS) + " 17" * 14),
]


@pytest.mark.parametrize(("rule", "goes", "stays"), GOPHER)
def test_each_rule_of_gopher(rule, goes, stays):
    assert reason(Gopher(), goes) == rule
    assert reason(Gopher(), stays) == ""


def test_stop_words_are_those_of_the_language():
    english, list_of_words = PLAIN, " ".join(WORDS)
    assert reason(Gopher(), english, language="en") == ""
    assert reason(Gopher(), english.upper(), language="en") == ""
    assert reason(Gopher(), english, language="de") == "few stop words"
    assert reason(Gopher(), list_of_words, language="en") == "few stop words"
    assert reason(Gopher(), list_of_words) == ""
    assert reason(Gopher(), list_of_words, language="qu") == ""
    assert reason(Gopher(language="en"), list_of_words) == "few stop words"
    assert reason(Gopher(), "东西南北" * 40, language="zh-Hant") == "few stop words"
    assert reason(Gopher(), "东西南北" * 40 + "是不", language="zh") == ""


def test_words_of_scripts_without_spaces_are_counted_by_what_they_say():
    for text, low, high in (
        ("图书馆九点开门，书可以借一个月。" * 5, 35, 50),  # "The library opens at nine, books may be kept for a month."
        ("図書館は九時に開きます。本は一か月借りることができます。" * 5, 40, 60),
        ("ห้องสมุดเปิดเก้าโมงเช้า ยืมหนังสือได้หนึ่งเดือน" * 5, 35, 55),
    ):
        values = Gopher().measure(View(text))
        assert low <= values["words"] <= high
        assert values["word_length"] == -1


def test_the_length_of_words_is_looked_at_in_alphabets_and_known_languages_only():
    long = " ".join(f"{word}suaqarsinnaasoq" for word in WORDS)
    assert reason(Gopher(), long) == "long words"
    assert reason(Gopher(), long, language="en") == "long words"
    assert reason(Gopher(), long, language="kl") == ""
    assert Gopher().measure(View(KOREAN))["word_length"] == -1
    assert Gopher().measure(View("слово и дело"))["word_length"] > 0


def test_marks_of_headings_are_no_hash_signs():
    law = "\n".join(f"##### Article {number}\n{sentence(number)}" for number in range(12))
    assert Gopher().measure(View(law))["hashes"] == 0
    assert Gopher().measure(View("#one #two"))["hashes"] == 1


def test_words_keep_their_apostrophes_middle_dots_and_decimal_points_together():
    def count(text: str) -> object:
        return Gopher().measure(View(text))["words"]

    assert count("l'ordre col·legi don’t 3.14 1,000") == 5
    assert count("'quoted' end.Start 3. a·") == 5
    assert count("नमस्ते दुनिया") == 2
    assert count("snake_case re-use") == 3


LONG = " ".join(WORDS[10:50]) + "."
OTHERS = [prose(40).split("\n")[start : start + 5] for start in range(0, 30, 5)]
PARAGRAPHS = "\n\n".join("\n".join(lines) for lines in OTHERS)


def phrases(phrase: str, times: int) -> str:
    """The phrase, every time between other words."""
    endings = ("", "ful", "less", "ness", "wise")
    between = [" ".join(word + ending for ending in endings) for word in WORDS]
    return " ".join(f"{phrase} {between[number]}" for number in range(times))


REPETITION = [
    ("repeated lines", "Go\n" * 10 + prose(18), "Go\n" * 5 + prose(18)),
    ("repeated line characters", prose(12) + f"\n{LONG}" * 3, prose(12) + "\nA line that is here again." * 3),
    ("repeated paragraphs", PARAGRAPHS + "\n\nGo\nin" * 5, PARAGRAPHS + "\n\nGo\nin" * 3),
    ("frequent two words", phrases("concerning municipalities", 10), phrases("concerning municipalities", 3)),
    ("frequent three words", phrases("market in spring", 10), phrases("market in spring", 3)),
    ("frequent four words", phrases("from time past here", 10), phrases("from time past here", 3)),
    ("repeated phrases", prose(5, " ") + " The board of the bank has met in the old town hall." * 3,
     prose(5, " ") + " The board of the bank has met in the old town hall."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "goes", "stays"), REPETITION)
def test_each_rule_of_repetition(rule, goes, stays):
    assert reason(GopherRepetition(), goes) == rule
    assert reason(GopherRepetition(), stays) == ""


def test_repeated_characters_of_paragraphs_are_a_rule_of_their_own():
    long = prose(9)
    paragraphs = [long, long, *(sentence(number) for number in range(9, 20))]
    values = GopherRepetition().measure(View("\n\n".join(paragraphs)))
    assert values["paragraphs"] == pytest.approx(1 / 13)
    assert values["paragraph_characters"] > 0.2
    loose = GopherRepetition(lines=1, line_characters=1)
    assert loose.reason_to_drop(values).startswith("repeated paragraph characters")


@pytest.mark.parametrize("size", [5, 6, 7, 8, 9, 10])
def test_repeated_phrases_of_each_length_are_a_rule_of_their_own(size):
    phrase = " ".join(WORDS[:size])
    text = " ".join(f"{phrase} x{number} y{number}" for number in range(8))
    values = GopherRepetition().measure(View(text))
    assert values[f"again_{size}"] == pytest.approx(7 * (len(phrase) - size + 1) / len(text))
    assert size == 10 or values[f"again_{size + 1}"] == 0
    strict = GopherRepetition(top=(1, 1, 1), again=[0.1 if number == size else 1 for number in range(5, 11)])
    assert reason(strict, text) == "repeated phrases"
    assert reason(strict, prose(8, " ")) == ""


def test_a_word_in_several_repeated_phrases_is_counted_once():
    text = "one two three four five six " * 20
    values = GopherRepetition().measure(View(text.strip()))
    assert all(0 < values[f"again_{size}"] <= 1 for size in range(5, 11))
    assert all(0 < values[f"top_{size}"] <= 1 for size in (2, 3, 4))


def test_rulers_and_cells_of_tables_may_come_again():
    table = "\n| --- | --- |\n".join(f"| {word} |\n0" for word in WORDS)
    values = GopherRepetition().measure(View(table))
    assert values["lines"] == 0
    assert Fineweb().measure(View(table))["repeated_characters"] == 0


def test_repetition_is_seen_in_scripts_without_spaces_and_ordinary_text_in_them_stays():
    once = "图书馆九点开门，读者可以借书一个月；儿童阅览室在二楼，星期天有人讲故事，冬天还有音乐会和小型展览。"
    assert reason(GopherRepetition(), once * 4, language="zh") == "repeated phrases"
    assert reason(GopherRepetition(), once, language="zh") == ""


NOTE = "The library opens at nine. Books may be kept for a month. Please return them in time."
RULES_OF_C4 = [
    ("place holder", NOTE + " LOREM IPSUM.", NOTE + " Ipsum lorem."),
    ("curly brackets", NOTE + " {", NOTE + " (["),
    ("few sentences", "It opens. It closes", "It opens. It closes. It opens."),
    ("few sentences", "Version 1.2.3 of a.b.c", "Is it? It is! “So it is.”"),
]


@pytest.mark.parametrize(("rule", "goes", "stays"), RULES_OF_C4)
def test_each_rule_of_c4(rule, goes, stays):
    assert reason(C4(), goes) == rule
    assert reason(C4(), stays) == ""


def test_c4_counts_whole_lines_and_can_ask_for_them():
    text = f"Home\nA line of words\nYes.\n{NOTE}\nIs this a whole line?"
    assert C4().measure(View(text))["whole_lines"] == 2
    assert reason(C4(whole_lines=3), text) == "few whole lines"
    assert reason(C4(whole_lines=2), text) == ""


def test_sentences_end_differently_in_other_scripts():
    for text, count in (
        ("मैं घर गया। वह सो गया। सब ठीक है।", 3), ("这是书。那是笔！你好吗？", 3), ("እሱ መጣ። እሷ ሄደች።", 2),
        ("هل جاء؟ نعم. ذهب.", 3), ("Wait... what?! Yes.", 3), ("ເຂົາມາ ແລ້ວກັບ", -1), ("เขามาแล้วกลับไป", -1),
    ):  # fmt: skip
        assert C4().measure(View(text))["sentences"] == count


NEWS = prose(6)
OPEN = prose(9).replace(".\n", "\n").removesuffix(".")
RULES_OF_FINEWEB = [
    ("open lines", OPEN, f"{OPEN}\n{sentence(20)}\n{sentence(21)}"),
    ("short lines", "Go in.\n" + "\n".join(f"See the {word}." for word in WORDS[:20]) + "\n" + NEWS, NEWS + "\nGo in.\nGo out."),
    ("repeated lines", NEWS + "\n" + sentence(2), NEWS + "\n" + sentence(7)),
    ("line breaks", NEWS.replace("\n", "\n" * 6), NEWS.replace("\n", "\n" * 2)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "goes", "stays"), RULES_OF_FINEWEB)
def test_each_rule_of_fineweb(rule, goes, stays):
    assert reason(Fineweb(), goes) == rule
    assert reason(Fineweb(), stays) == ""


@pytest.mark.parametrize(
    "line", ["He came.", "“He came.”", "(He came.)", "Did he?»", "他来了。", "वह आया।", "He said 'yes'", "_He came._"]
)
def test_a_line_ends_with_a_mark_even_inside_quotes_and_brackets(line):
    assert Fineweb().measure(View(line))["ended_lines"] == 1


@pytest.mark.parametrize("line", ["Home", "He came,", "Read more »x", "(see above)", "12", "Terms:"])
def test_a_line_without_a_mark_is_open(line):
    assert Fineweb().measure(View(line))["ended_lines"] == 0


def test_thai_is_not_asked_for_marks_and_short_lines_are_shorter_in_chinese():
    thai = "ชาวบ้านประชุมกันทุกวันจันทร์แรกของเดือน\nทุกคนมีสิทธิ์เข้าร่วมและแสดงความคิดเห็น"
    assert Fineweb().measure(View(thai))["ended_lines"] == -1
    assert Fineweb().measure(View("图书馆每天早上九点开门。"))["short_lines"] == 0
    assert Fineweb().measure(View("图书馆。"))["short_lines"] == 1


@pytest.mark.parametrize("kind", ["gopher", "gopher_repetition", "c4", "fineweb"])
def test_rules_for_prose_leave_code_alone(kind):
    assert discover(Filter.folder)[kind]().applies_to == "prose"
