"""Speed of learning and applying tokenizers beside the libraries they rest on or compete with, in the same run.

python bench/tokenizing.py FOLDER                     every *.jsonl.gz below FOLDER, 8 MB learnt from, 8 MB encoded
python bench/tokenizing.py FOLDER --megabytes 32      more of it
python bench/tokenizing.py FOLDER --vocabulary 32000  another vocabulary

FOLDER holds files of lines such as {"text": "..."}; documents enter in the order of a hash. Speeds are megabytes of UTF-8
text per second of CPU time of all threads, so a busy machine disturbs little. The text that is encoded is not learnt from.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilotlight.tokens.byte_pairs import PATTERN
from pilotlight.tokens.tokenizer import Tokenizer, learn_encoder, open_encoder

LONGEST = 64_000
Encode = Callable[[list[str]], int]


@dataclass(frozen=True)
class Document:
    """A text with the id that decides its place."""

    text: str
    id: str
    source: str


def read(folder: Path, megabytes: float) -> tuple[list[Document], list[str]]:
    """Return documents to learn from and texts to encode, about ``megabytes`` of each."""
    found = sorted(_lines(folder), key=lambda document: document.id)
    learnt: list[Document] = []
    encoded: list[str] = []
    sizes = [0, 0]
    for number, document in enumerate(found):
        side = number % 2
        if sizes[side] < megabytes * 1e6:
            sizes[side] += len(document.text.encode())
            if side:
                encoded.append(document.text)
            else:
                learnt.append(document)
    return learnt, encoded


def _lines(folder: Path) -> Iterator[Document]:
    for path in sorted(folder.rglob("*.jsonl.gz")):
        with gzip.open(path, "rb") as file:
            for number, line in enumerate(file):
                text = json.loads(line).get("text")
                if isinstance(text, str) and text:
                    id = hashlib.sha256(f"{path.name}#{number}".encode()).hexdigest()[:32]
                    yield Document(text[:LONGEST].encode("utf-8", "replace").decode(), id, path.name)


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU-seconds of ``work`` and what it returned."""
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def ours(kind: str, vocabulary: int) -> Callable[[list[Document]], Encode]:
    """Return how a kind of ours learns: a function that gives the encoder."""

    def learn(documents: list[Document]) -> Encode:
        sizes = {} if kind == "bytes" else {"vocabulary": vocabulary, "sample_bytes": 1e9}
        with tempfile.TemporaryDirectory() as folder:
            learn_encoder(Tokenizer.choose({"kind": kind, **sizes}), documents, Path(folder))
            encoder = open_encoder(Path(folder))
        return lambda texts: sum(len(ids) for ids in encoder.encode_batch(texts))

    return learn


def hugging_face(vocabulary: int) -> Callable[[list[Document]], Encode]:
    """Return how byte-level BPE of Hugging Face's library learns and encodes, with the same cuts into words."""

    def learn(documents: list[Document]) -> Encode:
        from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

        learner = Tokenizer(models.BPE())
        learner.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
        )
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        )
        learner.train_from_iterator((document.text for document in documents), trainer)
        return lambda texts: sum(len(found.ids) for found in learner.encode_batch_fast(texts))

    return learn


def sentence_piece(kind: str, vocabulary: int) -> Callable[[list[Document]], Encode]:
    """Return how SentencePiece learns and encodes with its own defaults, line by line."""

    def learn(documents: list[Document]) -> Encode:
        import sentencepiece

        model = io.BytesIO()
        lines = (line for document in documents for line in document.text.splitlines() if line.strip())
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=lines, model_writer=model, model_type=kind, vocab_size=vocabulary, minloglevel=4, num_threads=1,
            byte_fallback=True,
        )  # fmt: skip
        known = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue(), num_threads=1)
        return lambda texts: sum(len(ids) for ids in known.encode(texts))

    return learn


def main() -> None:
    """Print one line per tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=float, default=8.0)
    parser.add_argument("--vocabulary", type=int, default=8192)
    given = parser.parse_args()
    learnt, encoded = read(given.folder, given.megabytes)
    if not learnt or not encoded:
        sys.exit(f"{given.folder} holds no *.jsonl.gz files with a field text; give a folder that does.")
    sizes = [sum(len(document.text.encode()) for document in learnt), sum(len(text.encode()) for text in encoded)]
    made: dict[str, Callable[[list[Document]], Encode]] = {
        "pilotlight bpe": ours("bpe", given.vocabulary),
        "tokenizers BPE": hugging_face(given.vocabulary),
        "sentencepiece bpe": sentence_piece("bpe", given.vocabulary),
        "pilotlight unigram": ours("unigram", given.vocabulary),
        "sentencepiece unigram": sentence_piece("unigram", given.vocabulary),
        "pilotlight characters": ours("characters", given.vocabulary),
        "pilotlight bytes": ours("bytes", given.vocabulary),
    }
    print(f"{sizes[0] / 1e6:.1f} MB learnt from, {sizes[1] / 1e6:.1f} MB encoded, vocabulary {given.vocabulary}\n")
    print("| tokenizer | learn, MB per CPU-second | encode, MB per CPU-second | bytes per token |")
    print("|---|---|---|---|")
    for name, learn in made.items():
        learning, encode = spent(lambda learn=learn: learn(learnt))
        encode(encoded[:20])
        encoding, tokens = spent(lambda encode=encode: encode(encoded))
        speeds = f"{sizes[0] / 1e6 / learning:.1f} | {sizes[1] / 1e6 / encoding:.1f}"
        print(f"| {name} | {speeds} | {sizes[1] / tokens:.3f} |", flush=True)


if __name__ == "__main__":
    main()
