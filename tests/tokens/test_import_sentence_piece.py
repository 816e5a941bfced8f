"""SentencePiece models written by the library itself, with the settings that people use."""

import io

import pytest
from token_examples import example_corpus, prose

from pilotlight.errors import DataError
from pilotlight.tokens.tokenizer import learn_encoder, open_encoder
from pilotlight.tokens.tokenizers.file import File

TEXTS = [item.text for item in example_corpus().train] + [prose(n, 40) for n in range(100, 130)]
KINDS = {
    "like t5": {"model_type": "unigram"},
    "like llama": {"model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity",
                   "remove_extra_whitespaces": False, "split_digits": True},
    "like gemma": {"model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity",
                   "remove_extra_whitespaces": False, "add_dummy_prefix": False, "user_defined_symbols": ["\n", "<turn>"]},
}  # fmt: skip
HARD = [
    "", " ", "  two  spaces ", "\n\n\t x", "naïve ﬁ ① 漢字", "🙂" * 3, "<turn>user\nhello</s><s>", "x" * 5000, " " * 30_000,
    "a\u2581b", "\x00",
]  # fmt: skip


def write(path, **settings):
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model, minloglevel=4, hard_vocab_limit=False,
        **{"vocab_size": 320 if "byte_fallback" in settings else 90, **settings},
    )  # fmt: skip
    path.write_bytes(model.getvalue())
    return path


@pytest.fixture(scope="module", params=sorted(KINDS))
def model(request, tmp_path_factory):
    return write(tmp_path_factory.mktemp("model") / "tokenizer.model", **KINDS[request.param])


def opened(settings, folder):
    facts = learn_encoder(settings, [], folder)
    return facts, open_encoder(folder)


def test_the_ids_are_those_of_the_library(model, tmp_path):
    import sentencepiece

    library = sentencepiece.SentencePieceProcessor(model_file=str(model))
    _, encoder = opened(File(path=model), tmp_path)
    for text in [*TEXTS, *HARD]:
        assert encoder.encode(text).tolist() == library.encode(text)
        assert encoder.decode(library.encode(text)) == library.decode(library.encode(text))
    assert (encoder.vocabulary, encoder.end) == (library.vocab_size(), library.eos_id())


def test_facts_say_what_is_lost(tmp_path):
    squeezed, _ = opened(File(path=write(tmp_path / "a.model", **KINDS["like t5"])), tmp_path / "a")
    assert not squeezed["lossless"]
    assert {"spaces in a row", "tabs", "compatibility characters", "rare characters"} <= set(squeezed["loses"])
    careful, _ = opened(File(path=write(tmp_path / "b.model", **KINDS["like gemma"])), tmp_path / "b")
    assert careful["loses"] == ["the block U+2581"]


def test_the_end_token_is_the_model_s_own_unless_it_is_named(tmp_path):
    path = write(tmp_path / "x.model", **KINDS["like gemma"])
    facts, encoder = opened(File(path=path), tmp_path / "one")
    assert (facts["end_token"], facts["end_token_from"]) == ("</s>", "the model")
    facts, encoder = opened(File(path=path, end="<s>"), tmp_path / "two")
    assert (facts["end_token"], facts["end_token_from"], encoder.end) == ("<s>", "settings", 1)
    with pytest.raises(DataError, match=r"no token '<halt>'.*'</s>'"):
        opened(File(path=path, end="<halt>"), tmp_path / "three")


def test_a_model_without_an_end_token_needs_one_to_be_named(tmp_path):
    path = write(tmp_path / "x.model", eos_id=-1, bos_id=-1, **KINDS["like t5"])
    with pytest.raises(DataError, match="has no end token"):
        opened(File(path=path), tmp_path / "out")


def test_an_end_token_that_is_part_of_text_is_refused_when_it_comes_up(tmp_path):
    path = write(tmp_path / "x.model", **KINDS["like gemma"])
    with pytest.raises(DataError, match="encodes ordinary text as its end token '<turn>'"):
        opened(File(path=path, end="<turn>"), tmp_path / "out")[1].encode("hello <turn>")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00\x01\x02" * 50])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    path = tmp_path / "x.model"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a SentencePiece model"):
        opened(File(path=path), tmp_path / "out")


def test_a_folder_stands_for_the_one_model_in_it(model, tmp_path):
    _, encoder = opened(File(path=model.parent), tmp_path)
    assert encoder.encode("flame").size > 0


def test_an_imported_model_is_not_exported_as_something_it_is_not(model, tmp_path):
    _, encoder = opened(File(path=model), tmp_path / "in")
    with pytest.raises(DataError, match="rules of its own"):
        encoder.save_hugging_face(tmp_path / "out")
