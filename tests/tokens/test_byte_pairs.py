import hashlib
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_examples import document, example_corpus, prose

from pilotlight.errors import DataError
from pilotlight.tokens.byte_pairs import BETWEEN
from pilotlight.tokens.tokenizer import learn_encoder, open_encoder
from pilotlight.tokens.tokenizers.bpe import BPE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bpe")
    learn_encoder(BPE(vocabulary=400), example_corpus().documents("train"), folder)
    return folder


@pytest.fixture(scope="module")
def encoder(folder):
    return open_encoder(folder)


@pytest.fixture(scope="module")
def portable(folder):
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found.encode_special_tokens = True
    return found


LIKELY = st.lists(st.sampled_from([*prose(1, 80).split(" "), " ", "  ", "\n", "'s", "the", "lamp", "9"]), max_size=30)


@settings(deadline=None)
@given(LIKELY.map("".join) | st.text())
def test_other_programs_read_the_same_ids_from_tokenizer_json(encoder, portable, text):
    assert portable.encode(text, add_special_tokens=False).ids == encoder.encode(text).tolist()


@settings(deadline=None)
@given(
    st.lists(
        LIKELY.map("".join) | st.text() | st.sampled_from(["", BETWEEN, f"a{BETWEEN}b", BETWEEN * 2, "  ", "\n"]),
        max_size=12,
    )
)
def test_short_texts_have_the_ids_that_they_have_alone(encoder, texts):
    together = encoder.encode_batch(texts)
    assert [ids.tolist() for ids in together] == [encoder.encode(text).tolist() for text in texts]
    assert [encoder.decode(ids) for ids in together] == texts


def test_long_and_short_texts_keep_their_order(encoder):
    texts = [prose(n, 4000 if n % 5 == 2 else 3 + n) for n in range(40)]
    assert [encoder.decode(ids) for ids in encoder.encode_batch(texts)] == texts


def test_other_programs_find_the_same_end_token(encoder, portable):
    assert portable.token_to_id("<|endoftext|>") == encoder.end == encoder.vocabulary - 1


def test_frequent_words_become_single_tokens(encoder):
    assert len(encoder.encode(" flame")) == 1
    assert len(encoder.encode("zqxj")) == 4


def test_a_small_text_gives_a_smaller_vocabulary(tmp_path):
    learn_encoder(BPE(vocabulary=4096), [document(1, "aaaa bbbb aaaa")], tmp_path)
    assert 257 < open_encoder(tmp_path).vocabulary < 300


def test_every_learnt_token_occurs_twice_and_none_is_very_long(tmp_path):
    ruler = "-" * 3000
    learn_encoder(BPE(vocabulary=2000), [document(n, f"{prose(n, 30)}\n{ruler}\n") for n in range(5)], tmp_path)
    encoder = open_encoder(tmp_path)
    strings = [encoder.decode([id]) for id in range(256, encoder.end)]
    text = "".join(f"{prose(n, 30)}\n{ruler}\n" for n in range(5))
    assert max(len(string.encode()) for string in strings) == 128
    # A part of a character decodes to a replacement character, so only whole ones are looked for.
    assert all(text.count(string) >= 2 for string in strings if "\ufffd" not in string)


def test_a_million_spaces_can_be_learnt_from(tmp_path):
    text = " " * 60_000 + "flame " * 5
    learn_encoder(BPE(vocabulary=300), [document(n, text) for n in range(3)], tmp_path)
    encoder = open_encoder(tmp_path)
    assert encoder.decode(encoder.encode(" " * 1_000_000)) == " " * 1_000_000


def test_transformers_loads_the_folder_with_the_same_ids(folder, encoder, tmp_path):
    transformers = pytest.importorskip("transformers")
    encoder.save_hugging_face(tmp_path)
    for at in (folder, tmp_path):
        loaded = transformers.AutoTokenizer.from_pretrained(str(at), local_files_only=True)
        for item in example_corpus().held_out:
            assert loaded.encode(item.text, add_special_tokens=False) == encoder.encode(item.text).tolist()
        assert loaded.eos_token_id == encoder.end
    assert (folder / "tokenizer.json").read_bytes() == (tmp_path / "tokenizer.json").read_bytes()


def test_text_without_documents_cannot_teach(tmp_path):
    with pytest.raises(DataError, match="no text"):
        learn_encoder(BPE(), [document(1, "")], tmp_path)


def test_every_process_learns_the_same(folder, tmp_path):
    script = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1]); from token_examples import example_corpus\n"
        "from pilotlight.tokens.tokenizer import learn_encoder\n"
        "from pilotlight.tokens.tokenizers.bpe import BPE\n"
        "learn_encoder(BPE(vocabulary=400), example_corpus().documents('train'), pathlib.Path(sys.argv[2]))"
    )
    here = os.path.dirname(__file__)  # noqa: PTH120
    environment = {**os.environ, "PYTHONHASHSEED": "7", "RAYON_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", script, here, str(tmp_path)], check=True, env=environment)
    for name in ("tokenizer.json", "tokenizer_config.json", "pilotlight_tokenizer.json"):
        assert (
            hashlib.sha256((tmp_path / name).read_bytes()).digest()
            == hashlib.sha256((folder / name).read_bytes()).digest()
        )
