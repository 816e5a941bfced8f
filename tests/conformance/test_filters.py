"""What every filter has to do, over the folder of filters."""

from __future__ import annotations

import functools
import json
import math
import re
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.linear import BUCKETS, LinearModel
from pilotlight.corpus.view import View
from pilotlight.spec import discover

KINDS = discover(Filter.folder)


@functools.cache
def _model() -> Path:
    """A model that finds whatever has a letter good."""
    path = Path(tempfile.mkdtemp()) / "model.npz"
    LinearModel(np.full(BUCKETS, 5.0, np.float32), -2.0, 0.5, {}).save(path)
    return path


def made(kind: str) -> Filter:
    """A filter of each kind; a new kind with required settings is added here."""
    return KINDS[kind].model_validate({"model": _model()} if kind == "classifier" else {})


PROSE = {
    "en": "The council meets on the first Monday of every month. Its sessions are public, and anyone may ask to speak "
    "for five minutes.\n\nMinutes are kept by the secretary and read out at the next session. Those who cannot come "
    "may send a letter, which has to be answered in writing within thirty days.\nThe budget is decided in autumn.",
    "es": "El reglamento entrará en vigor el día siguiente al de su publicación. Quedan derogadas las disposiciones "
    "que se opongan a lo establecido en él.\n\nLas personas interesadas pueden pedir una copia en la secretaría del "
    "ayuntamiento, que la entregará sin coste alguno.\nDado en Lima, a los cinco días del mes de abril.",
    "ca": "La llei qualificada de l'educació regula els drets dels alumnes i de les seves famílies. Els centres han de "
    "publicar el seu projecte educatiu abans de l'inici del curs.\n\nLes escoles petites poden compartir mestres i "
    "materials amb les dels pobles veïns. El consell de cada centre aprova els comptes una vegada a l'any.",
    "zh": "本法自公布之日起施行。任何单位和个人都有义务保护环境，并有权对污染环境的行为进行检举和控告。\n\n"
    "各级政府应当公开有关信息，听取群众的意见，并且每年向人民代表大会报告工作。对保护环境有显著成绩的单位和个人，"
    "由政府给予奖励。\n违反本法规定的，依法承担责任。",
    "ar": "تجتمع لجنة القرية في بداية كل شهر وتناقش أمور الماء والطريق. يمكن لكل ساكن أن يحضر وأن يقول رأيه.\n\n"
    "يكتب الأمين ما تم الاتفاق عليه ثم يقرأه على الناس في الاجتماع التالي. من لا يستطيع الحضور يرسل رسالة إلى اللجنة، "
    "وعلى اللجنة أن ترد عليها خلال شهر واحد. هذا ما جرى عليه العمل منذ سنوات في هذه القرية.",
    "hi": "गाँव की सभा हर महीने के पहले सोमवार को होती है। सभा में कोई भी आ सकता है और अपनी बात कह सकता है।\n\n"
    "सचिव सारी बातें लिखता है और अगली सभा में पढ़कर सुनाता है। जो लोग नहीं आ सकते वे पत्र भेज सकते हैं। "
    "पत्र का उत्तर तीस दिन के भीतर देना पड़ता है। पैसे का हिसाब साल में एक बार सबके सामने रखा जाता है।",
    "th": "ชาวบ้านประชุมกันทุกวันจันทร์แรกของเดือน ทุกคนมีสิทธิ์เข้าร่วมและแสดงความคิดเห็นได้คนละห้านาที "
    "เลขานุการจะจดบันทึกและอ่านให้ที่ประชุมฟังในครั้งต่อไป\n\nผู้ที่มาไม่ได้สามารถส่งจดหมายถึงคณะกรรมการ "
    "ซึ่งจะต้องตอบเป็นลายลักษณ์อักษรภายในสามสิบวัน งบประมาณของหมู่บ้านจะพิจารณากันในฤดูฝนและประกาศให้ทุกคนทราบที่ศาลากลางบ้าน "
    "เด็กนักเรียนช่วยกันทำความสะอาดลานวัดทุกวันเสาร์",
}
CODE = '''
"""Return the areas of shapes."""

from math import pi

SIDES = {"triangle": 3, "square": 4}


def circle(radius):
    # pi r^2
    return pi * radius ** 2


class Square:
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2
'''
STRANGE = {
    "empty": "",
    "white": " \n\t\r\n\u2028\u00a0 ",
    "surrogates": "half \ud800 of a pair \udfff\n" * 3,
    "zeros": "\x00" * 50 + "a\x00b",
    "one character": "a" * 1_000_000,
    "one symbol": "." * 1_000_000,
    "one ideograph": "法" * 300_000,
    "line breaks": "\n" * 300_000,
    "marks alone": "\u0301\u0e48\u093e" * 20,
    "astral": "\U0001f600\U00020000\U0010ffff\U000e0041 " * 20,
}


def values_of(part: Filter, text: str, **facts: object) -> dict:
    return part.measure(View(text, "somewhere", facts))


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_keeps_and_drops_its_examples(kind):
    part = made(kind)
    assert part.keeps
    assert part.drops
    assert [part.judge(text) for text in part.keeps] == [None] * len(part.keeps)
    assert all(part.judge(text) for text in part.drops)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reason_names_the_rule_and_then_what_was_measured(kind):
    for text in KINDS[kind].drops:
        assert re.fullmatch(r"[a-z][a-z -]+: .+", made(kind).judge(text))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", PROSE)
def test_a_filter_keeps_ordinary_prose_in_any_language(kind, language):
    part = made(kind)
    assert part.judge(PROSE[language]) is None
    assert part.reason_to_drop(values_of(part, PROSE[language], language=language)) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_that_looks_at_code_keeps_ordinary_code(kind):
    part = made(kind)
    assert part.applies_to == "prose" or part.judge(CODE) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", STRANGE)
def test_any_text_is_measured_in_every_column_by_finite_values(kind, name):
    part = made(kind)
    values = values_of(part, STRANGE[name])
    assert set(values) == set(part.columns)
    assert all(type(value) in (float, int, str) for value in values.values())
    assert all(math.isfinite(value) for value in values.values() if not isinstance(value, str))
    assert part.reason_to_drop(json.loads(json.dumps(values))) == part.reason_to_drop(values)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_columns_have_the_same_types_for_any_text(kind):
    part = made(kind)
    texts = (*part.keeps, *part.drops, *PROSE.values(), CODE, "", "\n", "x")
    types = {tuple((name, type(value)) for name, value in values_of(part, text).items()) for text in texts}
    assert len(types) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_measured_does_not_depend_on_what_was_measured_before(kind):
    part = made(kind)
    for text in (*part.keeps, *part.drops):
        shared = View(text)
        for other in KINDS:
            made(other).measure(shared)
        assert part.measure(shared) == values_of(part, text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_describes_its_columns_and_its_facts_are_among_them(kind):
    part = KINDS[kind]
    assert part.columns
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) and words for name, words in part.columns.items())
    assert set(part.facts) <= set(part.columns)


@pytest.mark.parametrize("kind", KINDS)
def test_measuring_takes_time_in_proportion_to_the_text(kind):
    part = made(kind)

    def seconds(text: str) -> float:
        best = math.inf
        for _ in range(3):
            start = time.process_time()
            values_of(part, text)
            best = min(best, time.process_time() - start)
        return best

    for piece in (PROSE["en"] + "\n", "a" * 500, "() {} ## .. ", "word " * 100):
        small = piece * (40_000 // len(piece))
        # Ten times the text may take thirty times as long and 50 ms; where time grows by the square it takes more.
        assert seconds(small * 10) < 30 * seconds(small) + 0.05


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300))
def test_a_filter_judges_any_text_the_same_way_twice(kind, text):
    part = made(kind)
    assert part.judge(text) == part.judge(text)
    values = values_of(part, text)
    before = dict(values)
    assert part.reason_to_drop(values) == part.reason_to_drop(values)
    assert values == before
