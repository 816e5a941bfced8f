"""Groups that are named, the tone around them, and the table over a corpus."""

from __future__ import annotations

import json
import random

import pytest

from pilotlight.corpus.filters.identity import Identity
from pilotlight.corpus.lexicons.contexts import find_mentions, group_names
from pilotlight.corpus.mentions import as_markdown, fold_mentions
from pilotlight.corpus.view import View


def measured(text, language="en"):
    return Identity().measure(View(text, facts={"language": language}))


def test_groups_are_counted_by_axis_with_phrases_as_one():
    found = find_mentions("Black people and Muslims met an older woman; black coffee was served to her.", "en")
    assert found.counts == {"ethnicity/black": 1, "religion/muslim": 1, "gender/women": 2}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Las mujeres musulmanas y los hombres ancianos"),
        ("fr", "Les femmes musulmanes et l'homme retraité"),
        ("ca", "Les dones musulmanes i l'home ancià"),
    ],
)
def test_groups_are_found_in_each_language(language, text):
    assert set(find_mentions(text, language).counts) == {"gender/women", "gender/men", "religion/muslim", "age/older"}


def test_a_language_without_a_list_counts_nothing():
    assert find_mentions("Die Frau und her man", "de").counts == {}


def test_every_language_can_name_every_axis():
    assert {name.partition("/")[0] for name in group_names()} == {
        "gender", "orientation", "religion", "ethnicity", "age", "disability",
    }  # fmt: skip


def test_the_tone_is_that_of_the_words_nearby_and_negation_turns_it():
    good = find_mentions("The brave woman was kind. " + "word " * 30 + "The men were cruel.", "en")
    assert good.tones["gender/women"] == 1
    assert good.tones["gender/men"] == -1
    assert find_mentions("The woman was not kind.", "en").tones["gender/women"] == -1


def test_columns_are_compact_and_complete():
    values = measured("The woman met the man.")
    assert set(values) == set(Identity.columns)
    assert json.loads(values["groups"]) == {"gender/men": [1, 0.0], "gender/women": [1, 0.0]}
    assert (values["mentions"], values["words"]) == (2, 5)
    assert Identity().only_annotate


def corpus(count, seed):
    draw = random.Random(seed)
    for _ in range(count):
        tone = "kind" if draw.random() < 0.7 else "cruel"
        other = "kind" if draw.random() < 0.3 else "cruel"
        filler = " word" * 20
        yield measured(f"The woman was {tone}.{filler} A man was {other}.{filler}")


def test_the_table_covers_the_truth_and_merges_in_any_order():
    rows = list(corpus(300, 0))
    whole = fold_mentions(rows).table()
    left, right = fold_mentions(rows[:100]), fold_mentions(rows[100:])
    right.merge(left)
    for one, other in zip(whole, right.table(), strict=True):
        assert one.group == other.group
        assert one.mentions == other.mentions
        assert one.tone_interval == pytest.approx(other.tone_interval)
    women = next(row for row in whole if row.group == "women")
    men = next(row for row in whole if row.group == "men")
    assert women.tone_interval[0] <= 0.4 <= women.tone_interval[1]
    assert men.difference_interval[1] < 0 < women.difference_interval[0]
    assert women.documents == women.mentions == 300
    assert women.per_million_interval[0] <= women.per_million <= women.per_million_interval[1]
    assert "| gender | women | 300 | 300 |" in as_markdown(whole)


def test_the_intervals_of_the_tone_cover_at_their_level():
    inside = 0
    for seed in range(120):
        women = next(row for row in fold_mentions(corpus(60, seed)).table() if row.group == "women")
        inside += women.tone_interval[0] <= 0.4 <= women.tone_interval[1]
    assert inside >= 105


def test_a_group_in_few_documents_carries_a_caution_and_a_wide_interval():
    rows = [*corpus(50, 1), measured("A deaf person came.")]
    deaf = next(row for row in fold_mentions(rows).table() if row.group == "deaf")
    assert deaf.caution == "only 1 documents"
    assert deaf.tone_interval[1] - deaf.tone_interval[0] > 1


def test_a_corpus_that_names_nobody_has_an_empty_table():
    assert fold_mentions([measured("Water boils.")]).table() == []
    assert fold_mentions([]).table() == []
