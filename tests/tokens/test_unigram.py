import hashlib
import os
import subprocess
import sys
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_examples import document, example_corpus, prose

from pilotlight.errors import DataError
from pilotlight.tokens.sentence_piece import MARK
from pilotlight.tokens.tokenizer import learn_encoder, open_encoder
from pilotlight.tokens.tokenizers.unigram import Unigram


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unigram")
    learn_encoder(Unigram(vocabulary=400), example_corpus().documents("train"), folder)
    return folder


@pytest.fixture(scope="module")
def encoder(folder):
    return open_encoder(folder)


PIECES = st.sampled_from(
    [*prose(1, 40).split(" "), " ", "  ", MARK, MARK * 2, "\n", "\r\n", "\t", "\x00", "</s>", "<unk>", "<0x41>", "🙂", "\u200d",
     "\u3000", "e\u0301", "\ufeff", "12", "\u2585", "\u2028", "\u0085", " " * 40]
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(PIECES, max_size=30).map("".join) | st.text())
def test_any_text_comes_back_with_its_white_space_and_its_blocks(encoder, text):
    ids = encoder.encode(text)
    assert encoder.decode(ids) == text
    assert encoder.end not in ids
    assert 0 not in ids


def test_the_library_alone_gives_the_same_ids_where_there_is_no_block(folder, encoder):
    import sentencepiece

    library = sentencepiece.SentencePieceProcessor(model_file=str(folder / "unigram.model"))
    text = example_corpus().train[5].text + "  \n\n\t🙂 Ω"
    assert encoder.encode(text).tolist() == library.encode(text)


def test_a_block_is_spelt_in_bytes_and_leaves_its_neighbours_alone(encoder):
    spelt = encoder.encode(MARK).tolist()
    assert len(spelt) == 3
    assert encoder.encode(f"flame{MARK}lamp").tolist() == [
        *encoder.encode("flame").tolist(), *spelt, *encoder.encode("lamp").tolist(),
    ]  # fmt: skip


def test_numbers_are_cut_into_digits_unless_told_otherwise(encoder, tmp_path):
    assert len(encoder.encode("1234")) == 4
    learn_encoder(Unigram(vocabulary=400, digits=False), example_corpus().documents("train"), tmp_path)
    assert len(open_encoder(tmp_path).encode("1234")) < 4


def test_more_characters_than_places_are_left_to_bytes(tmp_path):
    text = "".join(chr(0x4E00 + number) for number in range(2000))
    facts = learn_encoder(Unigram(vocabulary=400, coverage=1.0), [document(n, text[n:]) for n in range(20)], tmp_path)
    encoder = open_encoder(tmp_path)
    assert facts["characters"] <= 71
    assert encoder.vocabulary <= 400
    assert encoder.decode(encoder.encode(text)) == text


def test_the_library_s_own_characters_do_not_keep_a_text_from_being_learnt(tmp_path):
    parts = [("mar", "quin", "lan", "bur", "tol"), ("ma", "ter", "ne", "go"), ("lade", "ing", "sun", "der")]
    text = " ".join("".join(word) for word in product(*parts))
    odd = [document(n, f"a\x00b {MARK} c\u2585 {text}") for n in range(20)]
    learn_encoder(Unigram(vocabulary=400), odd, tmp_path)
    assert len(open_encoder(tmp_path).encode(text)) < 0.5 * len(text)


def test_text_without_documents_cannot_teach(tmp_path):
    with pytest.raises(DataError, match="no text"):
        learn_encoder(Unigram(), [document(1, "")], tmp_path)


def test_learning_says_nothing_and_leaves_nothing_behind(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    learn_encoder(Unigram(vocabulary=400), example_corpus().documents("train"), tmp_path / "out")
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["pilotlight_tokenizer.json", "unigram.model"]


def test_every_process_learns_the_same(folder, tmp_path):
    script = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1]); from token_examples import example_corpus\n"
        "from pilotlight.tokens.tokenizer import learn_encoder\n"
        "from pilotlight.tokens.tokenizers.unigram import Unigram\n"
        "learn_encoder(Unigram(vocabulary=400), example_corpus().documents('train'), pathlib.Path(sys.argv[2]))"
    )
    here = os.path.dirname(__file__)  # noqa: PTH120
    environment = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", script, here, str(tmp_path)], check=True, env=environment)
    digests = [hashlib.sha256((at / "unigram.model").read_bytes()).hexdigest() for at in (folder, tmp_path)]
    assert digests[0] == digests[1]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*prose(3, 80).split(" "), " ", "\n", "🙂"]), max_size=30).map(" ".join))
def test_other_programs_give_text_back_from_the_exported_file(exported, encoder, text):
    ids = exported.encode(text, add_special_tokens=False).ids
    assert exported.decode(ids) == text
    assert len(ids) == len(encoder.encode(text))


@pytest.fixture(scope="module")
def exported(encoder, tmp_path_factory):
    from tokenizers import Tokenizer

    folder = tmp_path_factory.mktemp("exported")
    encoder.save_hugging_face(folder)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def test_transformers_loads_the_exported_folder_with_the_same_ids(encoder, tmp_path):
    transformers = pytest.importorskip("transformers")
    encoder.save_hugging_face(tmp_path)
    loaded = transformers.AutoTokenizer.from_pretrained(str(tmp_path), local_files_only=True)
    for item in example_corpus().held_out:
        assert loaded.encode(item.text, add_special_tokens=False) == encoder.encode(item.text).tolist()
    assert loaded.eos_token_id == encoder.end
