"""Ids of two tokenizers that stand for the same text."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pilotlight.tokens.shared_ids import matched, pieces, same_ids
from pilotlight.tokens.tokenizers.bpe import BPE
from pilotlight.tokens.tokenizers.bytes import Bytes
from pilotlight.tokens.tokenizers.characters import Characters
from pilotlight.tokens.tokenizers.file import File
from pilotlight.tokens.tokenizers.unigram import Unigram


@dataclass
class Text:
    text: str
    id: str = "0" * 32
    source: str = "a"


WORDS = "the keeper lights the lamp at dusk and the ships see the light of the lamp, für Schiffe, \u00e9t\u00e9 "


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    found = {}
    kinds = {"bpe": BPE(vocabulary=280), "larger": BPE(vocabulary=300), "unigram": Unigram(vocabulary=300),
             "bytes": Bytes(), "characters": Characters()}  # fmt: skip
    for name, kind in kinds.items():
        folder = tmp_path_factory.mktemp(name)
        kind.learn([Text(WORDS * 20)], folder)
        found[name] = kind.open(folder)
    return found


@pytest.mark.parametrize("name", ["bpe", "larger", "unigram", "bytes", "characters"])
def test_every_id_of_a_tokenizer_is_its_own(encoders, name):
    encoder = encoders[name]
    assert same_ids(encoder, encoder)
    found = matched(encoder, encoder)
    assert len(found) == encoder.vocabulary
    assert [id for id in found if id is not None] == [at for at, id in enumerate(found) if id is not None]
    assert sum(id is None for id in found) <= 1


@pytest.mark.parametrize("new", ["bpe", "larger", "unigram", "bytes", "characters"])
@pytest.mark.parametrize("old", ["bpe", "larger", "unigram", "bytes", "characters"])
def test_ids_that_are_matched_decode_to_the_same_text(encoders, new, old):
    new, old = encoders[new], encoders[old]
    found = matched(new, old)
    assert found[new.end] == old.end
    pairs = [(at, id) for at, id in enumerate(found) if id is not None and at != new.end]
    assert len(pairs) >= 20
    # In the middle of a text, where no kind leaves out a space.
    before, after = new.encode("lamp").tolist(), old.encode("lamp").tolist()
    control = {id for piece, id in pieces(new).items() if piece.startswith(b"\0")}
    whole = [(at, id) for at, id in pairs if "\ufffd" not in new.decode([*before, at]) and at not in control]
    assert len(whole) >= 20
    for at, id in whole:
        assert new.decode([*before, at]) == old.decode([*after, id])


def test_learnt_words_are_matched_and_not_only_bytes(encoders):
    lamp = encoders["bpe"].encode(" the")
    assert len(lamp) == 1
    assert matched(encoders["bpe"], encoders["larger"])[int(lamp[0])] == int(encoders["larger"].encode(" the")[0])
    assert matched(encoders["bpe"], encoders["bytes"])[int(lamp[0])] is None
    assert not same_ids(encoders["bpe"], encoders["larger"])


def test_a_tokenizer_is_the_same_after_the_way_through_hugging_face(encoders, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    encoders["bpe"].save_hugging_face(tmp_path / "there")
    back = File(path=tmp_path / "there")
    back.learn([], tmp_path / "here")
    assert same_ids(encoders["bpe"], back.open(tmp_path / "here"))
