"""What every filter has to do, over the folder of filters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.filter import Filter
from pilotlight.spec import discover

KINDS = discover(Filter.folder)

PROSE = {
    "en": "The council meets on the first Monday of every month. Its sessions are public, and anyone may ask to speak "
    "for five minutes.\n\nMinutes are kept by the secretary and read out at the next session.",
    "es": "El reglamento entrará en vigor el día siguiente al de su publicación. Quedan derogadas las disposiciones "
    "que se opongan a lo establecido en él.\n\nDado en Lima, a los cinco días del mes de abril.",
    "ca": "La llei qualificada de l'educació regula els drets dels alumnes i de les seves famílies. Els centres han de "
    "publicar el seu projecte educatiu abans de l'inici del curs.",
    "zh": "本法自公布之日起施行。任何单位和个人都有义务保护环境，并有权对污染环境的行为进行检举和控告。",
    "ar": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق، "
    "وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "th": "มนุษย์ทั้งปวงเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม",
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


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_keeps_and_drops_its_examples(kind):
    part = KINDS[kind]()
    assert part.keeps
    assert part.drops
    assert [part.reason_to_drop(text) for text in part.keeps] == [None] * len(part.keeps)
    assert all(part.reason_to_drop(text) for text in part.drops)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reason_names_the_rule_and_then_what_was_measured(kind):
    for text in KINDS[kind].drops:
        assert re.fullmatch(r"[a-z][a-z -]+: .+", KINDS[kind]().reason_to_drop(text))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", PROSE)
def test_a_filter_keeps_ordinary_prose_in_any_language(kind, language):
    assert KINDS[kind]().reason_to_drop(PROSE[language]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_that_looks_at_code_keeps_ordinary_code(kind):
    part = KINDS[kind]()
    assert part.applies_to == "prose" or part.reason_to_drop(CODE) is None


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300))
def test_a_filter_judges_any_text_the_same_way_twice(kind, text):
    part = KINDS[kind]()
    assert part.reason_to_drop(text) == part.reason_to_drop(text)
