import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from token_examples import ExampleCorpus, document, prose

from pilotlight.errors import ConfigError, DataError
from pilotlight.tokens.behaviour import behaviour, fragment_share
from pilotlight.tokens.candidates import candidates
from pilotlight.tokens.compare import compare, embedding_parameters, embedding_share
from pilotlight.tokens.comparison_tables import tables
from pilotlight.tokens.measured_text import measured_text
from pilotlight.tokens.tokenizer import learn_encoder, open_encoder
from pilotlight.tokens.tokenizers.bytes import ByteEncoder
from pilotlight.tokens.tokenizers.file import File


@dataclass(frozen=True)
class Known:
    text: str
    id: str
    source: str
    facts: dict = field(default_factory=dict)


def known(number, text, source="notes", **facts):
    return Known(text, document(number, text).id, source, facts)


CHINESE = "第一章讲述灯火与炉子的故事，" * 4
ENGLISH = [known(n, prose(n, 40 + n), language="en", content="prose" if n % 2 else "code") for n in range(12)]
OTHERS = [known(100 + n, CHINESE[n:], "books", language="zh", content="prose") for n in range(4)]
CORPUS = ExampleCorpus(tuple(known(200 + n, prose(n + 50, 50)) for n in range(20)), (*ENGLISH, *OTHERS))


@pytest.fixture(scope="module")
def found():
    return compare(candidates(["bpe:400", "unigram:400", "bytes", "characters"]), CORPUS, context=128)


def rate(found, name, group):
    item = next(item for item in found.tokenizers if item.name == name)
    return next(rate for rate in item.rates if rate.group == group)


def test_bytes_take_one_token_a_byte_and_one_for_the_end(found):
    every = rate(found, "bytes", "all")
    assert every.tokens == every.bytes + every.documents
    assert every.bytes_per_token.value == pytest.approx(every.bytes / every.tokens)
    assert every.bytes == sum(len(item.text.encode()) for item in CORPUS.held_out)


def test_rates_are_given_by_language_source_and_content(found):
    groups = [rate.group for rate in found.tokenizers[0].rates]
    assert groups == [
        "all", "language en", "language zh", "source books", "source notes", "content code", "content prose",
    ]  # fmt: skip
    parts = [rate(found, "bpe:400", group).bytes for group in ("language en", "language zh")]
    assert sum(parts) == rate(found, "bpe:400", "all").bytes


def test_scripts_without_spaces_are_counted_by_character(found):
    english, chinese = rate(found, "characters:4096", "language en"), rate(found, "bytes", "language zh")
    assert (english.per, chinese.per) == ("word", "character")
    assert chinese.fertility == pytest.approx(3.0)
    assert rate(found, "bytes", "all").per == "word or character"
    assert english.fertility > rate(found, "bpe:400", "language en").fertility > 1


def test_intervals_hold_their_values_and_count_documents(found):
    for item in found.tokenizers:
        for each in item.rates:
            estimate = each.bytes_per_token
            assert estimate.low <= estimate.value <= estimate.high
            assert estimate.n == each.documents
            assert not any("seed" in caution for caution in estimate.cautions)


def test_a_tokenizer_against_itself_makes_no_difference(tmp_path):
    learn_encoder(candidates(["bpe:400"])["bpe:400"], CORPUS.documents("train"), tmp_path / "learnt")
    found = compare({"one": tmp_path / "learnt", "two": tmp_path / "learnt"}, CORPUS)
    for difference in found.differences:
        assert (difference.bytes_per_token.value, difference.tokens.value) == (0, 0)
        assert difference.bytes_per_token.low == difference.bytes_per_token.high == 0


def test_pairing_by_document_is_tighter_than_the_rates_themselves(found):
    difference = next(item for item in found.differences if item.name == "unigram:400" and item.group == "all")
    assert difference.against == "bpe:400"
    assert difference.bytes_per_token.half_width < rate(found, "bpe:400", "all").bytes_per_token.half_width
    here, there = rate(found, "unigram:400", "all"), rate(found, "bpe:400", "all")
    assert difference.tokens.value == pytest.approx(100 * (here.tokens / there.tokens - 1))


def test_the_rest_is_measured_too(found):
    byte_pairs, unigram, as_bytes, characters = found.tokenizers
    assert byte_pairs.train_seconds > 0
    assert as_bytes.train_seconds is None
    assert characters.fragments < as_bytes.fragments
    assert 0 < byte_pairs.used <= 1
    assert byte_pairs.rare < 1
    assert all(item.encode_speed > 0 and item.lossless and item.waste.context == 128 for item in found.tokenizers)
    assert unigram.behaviour.regular_numbers


def test_the_same_text_gives_the_same_numbers_but_for_speed(found):
    again = compare(candidates(["bpe:400", "unigram:400", "bytes", "characters"]), CORPUS, context=128)

    def still(comparison):
        return [
            item.model_copy(update={"encode_speed": 0.0, "train_seconds": None}) for item in comparison.tokenizers
        ]  # fmt: skip

    assert still(again) == still(found)
    assert again.differences == found.differences


def test_a_comparison_can_be_written_and_shown(found):
    written = json.loads(found.to_json())
    assert [item["name"] for item in written["tokenizers"]] == ["bpe:400", "unigram:400", "bytes", "characters:4096"]
    for _, columns, rows in tables(found, 64):
        assert rows
        assert {len(row) for row in rows} == {len(columns)}


def test_nothing_is_left_behind_unless_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    compare(candidates(["bpe:300"]), CORPUS)
    assert list((tmp_path / "temporary").iterdir()) == []
    compare(candidates(["bpe:300"]), CORPUS, keep=tmp_path / "kept")
    assert open_encoder(tmp_path / "kept" / "01").vocabulary == 300


def test_one_document_has_no_interval_and_says_so():
    one = ExampleCorpus(CORPUS.train, CORPUS.held_out[:1])
    estimate = compare(candidates(["bytes"]), one).tokenizers[0].rates[0].bytes_per_token
    assert estimate.low == estimate.high
    assert estimate.cautions == ("one document: no interval",)


def test_documents_without_facts_are_one_group():
    plain = ExampleCorpus((document(1, "a b"),), (document(2, "c d"), document(3, "e f g")))
    assert [rate.group for rate in compare(candidates(["bytes"]), plain).tokenizers[0].rates] == ["all"]


def test_text_that_is_missing_is_said_to_be():
    with pytest.raises(DataError, match="no held-out text"):
        compare(candidates(["bytes"]), ExampleCorpus(CORPUS.train, ()))
    with pytest.raises(DataError, match="training split has no text"):
        compare(candidates(["bytes"]), ExampleCorpus((), CORPUS.held_out))
    with pytest.raises(DataError, match="no tokenizer"):
        compare({}, CORPUS)


def test_the_limit_bounds_what_is_looked_at():
    assert 500 <= measured_text(CORPUS.held_out, 500).bytes.sum() < 2000


def test_numbers_of_bytes_are_regular_and_indentation_costs_its_spaces():
    seen = behaviour(ByteEncoder())
    assert (seen.digits_per_token, seen.regular_numbers, seen.tokens_per_indent) == (1.0, True, 10.0)


def test_parts_of_characters_are_counted():
    counts = np.bincount(ByteEncoder().encode("aé漢"), minlength=257)
    assert fragment_share(ByteEncoder(), counts) == pytest.approx(5 / 6)


def test_the_cost_of_an_embedding_is_vocabulary_times_width():
    assert embedding_parameters(50_000, 512) == 25_600_000
    assert embedding_parameters(50_000, 512, tied=False) == 51_200_000
    assert embedding_share(50_000, 512, 25.6e6) == pytest.approx(0.5)


def test_words_of_a_command_line_name_tokenizers(tmp_path):
    learn_encoder(candidates(["bpe:300"])["bpe:300"], CORPUS.documents("train"), tmp_path / "learnt")
    (tmp_path / "some.yaml").write_text(
        "small: {kind: bpe, vocabulary: 500}\nimported: {kind: file, path: learnt/tokenizer.json}\n"
    )
    (tmp_path / "list.yml").write_text("- bytes\n- {kind: unigram, vocabulary: 600}\n- bpe:700\n")
    found = candidates(
        ["bpe:32k", str(tmp_path / "learnt"), str(tmp_path / "some.yaml"), str(tmp_path / "list.yml"), "bytes",
         str(tmp_path / "learnt" / "tokenizer.json")]
    )  # fmt: skip
    assert list(found) == ["bpe:32000", "learnt", "small", "imported", "bytes", "unigram:600", "bpe:700"]
    assert found["bpe:32000"].vocabulary == 32_000
    assert found["learnt"] == tmp_path / "learnt"
    assert found["imported"] == File(path=tmp_path / "learnt" / "tokenizer.json")


@pytest.mark.parametrize(
    ("word", "said"),
    [("bqe:100", "names no tokenizer"), ("bpe:many", "write the vocabulary"), ("bpe:10", "vocabulary"),
     ("bytes:300", "vocabulary"), ("absent.yaml", "cannot be read")],
)  # fmt: skip
def test_words_that_name_nothing_are_refused(word, said):
    with pytest.raises(ConfigError, match=said):
        candidates([word])


@pytest.mark.parametrize("content", ["5", "[]", "- {kind: bqe}", "- 5", "a: {kind: bpe, size: 3}", ": ["])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"some\.yaml"):
        candidates([str(path)])
