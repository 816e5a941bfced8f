"""``.tiktoken`` tables against tiktoken itself, with the expressions that it defines for published tables."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_examples import example_corpus, prose

from pilotlight.errors import DataError
from pilotlight.tokens.byte_pairs import learn_merges
from pilotlight.tokens.tiktoken_file import PATTERNS
from pilotlight.tokens.tokenizer import learn_encoder, open_encoder
from pilotlight.tokens.tokenizers.file import File

DEFINED = {"gpt2": "gpt2", "r50k": "r50k_base", "p50k": "p50k_base", "cl100k": "cl100k_base", "o200k": "o200k_base"}
RANKS = learn_merges([item.text for item in example_corpus().train], 400)
LIKELY = st.lists(
    st.sampled_from(
        [*prose(2, 60).split(" "), " ", "   ", "\n", "\r\n", "\t", "'S", "'ll", "McDonald", "ÀÉ", "/", "1234"]
    ),
    max_size=30,
).map("".join)


def write_ranks(path, ranks):
    lines = [f"{base64.b64encode(string).decode()} {rank}" for string, rank in ranks.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


def opened(given, folder):
    facts = learn_encoder(given, [], folder)
    return facts, open_encoder(folder)


@pytest.fixture(scope="module", params=sorted(DEFINED))
def pair(request, tmp_path_factory):
    import tiktoken
    import tiktoken_ext.openai_public as published

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(published, "load_tiktoken_bpe", lambda *_, **__: dict(RANKS))
        patch.setattr(published, "data_gym_to_mergeable_bpe_ranks", lambda *_, **__: dict(RANKS))
        pattern = published.ENCODING_CONSTRUCTORS[DEFINED[request.param]]()["pat_str"]
    folder = tmp_path_factory.mktemp("table")
    path = write_ranks(folder / "table.tiktoken", RANKS)
    _, encoder = opened(File(path=path, pattern=request.param), folder / "out")
    original = tiktoken.Encoding("original", pat_str=pattern, mergeable_ranks=dict(RANKS), special_tokens={})
    return encoder, original


def test_every_published_pattern_has_a_name():
    assert set(DEFINED) == set(PATTERNS)


@settings(deadline=None, max_examples=150)
@given(text=LIKELY | st.text())
def test_named_patterns_give_the_ids_of_the_original(pair, text):
    encoder, original = pair
    assert encoder.encode(text).tolist() == original.encode_ordinary(text)


def test_control_tokens_keep_their_ids_and_never_come_out_of_text(tmp_path):
    path = write_ranks(tmp_path / "table.tiktoken", RANKS)
    special = {"<|endoftext|>": 401, "<|pause|>": 450}
    facts, encoder = opened(File(path=path, special=special), tmp_path / "one")
    assert (facts["end_token_from"], encoder.end, encoder.vocabulary) == ("settings", 401, 451)
    ids = encoder.encode("one <|endoftext|> two <|pause|>").tolist()
    assert not {401, 450} & set(ids)
    assert encoder.decode([*ids, 450, 401]) == "one <|endoftext|> two <|pause|>"
    facts, encoder = opened(File(path=path, special=special, end="<|pause|>"), tmp_path / "two")
    assert encoder.end == 450


@pytest.mark.parametrize(
    ("special", "said"), [({"<|endoftext|>": 7}, "has the id 7"), ({"<a>": 500, "<b>": 501}, "Name the token")]
)
def test_control_tokens_that_cannot_be_are_refused(special, said, tmp_path):
    path = write_ranks(tmp_path / "table.tiktoken", RANKS)
    with pytest.raises(DataError, match=said):
        opened(File(path=path, special=special), tmp_path / "out")


def test_the_pattern_and_the_control_tokens_decide_the_ids_and_so_the_identity(tmp_path):
    path = write_ranks(tmp_path / "table.tiktoken", RANKS)
    found = [
        File(path=path), File(path=path, pattern="gpt2"), File(path=path, special={"<|endoftext|>": 900}),
    ]  # fmt: skip
    assert len({str(item.identity()) for item in found}) == 3
    assert File(path=path, pattern=PATTERNS["gpt2"]).identity() == found[1].identity()


def test_transformers_loads_an_exported_table_with_the_same_ids(tmp_path):
    transformers = pytest.importorskip("transformers")
    path = write_ranks(tmp_path / "table.tiktoken", RANKS)
    for number, (pattern, special) in enumerate([("cl100k", {}), ("o200k", {"<|endoftext|>": 500, "<|pause|>": 450})]):
        _, encoder = opened(File(path=path, pattern=pattern, special=special), tmp_path / f"in{number}")
        encoder.save_hugging_face(tmp_path / f"out{number}")
        loaded = transformers.AutoTokenizer.from_pretrained(str(tmp_path / f"out{number}"), local_files_only=True)
        for text in [
            *(item.text for item in example_corpus().held_out),
            "end of\n  text \n  ",
            "McDonald's 12345 \t x",
        ]:
            assert loaded.encode(text, add_special_tokens=False) == encoder.encode(text).tolist()
        assert loaded.eos_token_id == encoder.end


def test_text_that_the_expression_gives_up_on_is_cut_and_said_to_be(tmp_path):
    path = write_ranks(tmp_path / "table.tiktoken", RANKS)
    _, encoder = opened(File(path=path, pattern=r"(?:a|aa)+(?=b)|[\s\S]"), tmp_path / "out")
    assert encoder.notes() == ()
    text = "the flame " + "a" * 3000 + " lights"
    assert encoder.decode(encoder.encode(text)) == text
    assert encoder.encode(text).tolist() == encoder.encode(text).tolist()
    assert "gave up" in encoder.notes()[0]
