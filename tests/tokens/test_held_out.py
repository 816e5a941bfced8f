import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_examples import ExampleCorpus, document, example_corpus, packed

from pilotlight.errors import DataError
from pilotlight.tokens.held_out import LONGEST, passages, windows, windows_of
from pilotlight.tokens.text import Passage
from pilotlight.tokens.tokenizers.bpe import BPE
from pilotlight.tokens.tokenizers.bytes import ByteEncoder, Bytes


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    return packed(BPE(vocabulary=400), tmp_path_factory.mktemp("held_out") / "tokens")


def test_the_same_bytes_are_scored_with_every_tokenizer(tokens, tmp_path):
    other = packed(Bytes(), tmp_path / "tokens")
    one, two = windows(tokens, 16, 700), windows(other, 16, 700)
    assert one.passages == two.passages
    assert one.document_ids == two.document_ids
    assert one.bytes.tolist() == two.bytes.tolist() == [len(passage.text.encode()) for passage in one.passages]
    assert two.tokens.tolist() == two.bytes.tolist()
    assert one.tokens.sum() < two.tokens.sum()


texts = st.lists(st.text(max_size=40), min_size=1, max_size=5)


@settings(deadline=None)
@given(texts, st.integers(1, 12))
def test_every_token_of_the_text_is_a_target_once(found, context):
    encoder = ByteEncoder()
    made = windows_of(
        [Passage(str(n), "s", text, len(text.encode())) for n, text in enumerate(found)], encoder, context
    )
    assert made.ids.shape == (len(made.mask), context + 1)
    assert (made.ids[:, 1:][~made.mask] == encoder.end).all()
    for index, text in enumerate(found):
        rows = made.document == index
        assert encoder.decode(made.ids[rows][:, 1:][made.mask[rows]]) == text
        firsts = made.ids[rows][:, 0].tolist()
        assert firsts == [encoder.end, *made.ids[rows][:-1, -1].tolist()] if firsts else text == ""
    assert made.tokens.tolist() == made.bytes.tolist()


def test_whole_documents_are_taken_while_they_fit(tokens):
    held_out = {item.id: item.text for item in example_corpus().held_out}
    everything = passages(tokens, 1e9)
    assert {passage.id: passage.text for passage in everything} == held_out
    limit = everything[0].bytes + everything[1].bytes
    assert passages(tokens, limit) == everything[:2]
    assert passages(tokens, limit + everything[2].bytes - 1) == everything[:2]


def test_a_first_document_over_the_limit_is_cut(tokens):
    (only,) = passages(tokens, 21)
    assert only.text == passages(tokens, 1e9)[0].text[: len(only.text)]
    assert 18 <= only.bytes <= 21


def test_a_long_document_gives_its_beginning(tmp_path):
    long = document("long", "ab漢字 " * 10_000)
    corpus = ExampleCorpus((document("short", "short"),), (long, document("other", "other")))
    found = {passage.id: passage for passage in passages(packed(Bytes(), tmp_path / "tokens", corpus), 1e9)}
    assert LONGEST - 3 <= found[long.id].bytes <= LONGEST
    assert long.text.startswith(found[long.id].text)
    assert len(found) == 2


def test_the_training_split_has_windows_too(tokens):
    found = windows(tokens, 32, 500, "train")
    assert set(found.document_ids) <= {item.id for item in example_corpus().train}
    assert 0 < found.bytes.sum() <= 500


def test_without_held_out_text_nothing_can_be_evaluated(tmp_path):
    tokens = packed(Bytes(), tmp_path / "tokens", ExampleCorpus((document(1, "text"),)))
    assert len(tokens.split("held_out").ids) == 0
    with pytest.raises(DataError, match="held_out split"):
        windows(tokens, 8, 1e6)


def test_windows_do_not_change_from_call_to_call(tokens):
    one, two = windows(tokens, 16, 900), windows(tokens, 16, 900)
    assert np.array_equal(one.ids, two.ids)
    assert np.array_equal(one.mask, two.mask)
