import hashlib
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_examples import document, example_corpus, prose

from pilotlight.errors import DataError
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


def test_other_programs_find_the_same_end_token(encoder, portable):
    assert portable.token_to_id("<|endoftext|>") == encoder.end == encoder.vocabulary - 1


def test_frequent_words_become_single_tokens(encoder):
    assert len(encoder.encode(" flame")) == 1
    assert len(encoder.encode("zqxj")) == 4


def test_a_small_text_gives_a_smaller_vocabulary(tmp_path):
    learn_encoder(BPE(vocabulary=4096), [document(1, "aaaa bbbb aaaa")], tmp_path)
    assert 257 < open_encoder(tmp_path).vocabulary < 300


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
