import json

import pytest
from token_examples import packed
from typer.testing import CliRunner

from pilotlight.cli.tokens import tokens
from pilotlight.errors import DataError, RecordError
from pilotlight.tokens.tokenizers.bpe import BPE


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("command")
    packed(BPE(vocabulary=300), out / "tokens")
    return out


def test_show_prints_counts_by_source(out):
    shown = CliRunner().invoke(tokens, ["show", str(out)])
    assert shown.exit_code == 0
    for word in ("laws", "notes", "held_out", "300 ids", "<|endoftext|>"):
        assert word in shown.stdout


def test_show_gives_the_same_as_json(out):
    shown = json.loads(CliRunner().invoke(tokens, ["show", str(out / "tokens"), "--json"]).stdout)
    assert shown["facts"]["vocabulary"] == 300
    assert len(shown["first_tokens"]) == 10


def test_show_finds_the_tokens_of_a_pilot_and_asks_where_there_are_several(tmp_path):
    packed(BPE(vocabulary=300), tmp_path / "tokens" / "one")
    assert "300 ids" in CliRunner().invoke(tokens, ["show", str(tmp_path)]).stdout
    packed(BPE(vocabulary=301), tmp_path / "tokens" / "two")
    several = CliRunner().invoke(tokens, ["show", str(tmp_path)]).exception
    assert isinstance(several, DataError)
    assert "one" in str(several)


def test_show_of_something_else_is_a_user_error(tmp_path):
    assert isinstance(CliRunner().invoke(tokens, ["show", str(tmp_path)]).exception, RecordError)
