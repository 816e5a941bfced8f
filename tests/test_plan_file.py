"""Plan files: every mistake at its line and column, all of them at once, and nothing but plain values."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.errors import ConfigError, PilotlightError
from pilotlight.model.decoder import Decoder
from pilotlight.model.feedforward.gelu import GELU
from pilotlight.plan_file import anchored, load, override, parse_yaml, read_yaml, validated
from pilotlight.spec import diff
from pilotlight.train.plan import Plan, Training

scalars = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text("abc xyz-_é漢", max_size=8)
trees = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=5),
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("gh", min_size=1), inner, max_size=3)
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@given(trees, st.booleans())
def test_yaml_is_read_as_yaml_says_and_every_value_has_its_place(tree, is_flow):
    text = yaml.safe_dump(tree, default_flow_style=is_flow, allow_unicode=True)
    values, places = parse_yaml(text, "plan.yaml")
    assert values == tree
    lines = text.splitlines()
    for path in places:
        line, column = places[path]
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
        if path and isinstance(path[-1], str):
            assert lines[line - 1][column - 1 :].lstrip("'\"? ").startswith(path[-1])


@given(st.text(max_size=80))
def test_no_text_does_worse_than_a_clear_refusal(text):
    with contextlib.suppress(ConfigError):
        parse_yaml(text, "plan.yaml")


@given(st.binary(max_size=80))
def test_no_bytes_do_worse_than_a_clear_refusal(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(content)
    with contextlib.suppress(PilotlightError):
        load(path, Training)


def said(text: str, cls=Training) -> list[str]:
    data, places = parse_yaml(text, "plan.yaml")
    with pytest.raises(ConfigError) as caught:
        validated(cls, data, "plan.yaml", places)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("text", ["3e-4", "3E-4", "1e3", "2.5e+3", "-1e-3", "0.5"])
def test_numbers_in_scientific_notation_are_numbers(text):
    assert parse_yaml(f"lr: {text}", "x")[0]["lr"] == float(text)


def test_a_date_stays_text():
    assert parse_yaml("question: 2026-11-20", "x")[0] == {"question": "2026-11-20"}


def test_every_mistake_is_told_in_one_pass_each_at_its_place():
    found = said("rowz: 3\ncontext: 1\noptim: {kind: adamv}\nclip:\n  - 1\nguard:\n  window: none\n")
    assert "plan.yaml:1:1: rowz: there is no such field. Did you mean 'rows'?" in found
    assert len(found) == 5
    places = [re.match(r"plan.yaml:(\d+):(\d+): (\S+):", line) for line in found]
    assert all(places)
    assert {(int(m[1]), m[3]) for m in places if m} == {
        (1, "rowz"), (2, "context"), (3, "optim.kind"), (4, "clip"), (7, "guard.window"),
    }  # fmt: skip


def test_a_field_that_is_nowhere_near_lists_what_is_known():
    assert "Known here: " in said("zzzzzz: 3\n")[0]
    assert "optim" in said("zzzzzz: 3\n")[0]


def test_a_missing_field_is_named():
    assert any("corpus: this field is required" in line for line in said("seed: 1\n", Plan))


def test_a_mistake_inside_a_list_is_placed_inside_it():
    from pilotlight.corpus.recipe import Recipe

    found = said("steps:\n  - unicode\n  - kind: length\n    leest: 3\n  - lenght\n", Recipe)
    assert found[0].startswith("plan.yaml:4:5: ")
    assert "Did you mean 'least'?" in found[0]
    assert found[1].startswith("plan.yaml:5:5: ")
    assert "Did you mean 'length'?" in found[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", r"plan.yaml:2:1: the field 'a' is given twice"),
        ("a: {b: 1, b: 2}\n", r"plan.yaml:1:11: the field 'b' is given twice"),
        ("? [1, 2]\n: 3\n", r"plan.yaml:1:3: a field name has to be a word"),
        ("a: !!python/object/apply:os.system ['echo']\n", r"plan.yaml:1:4: the tag .*os.system.* is not allowed"),
        ("a: !!python/name:os.system\n", "is not allowed"),
        ("a: !mine 3\n", "is not allowed"),
        ("a: !!binary aGk=\n", "is not allowed"),
        ("a: !!set {b, c}\n", "is not allowed"),
        ("a: &a [*a]\n", "without aliases"),
        ("a: &a {b: *a}\n", "without aliases"),
        ("a: *nothing\n", r"plan.yaml:1:4: this is not valid YAML: .*undefined alias"),
        ("a: [1, 2\nb: 3\n", r"plan.yaml:\d:\d: this is not valid YAML"),
        ("a: b: c\n", r"plan.yaml:1:5: this is not valid YAML"),
        ("a: 'open\n", r"this is not valid YAML"),
        ("a: \x00\n", r"this is not valid YAML"),
        ("a: 1\n---\nb: 2\n", r"plan.yaml:2:1: this is not valid YAML"),
        ("just words\n", "a plan is a mapping of fields"),
        ("", "a plan is a mapping of fields"),
        ("[" * 200 + "]" * 200, "mapping|deeply|valid"),
        ("a: " + "[" * 60 + "]" * 60, "nested or repeated too deeply"),
        ("a: " + "{b: " * 60 + "}" * 60, "nested or repeated too deeply"),
    ],
)
def test_yaml_that_is_no_plan_is_refused_at_its_place(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_yaml(text, "plan.yaml")


def test_nesting_without_end_is_refused_and_does_not_break_the_program():
    with pytest.raises(ConfigError, match="nested too deeply"):
        parse_yaml("a: " + "[" * 5000 + "]" * 5000, "plan.yaml")


def test_aliases_that_multiply_are_refused_soon():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="without aliases"):
        parse_yaml("\n".join(lines), "plan.yaml")


def test_a_few_aliases_are_welcome():
    assert parse_yaml("a: &a {rows: 2}\nb: *a\n", "x")[0] == {"a": {"rows": 2}, "b": {"rows": 2}}


def test_a_file_that_is_missing_is_named_with_the_nearest(tmp_path):
    (tmp_path / "quickstart.yaml").write_text("a: 1", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"quikstart.yaml does not exist.*Did you mean 'quickstart.yaml'\?"):
        read_yaml(tmp_path / "quikstart.yaml")
    with pytest.raises(ConfigError, match="does not exist"):
        read_yaml(tmp_path / "no" / "such" / "folder.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path)
    with pytest.raises(ConfigError, match=r"cannot be read|does not exist"):
        read_yaml(tmp_path / "quickstart.yaml" / "plan.yaml")


@pytest.mark.parametrize("content", ["é".encode("latin-1"), b"\xff\xfea\x00", b"a: \xc3\x28"])
def test_a_file_that_is_not_utf_8_is_named_with_the_byte(content, tmp_path):
    (tmp_path / "plan.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"is not UTF-8 text \(byte \d\)"):
        read_yaml(tmp_path / "plan.yaml")


def test_a_byte_order_mark_and_foreign_line_ends_do_no_harm(tmp_path):
    (tmp_path / "plan.yaml").write_bytes(b"\xef\xbb\xbfrows: 3\r\ncontext: 8\r\n")
    assert load(tmp_path / "plan.yaml", Training).rows == 3


def test_a_change_by_path_changes_that_and_nothing_else():
    changed = override(Training(), "optim.lr", 0.5)
    assert diff(Training(), changed) == {"optim.lr": (Training().optim.lr, 0.5)}


@given(st.floats(0.01, 100), st.sampled_from(["x", "X", "x "]))
def test_a_factor_multiplies(factor, sign):
    assert override(Training(), "optim.lr", f"{sign}{factor!r}").optim.lr == pytest.approx(Training().optim.lr * factor)


def test_a_factor_keeps_whole_numbers_whole():
    assert override(Training(), "rows", "x2").rows == 16
    assert override(Training(rows=5), "rows", "x0.5").rows == 2
    assert isinstance(override(Training(), "rows", "x2").rows, int)


def test_a_new_kind_takes_its_own_defaults_and_the_same_kind_keeps_what_is_set():
    wide = override(Training(), "optim.lr", 0.5)
    assert override(wide, "optim.kind", "sgd").optim == override(Training(), "optim.kind", "sgd").optim
    assert override(wide, "optim.kind", "muon") == wide
    assert override(Decoder(), "feedforward", "gelu").feedforward == GELU()
    assert override(Decoder(), "feedforward", {"kind": "gelu"}).feedforward == GELU()


def test_an_item_of_a_list_is_reached_by_its_number():
    from pilotlight.corpus.recipe import Recipe

    recipe = Recipe.model_validate({"steps": ["unicode", "length"]})
    assert override(recipe, "steps.1.least", 99).steps[1].least == 99  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("optim.lrr", 1, "optim has no field 'lrr'.*Did you mean 'lr'"),
        ("optim.lr.deep", 1, "no field 'deep'"),
        ("", 1, "no field ''"),
        ("..", 1, "no field ''"),
        ("optim.kind", "adanw", "Did you mean 'adamw'"),
        ("rows", "many", "rows"),
        ("rows", "x-1", "rows"),
        ("rows", "x0", "greater than or equal to 1"),
        ("objective", "x2", "cannot be multiplied"),
        ("precision", "x2", "cannot be multiplied"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(path, value, words):
    with pytest.raises(ConfigError, match=words):
        override(Training(), path, value)


def test_relative_paths_start_at_the_plan_and_home_is_written_out(tmp_path, monkeypatch):
    from pilotlight.corpus.recipe import Recipe

    monkeypatch.setenv("HOME", "/home/somebody")
    sources = [
        {"kind": "folder", "path": path, "name": f"n{number}"} for number, path in enumerate(["a/../b", "~/c", "/d"])
    ]
    recipe = anchored(Recipe.model_validate({"sources": sources}), tmp_path)
    assert [source.path for source in recipe.sources] == [tmp_path / "b", Path("/home/somebody/c"), Path("/d")]  # type: ignore[attr-defined]
