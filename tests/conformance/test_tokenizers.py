"""What every tokenizer has to keep, over all files of ``pilotlight.tokens.tokenizers``."""

import shutil
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.spec import discover, plain
from pilotlight.tokens.tokenizer import Tokenizer, learn_encoder, open_encoder
from pilotlight.tokens.tokenizers.bpe import BPE

KINDS = discover(Tokenizer.folder)
CONTROL = ("<|endoftext|>", "</s>", "<s>", "<|im_end|>", "[SEP]", "<eos>", "<pad>", "<unk>")
HARD = [
    "", " ", "\x00", "\r\n \n\r", "🙂👩‍👩‍👧", "漢字かな", "a\u0301 नमस्ते", "x" * 50_000, " " * 1_000_000,
    " \n" * 100_000, "tab\tand\u3000wide \u00a0", *CONTROL, " ".join(CONTROL), "\ufeff\ufffd", "1234567 3.14e-9",
]  # fmt: skip


@dataclass(frozen=True)
class Document:
    text: str
    id: str
    source: str = "notes"


DOCUMENTS = [Document(f"flame {n} lights the burner. naïve 漢字 🙂\r\n" * (1 + n % 4), f"{n:032x}") for n in range(40)]


@pytest.fixture(scope="session")
def existing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("existing")
    learn_encoder(BPE(vocabulary=320), DOCUMENTS, folder)
    return folder / "tokenizer.json"


@pytest.fixture(scope="session", params=sorted(KINDS))
def chosen(request, existing):
    needed = {"file": {"path": str(existing)}}.get(request.param, {})
    return Tokenizer.choose({"kind": request.param, **needed})


@pytest.fixture(scope="session")
def folder(chosen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    learn_encoder(chosen, DOCUMENTS, folder)
    return folder


@pytest.fixture(scope="session")
def encoder(folder):
    return open_encoder(folder)


ODD = st.lists(
    st.sampled_from(
        [
            "\x00",
            "\t",
            "\n",
            "\r",
            " ",
            "  ",
            " " * 30,
            "\u2581",
            "\u2585",
            "🙂",
            "\u0301",
            "a",
            "Zz",
            "9",
            "漢",
            *CONTROL,
        ]
    )
).map("".join)


@settings(deadline=None, max_examples=120)
@given(text=st.text() | ODD)
def test_any_text_comes_back(encoder, text):
    assert encoder.decode(encoder.encode(text)) == text


@pytest.mark.parametrize("text", HARD, ids=range(len(HARD)))
def test_hard_text_comes_back_without_control_tokens(encoder, text):
    ids = encoder.encode(text)
    assert encoder.decode(ids) == text
    assert ids.dtype.name == "uint32"
    assert (ids < encoder.vocabulary).all()
    assert (ids != encoder.end).all()


def test_a_lone_surrogate_is_read_as_the_replacement_character(encoder):
    assert encoder.encode("a\udc00b").tolist() == encoder.encode("a\ufffdb").tolist()


def test_a_batch_gives_what_single_texts_give(encoder):
    texts = ["one", "", " two", "three 漢字"]
    assert [ids.tolist() for ids in encoder.encode_batch(texts)] == [encoder.encode(text).tolist() for text in texts]
    assert encoder.encode_batch([]) == []


def test_end_tokens_leave_no_text(encoder):
    ids = [*encoder.encode("left").tolist(), encoder.end, *encoder.encode("right").tolist(), encoder.end]
    assert 0 <= encoder.end < encoder.vocabulary
    assert encoder.decode(ids) == "leftright"


def test_the_order_of_documents_does_not_matter(chosen, folder, tmp_path):
    learn_encoder(chosen, DOCUMENTS[::-1], tmp_path)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_copy_of_the_folder_gives_the_same_ids(folder, encoder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    text = DOCUMENTS[3].text
    assert open_encoder(tmp_path / "copy").encode(text).tolist() == encoder.encode(text).tolist()


def test_facts_say_which_end_token_and_why(chosen, tmp_path):
    facts = learn_encoder(chosen, DOCUMENTS, tmp_path)
    assert facts["end_token"]
    assert facts["end_token_from"]


def test_facts_say_that_nothing_is_lost(chosen, tmp_path):
    facts = learn_encoder(chosen, DOCUMENTS, tmp_path)
    assert facts["lossless"]
    assert facts["loses"] == []


def test_other_programs_read_the_same_ids_from_the_exported_file(encoder, tmp_path):
    from tokenizers import Tokenizer

    encoder.save_hugging_face(tmp_path)
    other = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    other.encode_special_tokens = True
    for document in DOCUMENTS[:4]:
        assert other.encode(document.text, add_special_tokens=False).ids == encoder.encode(document.text).tolist()
    assert other.decode(other.encode(DOCUMENTS[0].text).ids) == DOCUMENTS[0].text


def test_settings_come_back_from_a_plan(chosen, tmp_path):
    assert Tokenizer.choose(plain(chosen)) == chosen
    assert chosen.identity()["kind"] == plain(chosen)["kind"]
    assert chosen.at(tmp_path).identity() == chosen.identity()
