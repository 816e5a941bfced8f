"""A corpus in memory, and small text, for the tests of tokens."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pilotlight.tokens.pack import pack
from pilotlight.tokens.tokenizer import Tokenizer
from pilotlight.tokens.tokens import Tokens


@dataclass(frozen=True)
class ExampleDocument:
    text: str
    id: str
    source: str = "notes"


def document(name: object, text: str, source: str = "notes") -> ExampleDocument:
    return ExampleDocument(text, hashlib.md5(str(name).encode()).hexdigest(), source)


@dataclass(frozen=True)
class ExampleCorpus:
    train: tuple[ExampleDocument, ...]
    held_out: tuple[ExampleDocument, ...] = ()

    @property
    def fingerprint(self) -> str:
        texts = "\x1e".join(f"{item.id} {item.source} {item.text}" for item in (*self.train, *self.held_out))
        return hashlib.sha256(texts.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def documents(self, split):
        yield from (self.train if split == "train" else self.held_out)


SENTENCE = "the small flame lights a big burner; día, naïve, 漢字 and 🙂 in 1234 ways\r\n\tdef f(x): return x + 1\n"
WORDS = SENTENCE.split(" ")


def prose(seed: int, words: int) -> str:
    state, found = seed * 2654435761 + 1, []
    for _ in range(words):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append(WORDS[(state >> 33) % len(WORDS)])
    return " ".join(found)


def example_corpus(documents: int = 30, words: int = 60) -> ExampleCorpus:
    items = tuple(document(n, prose(n, words + n), "notes" if n % 3 else "laws") for n in range(documents))
    return ExampleCorpus(items[4:], items[:4])


def packed(settings: Tokenizer, out: Path, corpus: ExampleCorpus | None = None) -> Tokens:
    return pack(corpus or example_corpus(), settings, out)
