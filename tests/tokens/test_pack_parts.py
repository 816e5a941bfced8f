"""Packing a corpus of several files in units of work gives what packing it in one piece gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_examples import ExampleCorpus, document, example_corpus, packed, prose

from pilotlight.corpus.build import work_folder
from pilotlight.corpus.document import Document
from pilotlight.corpus.store import Rows, documents, to_row
from pilotlight.errors import DataError
from pilotlight.events import Progress
from pilotlight.tokens import pack_units
from pilotlight.tokens.pack import pack
from pilotlight.tokens.sharing import pack_share
from pilotlight.tokens.tokenizers.bpe import BPE
from pilotlight.tokens.tokenizers.bytes import Bytes
from pilotlight.tokens.tokens import Tokens

SETTINGS = BPE(vocabulary=400)


class Sharded:
    """A corpus on disk: the training split in several files, as a finished one has it."""

    def __init__(self, corpus: ExampleCorpus, folder: Path, cuts=(), languages=("",)) -> None:
        self.fingerprint = corpus.fingerprint
        bounds = [0, *sorted(cuts), len(corpus.train)]
        self._files = {"held_out": [folder / "held_out.jsonl.zst"], "train": []}
        parts = [corpus.train[start:stop] for start, stop in pairwise(bounds)]
        self._files["train"] = [folder / f"{number:05d}.jsonl.zst" for number in range(len(parts))]
        folder.mkdir(parents=True)
        for path, items in zip(
            [*self._files["train"], *self._files["held_out"]], [*parts, corpus.held_out], strict=True
        ):
            with Rows(path) as rows:
                for number, item in enumerate(items):
                    facts = {"content": "prose", "language": languages[number % len(languages)]}
                    rows.write(to_row(Document(item.text, item.id, item.source, "", facts)))

    def files(self, split):
        return self._files[split]

    def documents(self, split):
        for path in self.files(split):
            yield from documents(path)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return files(packed(SETTINGS, tmp_path_factory.mktemp("whole") / "tokens").folder)


@settings(deadline=None, max_examples=10)
@given(cuts=st.lists(st.integers(0, 26), max_size=5))
def test_files_can_be_cut_anywhere(whole, tmp_path_factory, cuts):
    folder = tmp_path_factory.mktemp("parts")
    tokens = pack(Sharded(example_corpus(), folder / "corpus", cuts), SETTINGS, folder / "tokens")
    assert files(tokens.folder) == whole
    assert sorted(path.name for path in folder.iterdir()) == ["corpus", "tokens"]


@pytest.mark.parametrize(
    "workers", [0, 2, pytest.param(1, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)]
)
def test_the_number_of_workers_changes_no_byte(whole, tmp_path, workers):
    corpus = Sharded(example_corpus(), tmp_path / "corpus", (3, 11, 20))
    assert files(pack(corpus, SETTINGS, tmp_path / "tokens", workers=workers).folder) == whole


@pytest.mark.parametrize("stage", ["tokenizer", "tokens of train", "tokens of held_out", "finishing"])
def test_packing_that_was_stopped_goes_on_where_it_was(whole, tmp_path, stage, monkeypatch):
    class Enough(Exception):
        pass

    def stop(event):
        if isinstance(event, Progress) and event.task == stage and event.unit == "parts" and event.done:
            raise Enough

    corpus = Sharded(example_corpus(), tmp_path / "corpus", (3, 11, 20))
    with pytest.raises(Enough):
        pack(corpus, SETTINGS, tmp_path / "tokens", watch=stop, workers=0)
    if stage == "tokens of train":
        monkeypatch.setattr(pack_units, "learn", lambda *_: pytest.fail("the tokenizer is there already"))
    assert files(pack(corpus, SETTINGS, tmp_path / "tokens", workers=0).folder) == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "tokens"]


def test_passages_are_those_of_the_whole_even_where_a_part_kept_too_few(tmp_path, monkeypatch):
    monkeypatch.setattr("pilotlight.tokens.pack_units.STORED_BYTES", 6000)
    monkeypatch.setattr("pilotlight.tokens.pack.STORED_BYTES", 6000)
    corpus = Sharded(example_corpus(60), tmp_path / "corpus", (10, 20))
    one = pack(corpus, Bytes(), tmp_path / "one")
    monkeypatch.setattr("pilotlight.tokens.pack._share", lambda size, whole: 700)
    two = pack(corpus, Bytes(), tmp_path / "two")
    assert (one.folder / "train.passages.jsonl").read_bytes() == (two.folder / "train.passages.jsonl").read_bytes()
    assert 5500 < (one.folder / "train.passages.jsonl").stat().st_size < 12_000


def test_each_document_knows_its_source_and_language(tmp_path):
    corpus = Sharded(example_corpus(), tmp_path / "corpus", (3, 11), languages=("de", "", "ca"))
    tokens = pack(corpus, Bytes(), tmp_path / "tokens")
    split = Tokens.open(tokens.folder).split("train")
    read = list(corpus.documents("train"))
    assert [split.source_names[number] for number in split.sources] == [item.source for item in read]
    assert [split.language_names[number] for number in split.languages] == [item.facts["language"] for item in read]
    assert split.source_names == ("laws", "notes")
    assert split.language_names == ("", "ca", "de")
    held_out = tokens.split("held_out")
    assert [held_out.source_names[number] for number in held_out.sources] == [
        item.source for item in corpus.documents("held_out")
    ]


def test_without_languages_there_is_no_file_of_them(tmp_path):
    tokens = packed(Bytes(), tmp_path / "tokens")
    assert tokens.split("train").languages is None
    assert not list(tokens.folder.glob("*languages*"))


def test_facts_tell_the_waste_of_packing_and_the_order(tmp_path):
    items = tuple(document(n, prose(n, 30), "notes") for n in range(40))
    facts = packed(Bytes(), tmp_path / "tokens", ExampleCorpus(items, items[:1])).manifest.facts
    assert facts["order"] == 1
    assert set(facts["waste"]) == {"256", "1024", "4096"}
    assert facts["waste"]["256"]["cut"] > 0.1
    assert facts["waste"]["256"]["cut_by_best_fit"] < facts["waste"]["256"]["cut"]


def test_a_corpus_whose_files_hold_nothing_to_train_on_is_refused(tmp_path):
    corpus = Sharded(ExampleCorpus((), (document(1, "held out"),)), tmp_path / "corpus")
    with pytest.raises(DataError, match="training split has no"):
        pack(corpus, Bytes(), tmp_path / "tokens")
    assert not (tmp_path / "tokens").exists()


def test_sizes_are_those_of_the_documents(tmp_path):
    corpus = Sharded(example_corpus(), tmp_path / "corpus", (5,))
    split = pack(corpus, SETTINGS, tmp_path / "tokens").split("train")
    assert split.bytes.tolist() == [len(item.text.encode()) for item in corpus.documents("train")]
    assert np.diff(split.bounds).min() > 1


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_packing_that_was_killed_goes_on_where_it_was(tmp_path):
    corpus = Sharded(example_corpus(300, 600), tmp_path / "corpus", range(20, 290, 20))
    whole = files(pack(corpus, SETTINGS, tmp_path / "whole", workers=0).folder)
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from test_pack_parts import SETTINGS, Kept; from pilotlight.tokens.pack import pack\n"
        "pack(Kept(Path(sys.argv[2]), sys.argv[3]), SETTINGS, Path(sys.argv[4]), workers=2)\n"
    )
    given = [str(Path(__file__).parent), str(tmp_path / "corpus"), corpus.fingerprint, str(tmp_path / "tokens")]
    kills = 0
    for seconds in (0.3, 0.6, 0.9, 1.2, 60.0):
        with subprocess.Popen([sys.executable, "-c", script, *given]) as process:
            try:
                assert process.wait(seconds) == 0
                break
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
    assert kills
    assert files(tmp_path / "tokens") == whole


class Kept:
    """A corpus that ``Sharded`` wrote, seen from another process."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = folder, fingerprint

    def files(self, split):
        held_out = [self.folder / "held_out.jsonl.zst"]
        return held_out if split == "held_out" else sorted(self.folder.glob("0*.jsonl.zst"))

    def documents(self, split):
        for path in self.files(split):
            yield from documents(path)


def test_a_document_that_a_balance_repeats_stands_as_often_in_the_tokens(tmp_path):
    from pilotlight.corpus.build import build
    from pilotlight.corpus.recipe import Recipe

    for name, count in (("few", 20), ("many", 200)):
        rows = [json.dumps({"text": f"{name} {number} " + "word " * 30}) for number in range(count)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    shares = {"source": {"few": "50%", "many": "50%"}}
    corpus = build(
        Recipe.model_validate({
            "sources": [{"kind": "jsonl", "path": tmp_path / f"{name}.jsonl"} for name in ("few", "many")],
            "steps": [{"kind": "balance", "shares": shares, "most_repeats": 4}], "held_out": 0,
        }),
        tmp_path / "corpus",
    )  # fmt: skip
    packed = pack(corpus, Bytes(), tmp_path / "tokens")
    sources = packed.manifest.facts["splits"]["train"]["sources"]
    assert sources["few"]["documents"] > 2 * 20
    assert sources["few"]["bytes"] == pytest.approx(sources["many"]["bytes"], rel=0.1)
    stands = [document.facts.get("repeats", 1) for document in corpus.documents("train") if document.source == "few"]
    assert sum(stands) == sources["few"]["documents"]


def test_several_commands_that_share_the_packing_give_the_same_bytes_and_clear_up(tmp_path):
    corpus = Sharded(example_corpus(), tmp_path / "corpus", cuts=(20, 45))
    alone = files(pack(corpus, SETTINGS, tmp_path / "alone", workers=0).folder)
    out, errors = tmp_path / "shared", []

    def share(number):
        try:
            pack_share(corpus, SETTINGS, out, (number, 2))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=share, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert files(out) == alone
    assert not work_folder(out).exists()
