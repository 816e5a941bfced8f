from __future__ import annotations

import gzip
import json

import pytest
from eval_examples import write_rows

from pilotlight.errors import ConfigError, DataError
from pilotlight.evals.reading import load

GOOD = {"question": "What burns?", "choices": ["oil", "stone"], "answer": "oil"}
SHAPES = {
    "index": ({"question": "q", "choices": ["a b", "c d"], "answer": 1}, 1),
    "letter": ({"question": "q", "options": ["a b", "c d"], "answer": "B"}, 1),
    "text": ({"prompt": "q", "choices": ["a b", "c d"], "label": "c d"}, 1),
    "arc": ({"question": {"stem": "q", "choices": [{"text": "x", "label": "1"}, {"text": "y", "label": "2"}]},
             "answerKey": "2"}, 1),
    "columns": ({"question": "q", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "B"}, 1),
    "hellaswag": ({"ctx": "He", "endings": ["runs.", "sits.", "eats."], "label": "2"}, 2),
    "piqa": ({"goal": "g", "sol1": "s", "sol2": "t", "label": 1}, 1),
    "winogrande": ({"sentence": "The cup fell because _ was wet.", "option1": "it", "option2": "he", "answer": "2"}, 1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "settings", "right"), [(2, {}, 2), (2, {"count_from": 1}, 1), (0, {"count_from": 1}, 0), (3, {}, 3)]
)
def test_a_number_is_a_place_even_where_the_options_are_numbers(answer, settings, right, tmp_path):
    row = {"question": "How many?", "choices": ["0", "2", "1", "3"], "answer": answer}
    loaded = load(write_rows(tmp_path / "t.jsonl", [row]), settings=settings)
    assert [item.right for item in loaded.items] == [right]
    with pytest.raises(DataError, match="two ways"):
        load(write_rows(tmp_path / "s.jsonl", [{**row, "answer": "2"}]))


@pytest.mark.parametrize("shape", SHAPES)
def test_known_shapes_of_multiple_choice_are_told_from_their_fields(shape, tmp_path):
    row, right = SHAPES[shape]
    loaded = load(write_rows(tmp_path / "task.jsonl", [row]))
    assert loaded.task.kind == "choice"
    assert loaded.items[0].right == right
    assert not loaded.refused


def test_prompts_are_what_a_text_would_look_like(tmp_path):
    rows = [GOOD, SHAPES["hellaswag"][0], SHAPES["winogrande"][0]]
    asked, goes_on, blank = load(write_rows(tmp_path / "t.jsonl", rows)).items
    assert (asked.spans[0].context, asked.spans[0].continuation) == ("Question: What burns?\nAnswer:", " oil")
    assert (goes_on.spans[1].context, goes_on.spans[1].continuation) == ("He", " sits.")
    assert (blank.spans[1].context, blank.spans[1].continuation) == ("The cup fell because he", " was wet.")


def test_a_prompt_can_be_given(tmp_path):
    path = write_rows(tmp_path / "t.jsonl", [{**GOOD, "topic": "fire {question}"}])
    loaded = load(path, settings={"prompt": "[{topic}] {question} ="})
    assert loaded.items[0].spans[0].context == "[fire {question}] What burns? ="
    with pytest.raises(DataError, match=r"asks for \{topics\}.*Did you mean 'topic'"):
        load(path, settings={"prompt": "{topics}"})


def test_classification_takes_its_labels_from_the_file_or_the_settings(tmp_path):
    rows = [{"text": "good", "label": 1}, {"text": "bad", "label": 0}, {"text": "odd", "label": 7}]
    path = write_rows(tmp_path / "t.jsonl", rows)
    assert load(path).items[0].labels == ("0", "1", "7")
    loaded = load(path, settings={"labels": ("no", "yes")})
    assert [item.right for item in loaded.items] == [1, 0]
    assert [(row.line, row.reason) for row in loaded.refused] == [(3, "the label is none of those given")]
    assert loaded.items[0].spans[1].continuation == " yes"
    with pytest.raises(ConfigError, match="two or more"):
        load(write_rows(tmp_path / "one.jsonl", rows[:1]))


def test_plain_text_and_rows_with_text_alone_are_passages(tmp_path):
    text = tmp_path / "BOOK.TXT.GZ"
    text.write_bytes(gzip.compress(("A paragraph of a book.\n\n" * 1000).encode()))
    loaded = load(text)
    assert loaded.task.kind == "passage"
    assert len(loaded.items) > 1
    assert "".join(item.text for item in loaded.items) == "A paragraph of a book.\n\n" * 1000
    assert load(write_rows(tmp_path / "t.jsonl", [{"text": "one", "source": "s"}])).task.kind == "passage"


def test_bad_rows_are_set_aside_with_their_line_and_counted(tmp_path):
    path = tmp_path / "t.jsonl"
    lines = [
        json.dumps(GOOD), "{broken", "", '["a"]', json.dumps({**GOOD, "answer": "wax"}), json.dumps({"question": "x"}),
        json.dumps({**GOOD, "choices": ["oil"]}), json.dumps({**GOOD, "choices": ["B", "A"], "answer": "A"}), json.dumps(GOOD),
    ]  # fmt: skip
    path.write_bytes("\n".join(lines).encode() + b"\n\xff\xfe\n")
    said = []
    loaded = load(path, watch=said.append)
    assert [item.id for item in loaded.items] == ["1", "9"]
    assert [row.line for row in loaded.refused] == [2, 4, 5, 6, 7, 8, 10]
    assert loaded.refused[0].reason == "broken JSON"
    assert "two ways" in loaded.refused[5].reason
    warning = next(note.text for note in said if note.level == "warning")
    assert "7 of 9 rows set aside" in warning
    assert "line 2: broken JSON" in warning
    assert any("told from its fields" in note.text for note in said)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"a": 1}\n{"b": 2}\n', "t.jsonl:1: its fields are a.*choice: question"),
        (
            '\n{"question": "q", "choices": ["x"], "answer": 0}\n',
            "t.jsonl:2: fewer than two options.*Expected question",
        ),
        ("", "holds no rows"),
        ("{", "t.jsonl:1: broken JSON"),
    ],
)
def test_a_file_that_is_no_task_is_refused_with_line_and_expected_fields(content, words, tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        load(path)


def test_other_files_and_unknown_settings_are_refused_in_words(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(DataError, match=r"JSON lines"):
        load(tmp_path / "t.csv")
    path = write_rows(tmp_path / "t.jsonl", [GOOD])
    with pytest.raises(ConfigError, match=r"no setting 'promt'.*Did you mean 'prompt'"):
        load(path, settings={"promt": "x"})
    with pytest.raises(ConfigError, match="choise"):
        load(path, kind="choise")


def test_only_the_first_items_are_kept_where_asked(tmp_path):
    loaded = load(write_rows(tmp_path / "t.jsonl", [GOOD] * 5), most=2)
    assert len(loaded.items) == 2


def test_a_file_named_after_its_split_takes_the_name_of_its_folder(tmp_path):
    folder = tmp_path / "winogrande"
    folder.mkdir()
    assert load(write_rows(folder / "dev.jsonl", [GOOD])).name == "winogrande-dev"
    assert load(write_rows(folder / "mine.jsonl", [GOOD])).name == "mine"
