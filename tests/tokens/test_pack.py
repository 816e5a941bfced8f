import base64

import numpy as np
import pytest
from token_examples import ExampleCorpus, document, example_corpus, packed

from pilotlight.errors import DataError, RecordError
from pilotlight.tokens import pack_units as packing
from pilotlight.tokens.tokenizer import open_encoder
from pilotlight.tokens.tokenizers.bpe import BPE
from pilotlight.tokens.tokenizers.bytes import Bytes
from pilotlight.tokens.tokenizers.file import File
from pilotlight.tokens.tokens import Tokens

ODD = (document("a", "a\ud800b\x00\r\n🙂"), document("b", ""), document("c", "plain", "laws"))


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_document_comes_back_with_one_end_token_after_it(tmp_path):
    corpus = example_corpus()
    tokens = packed(BPE(vocabulary=400), tmp_path / "tokens", corpus)
    split, encoder = tokens.split("train"), tokens.encoder()
    assert split.document_ids == [item.id for item in corpus.train]
    for index, item in enumerate(corpus.train):
        ids = split.ids[split.bounds[index] : split.bounds[index + 1]]
        assert ids[-1] == tokens.end
        assert (ids[:-1] != tokens.end).all()
        assert encoder.decode(ids[:-1]) == item.text
        assert split.bytes[index] == len(item.text.encode())
    assert split.bounds[-1] == len(split.ids)


def test_odd_documents_are_packed_like_any_other(tmp_path):
    tokens = packed(Bytes(), tmp_path / "tokens", ExampleCorpus(ODD))
    split = tokens.split("train")
    assert split.bytes.tolist() == [len("a\ufffdb\x00\r\n🙂".encode()), 0, 5]
    assert np.diff(split.bounds).tolist() == [size + 1 for size in split.bytes]


def test_facts_count_documents_tokens_and_bytes_by_source(tmp_path):
    facts = packed(Bytes(), tmp_path / "tokens", ExampleCorpus(ODD)).manifest.facts["splits"]["train"]
    assert facts["documents"] == 3
    assert facts["tokens"] == facts["bytes"] + 3
    assert facts["sources"]["laws"] == {"documents": 1, "tokens": 6, "bytes": 5, "bytes_per_token": 5 / 6}
    assert sum(source["tokens"] for source in facts["sources"].values()) == facts["tokens"]


def test_packing_twice_gives_the_same_bytes(tmp_path, monkeypatch):
    packed(BPE(vocabulary=400), tmp_path / "one")
    monkeypatch.setattr(packing, "BATCH_CHARACTERS", 100)
    packed(BPE(vocabulary=400), tmp_path / "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_what_is_packed_already_is_used_as_it_is(tmp_path):
    first = packed(Bytes(), tmp_path / "tokens")
    before = (tmp_path / "tokens" / "train.bin").stat().st_mtime_ns
    assert packed(Bytes(), tmp_path / "tokens").fingerprint == first.fingerprint
    assert (tmp_path / "tokens" / "train.bin").stat().st_mtime_ns == before


def test_a_folder_of_another_tokenizer_is_not_overwritten(tmp_path):
    packed(Bytes(), tmp_path / "tokens")
    with pytest.raises(RecordError, match=r"tokenizer\.kind: bytes -> bpe"):
        packed(BPE(), tmp_path / "tokens")


def test_other_text_gives_another_fingerprint(tmp_path):
    first, second = packed(Bytes(), tmp_path / "a"), packed(Bytes(), tmp_path / "b", example_corpus(29))
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize("settings", [Bytes(), BPE()])
def test_a_corpus_without_training_text_leaves_nothing_behind(settings, tmp_path):
    with pytest.raises(DataError, match="training split has no"):
        packed(settings, tmp_path / "tokens", ExampleCorpus((), (document(1, "held out"),)))
    assert list(tmp_path.iterdir()) == []


def test_an_id_that_no_corpus_gives_is_refused(tmp_path):
    from token_examples import ExampleDocument

    with pytest.raises(DataError, match="not 32 hex digits"):
        packed(Bytes(), tmp_path / "tokens", ExampleCorpus((ExampleDocument("text", "seven"),)))


def test_a_file_cut_short_is_noticed(tmp_path):
    packed(Bytes(), tmp_path / "tokens")
    path = tmp_path / "tokens" / "train.bin"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(RecordError, match=r"train\.bin has"):
        Tokens.open(tmp_path / "tokens")


def test_a_large_vocabulary_takes_four_bytes_an_id(tmp_path):
    strings = [bytes([byte]) for byte in range(256)] + [bytes([a, b]) for a in range(256) for b in range(256)]
    path = tmp_path / "table.tiktoken"
    path.write_text("".join(f"{base64.b64encode(string).decode()} {rank}\n" for rank, string in enumerate(strings)))
    tokens = packed(File(path=path), tmp_path / "tokens", ExampleCorpus((document(1, "zz zz"),)))
    assert tokens.split("train").ids.dtype == np.dtype("<u4")
    assert tokens.split("train").ids.max() == tokens.end == tokens.vocabulary - 1 == len(strings)


def test_the_tokenizer_can_be_carried_elsewhere(tmp_path):
    tokens = packed(BPE(vocabulary=300), tmp_path / "tokens")
    tokens.copy_tokenizer(tmp_path / "model")
    text = "the small flame"
    assert open_encoder(tmp_path / "model").encode(text).tolist() == tokens.encoder().encode(text).tolist()


def test_the_held_out_fingerprint_follows_the_text_and_not_the_tokenizer(tmp_path):
    corpus = example_corpus()
    other = ExampleCorpus(corpus.train, corpus.held_out[1:])
    one, two, three = (
        packed(Bytes(), tmp_path / "a"),
        packed(BPE(), tmp_path / "b"),
        packed(Bytes(), tmp_path / "c", other),
    )
    assert one.held_out_fingerprint == two.held_out_fingerprint != three.held_out_fingerprint


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(RecordError, match="holds no tokenizer"):
        open_encoder(tmp_path)
