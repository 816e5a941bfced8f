"""The shapes in which published sets write multiple choice, read into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, final

from pilotlight.evals.task import BadRow, Row

QUESTIONS = ("question", "query")
CONTEXTS = ("context", "passage", "ctx", "prompt")
OPTIONS = ("choices", "options", "endings")
ANSWERS = ("answerKey", "answer", "label", "answer_key", "answer_idx", "correct", "gold")


@final
@dataclass(frozen=True, slots=True)
class Asked:
    """A row of multiple choice: what is asked, the options with their names in the file, and the answer as written."""

    fields: Mapping[str, str]
    """``question`` and ``context`` as found, for prompts."""
    options: tuple[str, ...]
    names: tuple[str, ...]
    answer: Any
    blank: bool = False
    """The options fill a blank ``_`` in ``context``."""
    count_from: Literal[0, 1] = 0


def fits(row: Row) -> bool:
    """Return whether the fields are those of multiple choice in one of the known shapes."""
    inner = row.get("question")
    if isinstance(inner, Mapping) and "choices" in inner and "stem" in inner:
        return True
    if {"goal", "sol1", "sol2"} <= row.keys() or {"sentence", "option1", "option2"} <= row.keys():
        return True
    has = [any(name in row for name in names) for names in (OPTIONS, (*QUESTIONS, *CONTEXTS), ANSWERS)]
    return all(has)


def read(row: Row) -> Asked:
    """Return the row in one shape.

    Raises:
        BadRow: a field is missing or does not hold what it should.
    """
    if {"goal", "sol1", "sol2"} <= row.keys():
        options = (_text(row, "sol1"), _text(row, "sol2"))
        return Asked({"question": _text(row, "goal")}, options, (), _answer(row))
    if {"sentence", "option1", "option2"} <= row.keys():
        return _winogrande(row)
    inner = row.get("question")
    if isinstance(inner, Mapping):
        found = cast("Row", inner)
        options, names = _options(found.get("choices", row.get("choices")))
        return Asked({"question": _text(found, "stem")}, options, names, _answer(row))
    field = next((name for name in OPTIONS if name in row), None)
    if field is None:
        raise BadRow("no options", f"expected one of {', '.join(OPTIONS)}; the fields are {', '.join(row)}")
    options, names = _options(row[field])
    question = next((name for name in QUESTIONS if name in row), None)
    context = next((name for name in CONTEXTS if name in row), None)
    fields = {"question": _text(row, question)} if question else {}
    if context and (not question or row[context]):
        fields["context"] = _text(row, context)
    if not fields:
        raise BadRow("no question", f"expected one of {', '.join((*QUESTIONS, *CONTEXTS))}")
    return Asked(fields, options, names, _answer(row))


def _winogrande(row: Row) -> Asked:
    sentence = _text(row, "sentence")
    if sentence.count("_") != 1:
        raise BadRow("no single blank", f"the sentence holds {sentence.count('_')} times _, expected once")
    options = (_text(row, "option1"), _text(row, "option2"))
    return Asked({"context": sentence}, options, ("1", "2"), _answer(row), blank=True, count_from=1)


def _text(row: Row, name: str) -> str:
    if name not in row:
        raise BadRow(f"no field {name!r}", f"the fields are {', '.join(row)}")
    if not isinstance(row[name], str) or not row[name].strip():
        raise BadRow(f"field {name!r} holds no text", repr(row[name])[:80])
    return row[name]


def _answer(row: Row) -> Any:
    name = next((name for name in ANSWERS if name in row), None)
    if name is None:
        raise BadRow("no answer", f"expected one of {', '.join(ANSWERS)}; the fields are {', '.join(row)}")
    return row[name]


def _options(given: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if isinstance(given, Mapping) and {"text", "label"} <= given.keys():
        columns = cast("Mapping[str, list[Any]]", given)
        given = [{"text": text, "label": label} for text, label in zip(columns["text"], columns["label"], strict=False)]
    if not isinstance(given, list):
        raise BadRow("the options are no list", repr(given)[:80])
    named = [item if isinstance(item, Mapping) else {"text": item, "label": ""} for item in cast("list[Any]", given)]
    texts = tuple(str(item["text"]).strip() if _is_word(item.get("text")) else "" for item in named)
    if len(texts) < 2 or not all(texts):
        raise BadRow("fewer than two options, or an empty one", repr(given)[:80])
    names = tuple(str(item.get("label", "")).strip() for item in named)
    return texts, names if all(names) else ()


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def right_of(asked: Asked, count_from: int) -> int:
    """Return the index of the right option.

    A name of an option wins; then a JSON integer is a place, counted from ``count_from``; a string may be a letter, a
    place or the text of an option.

    Raises:
        BadRow: the answer names no option, or could name two of them.
    """
    answer = asked.answer
    if isinstance(answer, bool) or not isinstance(answer, str | int) or answer == "":
        raise BadRow("no usable answer", f"it is {answer!r}, expected an index, a letter or the text of an option")
    word = str(answer).strip()
    if asked.names and word in asked.names:
        return asked.names.index(word)
    if isinstance(answer, int) and 0 <= answer - count_from < len(asked.options):
        return answer - count_from
    found = {index for index, option in enumerate(asked.options) if option == word}
    if len(word) == 1 and "A" <= word.upper() <= "Z":
        found.add(ord(word.upper()) - ord("A"))
    if word.isascii() and word.isdigit():
        found.add(int(word) - count_from)
    inside = {index for index in found if 0 <= index < len(asked.options)}
    if len(inside) > 1:
        raise BadRow(
            "the answer can be read in two ways", f"{answer!r} may be an option's text or its place; name it so"
        )
    if not inside:
        raise BadRow(
            "the answer is none of the options",
            f"{answer!r} of {len(asked.options)} options; places count from {count_from} (set count_from to change it)",
        )
    return inside.pop()
