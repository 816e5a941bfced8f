"""Byte-level tokenizer.json files by tiktoken: the library's ids on any text, and refused where this is not sure."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from pilotlight.tokens import hugging_face
from pilotlight.tokens.byte_level import AWKWARD, byte_level
from pilotlight.tokens.byte_pairs import PATTERN, learn_merges, save
from pilotlight.tokens.hugging_face import JsonEncoder

END = "<|endoftext|>"
LLAMA = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEXT = (
    "The cat sat on the mat, didn't it? The other cats sat there, and 1234 mats were seated.\n\n"
    "El gat s'asseia a l'estora; la casa és a prop de l'església, l'any 1234.\n  Der Kater saß da. 東京 東京に行く。\n"
)


def trained(pattern=None, normalizer=None, added=(), prefix=False, **options):
    """Return a tokenizer that the library learnt itself: one pair for each string."""
    made = Tokenizer(models.BPE(**options))
    made.normalizer = normalizer
    last = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=pattern is None)
    made.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), last]) if pattern else last
    )
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=alphabet, special_tokens=[END], show_progress=False)
    made.train_from_iterator([TEXT] * 3, trainer)
    made.add_tokens([AddedToken(word, normalized=False) for word in added])
    return made


def form(made, folder):
    """Return the faster form of a tokenizer, None if it is refused, and the tokenizer as it is read."""
    path = folder / "tokenizer.json"
    made.save(str(path))
    read = Tokenizer.from_file(str(path))
    read.encode_special_tokens = True
    return byte_level(read, path, end_of(read)), read


def end_of(read):
    found = read.token_to_id(END)
    assert found is not None
    return found


def same(fast, read, texts):
    found = fast.encode(texts)
    for text, ids in zip(texts, found, strict=True):
        assert ids is None or ids.tolist() == read.encode(text, add_special_tokens=False).ids, repr(text)
    return found


@pytest.fixture(
    scope="module",
    params=[
        {},
        {"pattern": LLAMA},
        {"pattern": PATTERN, "normalizer": normalizers.NFC(), "added": ["<tool>"]},
        {"pattern": LLAMA, "ignore_merges": True},
    ],
    ids=["gpt2", "split", "nfc and added", "whole words"],
)
def fast(request, tmp_path_factory):
    return form(trained(**request.param), tmp_path_factory.mktemp("form"))


def test_ids_are_those_of_the_library(fast):
    made, read = fast
    assert made is not None
    words = TEXT.split(" ")
    texts = [*AWKWARD, TEXT, *words, TEXT.upper(), "".join(reversed(TEXT)), TEXT + END + " <tool> x", "caf\u0065\u0301"]
    found = same(made, read, texts)
    assert sum(ids is None for ids in found) < 4


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text(" 'stacthe\n1é\u0301東<|>", max_size=40))
def test_ids_are_those_of_the_library_on_anything(fast, text):
    made, read = fast
    same(made, read, [text])


def test_a_table_that_lists_every_pair_has_the_same_ids(tmp_path):
    save(learn_merges([TEXT] * 4, 400), tmp_path)
    read = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    read.encode_special_tokens = True
    made = byte_level(read, tmp_path / "tokenizer.json", end_of(read))
    assert made is not None
    assert all(ids is not None for ids in same(made, read, [*AWKWARD, TEXT]))


def test_an_added_word_leaves_the_text_to_the_library(tmp_path):
    made, _ = form(trained(added=["<tool>", "cat"]), tmp_path)
    assert made is not None
    found = made.encode(["a cat", "a dog", "x <tool>"])
    assert [ids is None for ids in found] == [True, False, True]


@pytest.mark.parametrize(
    "given",
    [
        {"prefix": True},
        {"normalizer": normalizers.Lowercase()},
        {"pattern": r"\p{N}{1,3}+|\P{N}+"},
        {"pattern": r"[\p{L}&&[a-z]]+|."},
        {"dropout": 0.1},
    ],
    ids=["prefix space", "lower case", "possessive count", "operation on classes", "dropout"],
)
def test_what_may_differ_is_refused(given, tmp_path):
    assert form(trained(**given), tmp_path)[0] is None


def altered(folder, change):
    """Return the faster form after a change to the file."""
    path = folder / "tokenizer.json"
    trained().save(str(path))
    described = json.loads(path.read_text(encoding="utf-8"))
    change(described["model"])
    path.write_text(json.dumps(described), encoding="utf-8")
    read = Tokenizer.from_file(str(path))
    read.encode_special_tokens = True
    return byte_level(read, path, end_of(read)), read


def test_a_pair_that_only_tiktoken_would_join_is_refused(tmp_path):
    def unlisted(model):
        model["vocab"]["zq"] = len(model["vocab"])

    fast, read = altered(tmp_path, unlisted)
    assert len(read.encode("zq").ids) == 2  # tiktoken would give the new string
    assert fast is None


def test_a_file_of_the_old_form_is_read(tmp_path):
    def older(model):
        model["merges"] = [" ".join(pair) for pair in model["merges"]]
        del model["type"]

    fast, read = altered(tmp_path, older)
    assert fast is not None
    assert all(ids is not None for ids in same(fast, read, [TEXT, *AWKWARD]))


def test_pairs_in_another_order_than_ids_are_refused(tmp_path):
    assert altered(tmp_path, lambda model: model["merges"].reverse())[0] is None


def test_a_missing_byte_is_refused(tmp_path):
    def without(model):
        model["vocab"]["mm"] = model["vocab"].pop("\u0143")

    assert altered(tmp_path, without)[0] is None


def test_the_encoder_turns_to_it_after_some_text_and_the_ids_stay(tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    trained(added=["<tool>"]).save(str(path))
    slow, fast = JsonEncoder(path, END), JsonEncoder(path, END)
    monkeypatch.setattr(hugging_face, "ENOUGH", 0)
    called = []
    monkeypatch.setattr(hugging_face, "byte_level", lambda *given: called.append(given) or byte_level(*given))
    texts = [TEXT, "", f"a {END} b", "x <tool> y", "lone \ud800 half", " " * 25_000 + "x"]
    found = fast.encode_batch(texts)
    monkeypatch.setattr(hugging_face, "ENOUGH", 1 << 60)
    assert len(called) == 1
    for ids, expected in zip(found, slow.encode_batch(texts), strict=True):
        np.testing.assert_array_equal(ids, expected)
        assert ids.dtype == np.uint32
    assert len(called) == 1
    assert fast.end not in found[2]


def test_text_that_the_expression_leaves_out_goes_to_the_library(tmp_path):
    made, read = form(trained(pattern="[^\ue000]+"), tmp_path)
    assert made is not None
    assert made.encode(["one \ue000 three"]) == [None]
    assert same(made, read, ["one two"])[0] is not None


@settings(max_examples=12, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_of_tables_made_by_chance_those_that_are_taken_give_the_same_ids(tmp_path_factory, draw, whole_words):
    path = tmp_path_factory.mktemp("chance") / "tokenizer.json"
    names = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {name: id for id, name in enumerate(names)}
    strings, merges = ["a", "b"], []
    for _ in range(draw.randrange(1, 9)):
        left, right = draw.choice(strings), draw.choice(strings)
        if left + right not in vocabulary:
            vocabulary[left + right] = len(vocabulary)
            strings.append(left + right)
            splits = [(left, right)]
            if draw.random() < 0.3:  # every way to split it
                word = left + right
                splits = [(word[:at], word[at:]) for at in range(1, len(word))]
                splits = [pair for pair in splits if set(pair) <= vocabulary.keys()]
            merges += splits if draw.random() < 0.95 else []
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=whole_words))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.add_special_tokens([END])
    made.save(str(path))
    read = Tokenizer.from_file(str(path))
    fast = byte_level(read, path, end_of(read))
    if fast is not None:
        texts = ["".join(draw.choices("ab", k=draw.randrange(1, 30))) for _ in range(40)]
        assert all(ids is not None for ids in same(fast, read, texts))
