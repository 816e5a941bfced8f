import base64
import json
import shutil

import pytest
from token_examples import example_corpus

from pilotlight.errors import DataError
from pilotlight.tokens.byte_pairs import PATTERN
from pilotlight.tokens.pack import pack
from pilotlight.tokens.tokenizer import learn_encoder, open_encoder
from pilotlight.tokens.tokenizers.bpe import BPE
from pilotlight.tokens.tokenizers.file import File


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learnt")
    learn_encoder(BPE(vocabulary=350), example_corpus().documents("train"), folder)
    return folder


def write_ranks(path, strings):
    lines = [f"{base64.b64encode(string).decode()} {rank}" for rank, string in enumerate(strings)]
    path.write_text("\n".join(lines) + "\n")
    return path


def opened(settings, folder):
    facts = learn_encoder(settings, [], folder)
    return facts, open_encoder(folder)


def test_a_tokenizer_json_gives_the_ids_it_gives_elsewhere(learnt, tmp_path):
    facts, encoder = opened(File(path=learnt / "tokenizer.json"), tmp_path)
    known = open_encoder(learnt)
    text = "the small flame <|endoftext|> 漢字 \ud800 and 🙂\r\n"
    assert encoder.encode(text).tolist() == known.encode(text).tolist()
    assert (encoder.vocabulary, encoder.end) == (known.vocabulary, known.end)
    assert (facts["end_token"], facts["end_token_from"]) == ("<|endoftext|>", "tokenizer_config.json")
    assert facts["lossless"]


def test_a_folder_stands_for_its_tokenizer_json(learnt, tmp_path):
    _, encoder = opened(File(path=learnt), tmp_path)
    assert encoder.vocabulary == open_encoder(learnt).vocabulary


def test_a_tiktoken_table_gives_the_ids_of_its_ranks(learnt, tmp_path):
    from pilotlight.tokens.byte_pairs import byte_characters

    vocabulary = json.loads((learnt / "tokenizer.json").read_text())["model"]["vocab"]
    byte_of = {character: byte for byte, character in enumerate(byte_characters())}
    strings = [bytes(byte_of[c] for c in name) for name in sorted(vocabulary, key=vocabulary.__getitem__)]
    path = write_ranks(tmp_path / "table.tiktoken", strings)
    facts, encoder = opened(File(path=path, pattern=PATTERN), tmp_path / "out")
    text = example_corpus().train[3].text
    assert encoder.encode(text).tolist() == open_encoder(learnt).encode(text).tolist()
    assert facts["end_token_from"] == "added"
    assert encoder.end == len(strings)


def test_what_counts_is_the_content_of_the_file_and_not_its_place(learnt, tmp_path):
    copy = tmp_path / "elsewhere.json"
    shutil.copyfile(learnt / "tokenizer.json", copy)
    shutil.copyfile(learnt / "tokenizer_config.json", tmp_path / "tokenizer_config.json")
    first, second = File(path=learnt / "tokenizer.json"), File(path=copy)
    assert first.identity() == second.identity()
    copy.write_text(copy.read_text() + " ")
    assert first.identity() != second.identity()


def test_a_relative_path_starts_at_the_plan(learnt):
    settings = File.model_validate({"path": "tokenizer.json"}).at(learnt)
    assert settings.path == learnt / "tokenizer.json"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no tokenizer file .*absent\.json"):
        opened(File(path=tmp_path / "absent.json"), tmp_path / "out")


@pytest.mark.parametrize("content", ["{", "{}", "hello", "\x00\x01"])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"not a tokenizer\.json"):
        opened(File(path=path), tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "said"),
    [("IQ== 0\nnot base64 at all\n", ":2: expected a base64"), ("IQ== 0\n", "255 of the 256 bytes are missing")],
)
def test_a_broken_tiktoken_table_is_refused(content, said, tmp_path):
    path = tmp_path / "table.tiktoken"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        opened(File(path=path), tmp_path / "out")


def test_a_pattern_that_is_no_expression_is_refused(tmp_path):
    path = write_ranks(tmp_path / "table.tiktoken", [bytes([byte]) for byte in range(256)])
    with pytest.raises(DataError, match="no regular expression"):
        opened(File(path=path, pattern="(unclosed"), tmp_path / "out")


def without_end(learnt, path):
    described = json.loads((learnt / "tokenizer.json").read_text())
    described["added_tokens"] = [{**described["added_tokens"][0], "content": "<stop>"}]
    path.write_text(json.dumps(described))
    return path


def test_without_a_usual_end_token_the_plan_has_to_name_it(learnt, tmp_path):
    path = without_end(learnt, tmp_path / "tokenizer.json")
    with pytest.raises(DataError, match="Its control tokens are: <stop>"):
        opened(File(path=path), tmp_path / "one")
    with pytest.raises(DataError, match="no token '<halt>'"):
        opened(File(path=path, end="<halt>"), tmp_path / "two")
    facts, encoder = opened(File(path=path, end="<stop>"), tmp_path / "three")
    assert facts["end_token_from"] == "settings"
    assert encoder.end not in encoder.encode("a <stop> b").tolist()


def unigram(path, **extra):
    from tokenizers import Tokenizer, models

    words = [("<unk>", 0.0), ("</s>", -1.0), *((letter, -5.0) for letter in "abcdefghi </s>" if letter)]
    found = Tokenizer(models.Unigram(list(dict(words).items()), unk_id=0))
    found.add_special_tokens(["</s>"])
    for name, value in extra.items():
        setattr(found, name, value)
    found.save(str(path))
    return path


def test_a_model_that_holds_its_control_token_as_a_word_is_kept_from_using_it(tmp_path):
    _, encoder = opened(File(path=unigram(tmp_path / "tokenizer.json")), tmp_path / "out")
    ids = encoder.encode("ab</s>cd</s></s>")
    assert encoder.end not in ids.tolist()
    assert encoder.decode(ids).replace(" ", "") == "ab</s>cd</s></s>"


def test_facts_name_what_is_lost(tmp_path):
    from tokenizers.normalizers import Lowercase

    facts, _ = opened(File(path=unigram(tmp_path / "tokenizer.json", normalizer=Lowercase())), tmp_path / "out")
    assert not facts["lossless"]
    assert "capital letters" in facts["loses"]


def test_an_imported_file_is_exported_as_it_is(learnt, tmp_path):
    _, encoder = opened(File(path=learnt), tmp_path / "in")
    encoder.save_hugging_face(tmp_path / "out")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (learnt / name).read_bytes()


def test_a_tokenizer_that_changes_text_is_said_to(tmp_path):
    from tokenizers.normalizers import Lowercase

    path = unigram(tmp_path / "tokenizer.json", normalizer=Lowercase())
    events = []
    tokens = pack(example_corpus(), File(path=path), tmp_path / "out", watch=events.append)
    warnings = [event.text for event in events if getattr(event, "level", "") == "warning"]
    assert len(warnings) == 1
    assert "does not keep text" in warnings[0]
    assert tokens.manifest.facts["splits"]["train"]["changed"] > 0
