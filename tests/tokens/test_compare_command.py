import json

import pytest
from token_examples import prose
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from typer.testing import CliRunner

from pilotlight.cli.tokens import tokens
from pilotlight.corpus.build import build
from pilotlight.corpus.recipe import Recipe
from pilotlight.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    out = tmp_path_factory.mktemp("compared")
    rows = [json.dumps({"text": f"Note {n}. {prose(n, 60)}"}) for n in range(80)]
    (out / "notes.jsonl").write_text("\n".join(rows) + "\n")
    build(Recipe.model_validate({"sources": [{"kind": "jsonl", "path": out / "notes.jsonl"}]}), out / "corpus")
    return out


def run(*words):
    return CliRunner().invoke(tokens, ["compare", *map(str, words)])


def test_a_corpus_folder_is_enough_and_tables_are_printed(corpus):
    shown = run(corpus, "bpe:400", "bytes", "--context", 64, "--quiet")
    assert shown.exit_code == 0, shown.exception
    for word in ("bpe:400", "bytes", "rows of 64 tokens", "Tokens more than bpe:400", "A property of this text"):
        assert word in shown.stdout


def test_the_same_comes_as_json_with_the_cost_of_the_embedding(corpus, tmp_path):
    (tmp_path / "some.yaml").write_text("- {kind: characters, vocabulary: 300}\n")
    shown = json.loads(run(corpus / "corpus", tmp_path / "some.yaml", "bytes", "--width", 8, "--json").stdout)
    names = [item["name"] for item in shown["comparison"]["tokenizers"]]
    assert names == ["characters:300", "bytes"]
    assert shown["embedding_parameters"]["bytes"] == 257 * 8
    assert shown["comparison"]["differences"][0]["tokens"]["n"] == shown["comparison"]["documents"]


def test_what_was_learnt_is_kept_where_it_is_asked_for_and_can_be_named_again(corpus, tmp_path):
    assert run(corpus, "bpe:400", "--out", tmp_path, "--quiet").exit_code == 0
    learnt = tmp_path / "tokenizers" / "01"
    assert (learnt / "tokenizer.json").is_file()
    again = json.loads(run(corpus, learnt, "--json").stdout)
    assert again["comparison"]["tokenizers"][0]["vocabulary"] <= 400


def test_files_go_by_their_names_and_lost_digits_are_no_rate(corpus, tmp_path):
    words = Tokenizer(WordLevel({"[UNK]": 0, "the": 1, "[END]": 2}, unk_token="[UNK]"))
    words.save(str(tmp_path / "words.json"))
    (tmp_path / "some.yaml").write_text('- {kind: file, path: words.json, end: "[END]"}\n- bytes\n')
    shown = json.loads(run(corpus, tmp_path / "some.yaml", "--json").stdout)["comparison"]
    assert [item["name"] for item in shown["tokenizers"]] == ["words.json", "bytes"]
    assert [item["behaviour"]["digits_per_token"] for item in shown["tokenizers"]] == [None, 1.0]
    assert any(caution.startswith("words.json changes text") for caution in shown["cautions"])
    assert "digits lost" in run(corpus, tmp_path / "some.yaml", "--quiet").stdout


def test_mistakes_are_user_errors(corpus, tmp_path):
    assert isinstance(run(corpus, "bqe:4").exception, ConfigError)
    assert isinstance(run(corpus).exception, DataError)
    assert isinstance(run(tmp_path / "absent.yaml", "bytes").exception, ConfigError)


def test_a_file_with_text_alone_is_enough_and_languages_are_told_without_a_step_for_them(tmp_path):
    lines = {
        "en": "The council meets in the town hall on the first Monday, and the minutes are read by its secretary.",
        "es": "El consejo se reúne en el ayuntamiento el primer lunes, y la secretaria lee las actas de la sesión.",
    }
    for code, line in lines.items():
        rows = [json.dumps({"text": f"{line} {n}. {line}"}, ensure_ascii=False) for n in range(40)]
        (tmp_path / f"{code}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    plan = tmp_path / "text.yaml"
    plan.write_text(
        "corpus:\n  sources: [{kind: jsonl, path: en.jsonl}, {kind: jsonl, path: es.jsonl}]\n  steps: [unicode]\n"
        "  held_out: 30%\n"
    )
    found = json.loads(run(plan, "bytes", "--json").stdout)["comparison"]["tokenizers"][0]["rates"]
    assert {"language en", "language es"} <= {rate["group"] for rate in found}
