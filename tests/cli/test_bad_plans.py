"""Plans that cannot be run: exit code 1, one sentence with the place of the mistake, nothing written."""

from __future__ import annotations

import pytest


@pytest.fixture
def refused(command, tmp_path):
    """Return a function that runs a plan that has to be refused, and checks that nothing was written."""

    def run(path, *words: str) -> str:
        out = tmp_path / "out"
        sentence = command("run", path, "--out", out).refuses(*words)
        assert not out.exists(), "a plan that cannot be run leaves no folder behind"
        return sentence

    return run


def edited(path, old: str, new: str):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the plan"
    path.write_text(text.replace(old, new), encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1
    return path, line


def test_a_misspelt_field_is_named_with_its_place_and_the_right_name(plan, refused):
    path, line = edited(plan(), "question:", "qestion:")
    refused(path, f"{path}:{line}:1: ", "qestion", "Did you mean 'question'?")


def test_a_misspelt_field_deep_inside_is_named_too(plan, refused):
    path, line = edited(plan(), "head_dim: 8", "head_dims: 8")
    refused(path, f"{path}:{line}:5: ", "model.mixer.head_dims", "Did you mean 'head_dim'?")


def test_a_misspelt_kind_is_named(plan, refused):
    path, line = edited(plan(), "kind: adamw", "kind: adanw")
    refused(path, f"{path}:{line}:", "adanw", "Did you mean 'adamw'?")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("seeds: 2", "seeds: many", ("seeds", "'many'", "integer")),
        ("seeds: 2", "seeds: 0", ("seeds", "greater than or equal to 1", "0")),
        ("rows: 4", "rows: 2.5", ("train.rows", "2.5")),
        ("target: 0.9", "target: low", ("goal.target", "'low'")),
        ("time: 10 min", "time: soon", ("budget.time", "'soon'", "10 min")),
        ("held_out: 15%", "held_out: 150%", ("corpus.held_out", "150%")),
        ("worth: 2%", "worth: 0", ("rule.worth", "greater than 0")),
        ("metric: bits_per_byte", "metric: accuracy", ("goal.metric", "'accuracy'")),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_what_was_expected(field, value, words, plan, refused):
    path, line = edited(plan(), field, value)
    refused(path, f"{path}:{line}:", *words)


def test_every_mistake_is_told_at_once(plan, refused):
    path, _ = edited(plan(), "seeds: 2", "seeds: many")
    path, _ = edited(path, "rows: 4", "row: 4")
    path, _ = edited(path, "kind: adamw", "kind: adanw")
    sentence = refused(path, "seeds", "train.row", "adanw")
    assert sentence.count(f"{path}:") == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"goal": {"full_run": {"parameters": "1k"}}}, ("largest rung", "10k", "full_run")),
        ({"scales": [{"parameters": "2k", "tokens": 2000}] * 2}, ("two rungs are the same",)),
        ({"scales": [{"parameters": "2k", "tokens": 2000, "baseline_only": True}]}, ("baseline_only",)),
        ({"variants": {"same": {"set": {"train.rows": 4}}}}, ("variants.same", "changes nothing")),
        ({"variants": {"lost": {"set": {"train.optim.rate": 1}}}}, ("variants.lost", "'rate'", "no field")),
        ({"variants": {"odd": {"set": {"train.optim.lr": "x2x"}}}}, ("variants.odd", "train.optim.lr")),
        ({"variants": {"twice": {"set": {"model.tied": "x2"}}}}, ("model.tied", "cannot be multiplied")),
        ({"variants": {"baseline": {"set": {"train.rows": 8}}}}, ("'baseline'", "variant's name")),
        ({"variants": {"a/../b": {"set": {"train.rows": 8}}}}, ("'a/../b'", "variant's name")),
        ({"variants": {"other": {"set": {"corpus.held_out": 0.1}}}}, ("variants.other", "held-out text")),
        (
            {"goal": {"metric": "perplexity", "target": 5.0}, "variants": {"bpe": {"set": {"tokenizer.kind": "bpe"}}}},
            ("variants.bpe", "bits_per_byte"),
        ),
        ({"train": {"rows": 400}}, ("2k tokens are fewer than 10 steps",)),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes, words, plan, refused):
    path = plan(**changes)
    refused(path, f"{path}:", *words)


def test_a_budget_of_nothing_is_refused(plan, refused):
    path, _ = edited(plan(), "time: 10 min", "time: null")
    refused(path, str(path), "budget", "time or flops")


def test_a_variant_that_does_not_apply_is_named_with_its_place(plan, refused):
    path, line = edited(plan(), "model.feedforward.kind: gelu", "model.feedforward.kind: gulu")
    refused(path, f"{path}:{line - 1}:5: ", "variants.gelu.set", "'gulu'", "Did you mean 'gelu'?")


def test_a_plan_that_does_not_exist_is_named_with_the_nearest(plan, command, tmp_path):
    plan()
    said = command("run", tmp_path / "plam.yaml", "--out", tmp_path / "out")
    said.refuses("plam.yaml does not exist", "Did you mean 'plan.yaml'?")


def test_a_plan_that_is_a_folder_is_refused(command, tmp_path):
    command("run", tmp_path, "--out", tmp_path / "out").refuses(str(tmp_path), "cannot be read", "directory")


def test_a_plan_in_another_encoding_is_refused(refused, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_bytes("question: où va-t-il ?\n".encode("latin-1"))
    refused(path, str(path), "not UTF-8")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ("mapping of fields",)),
        ("- a\n- b\n", ("mapping of fields",)),
        ("question: [1, 2\n", ("not valid YAML", ":2:1:")),
        ("question: a\nquestion: b\n", ("'question' is given twice", ":2:1:")),
        ("question: !!python/object/apply:os.system [echo]\n", ("not allowed", ":1:11:")),
        ("question: a\n\tseeds: 3\n", ("not valid YAML", ":2:1:")),
        ("a: &a [x, x, x, x, x, x, x, x, x, x]\n"
         + "".join(f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)),
         ("without aliases",)),
        ("a: &a [*a]\n", ()),
    ],
)  # fmt: skip
def test_yaml_that_is_no_plan_is_refused(content, words, refused, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(content, encoding="utf-8")
    refused(path, str(path), *words)


@pytest.mark.parametrize(
    "words", [["rum"], ["run"], ["run", "a.yaml", "--outt", "x"], ["run", "a.yaml", "--workers", "0"]]
)
def test_wrong_usage_exits_with_2_and_says_how(words, command):
    said = command(*words)
    assert said.code == 2
    assert "Usage: pilot" in said.err
    assert "Traceback" not in said.err


def test_schema_of_something_else_is_refused(command):
    command("schema", "pilots").refuses("pilots", "Did you mean 'pilot'?")
