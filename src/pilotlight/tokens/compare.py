"""Tokenizers side by side on the same text: bytes per token, fertility, vocabulary use, packing, speed and cost.

All of it is a property of text and not of training: the units of its intervals are documents, and no seed enters. Which
tokenizer trains the better model is another question, which only trainings answer (bits per byte compares across them).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from pilotlight.errors import DataError
from pilotlight.events import Note, Progress, Watcher, silent
from pilotlight.spec import Record, plain
from pilotlight.stats.bootstrap import two_level
from pilotlight.stats.estimate import Estimate, exact
from pilotlight.tokens.behaviour import Behaviour, behaviour, fragment_share
from pilotlight.tokens.candidates import Candidate
from pilotlight.tokens.measured_text import MeasuredText, measured_text
from pilotlight.tokens.text import Passage, Sample, Text
from pilotlight.tokens.tokenizer import Encoder, learn_encoder, lost, open_encoder
from pilotlight.tokens.waste import Waste, waste

LONGEST = 64_000
RARE = 10
BATCH = 1 << 21
LEARNT_BYTES = 8_000_000


class Documents(Protocol):
    """What a comparison needs of a corpus."""

    def documents(self, split: Literal["train", "held_out"]) -> Iterable[Text]:
        """Return the documents of a split."""
        ...


class Rate(Record):
    """What a tokenizer makes of the held-out documents of one group."""

    group: str
    """``all``, or ``language ca``, ``source laws``, ``content code``."""
    documents: int
    bytes: int
    tokens: int
    """With one end token for each document."""
    bytes_per_token: Estimate
    """End tokens counted, as packing counts them."""
    fertility: float | None
    """Tokens per word, or per character where a script has no spaces; end tokens not counted."""
    per: Literal["word", "character", "word or character"]


class MeasuredTokenizer(Record):
    """One tokenizer on the text."""

    name: str
    settings: dict[str, Any]
    vocabulary: int
    lossless: bool
    loses: tuple[str, ...]
    """What does not come back as it was."""
    rates: tuple[Rate, ...]
    used: float
    """Share of the ids that occur in the training text looked at."""
    rare: float
    """Share of the ids that occur there, but fewer than 10 times: little is learnt about them."""
    fragments: float
    """Share of the held-out tokens that are only a part of a character."""
    behaviour: Behaviour
    waste: Waste
    encode_speed: float
    """Megabytes of text per CPU-second, measured on this machine; differs from run to run."""
    train_seconds: float | None
    """CPU-seconds it took to learn on this machine; None where nothing was learnt."""
    notes: tuple[str, ...] = ()


class Difference(Record):
    """A tokenizer against the first one, on the same documents."""

    name: str
    against: str
    group: str
    bytes_per_token: Estimate
    """How many bytes per token more; paired by document."""
    tokens: Estimate
    """How many tokens more for the same text, in percent; paired by document."""


class TokenizerComparison(Record):
    """Tokenizers on the same text."""

    documents: int
    bytes: int
    """UTF-8 bytes of the held-out text looked at."""
    train_bytes: int
    """UTF-8 bytes of the training text that the use of ids was counted on."""
    level: float
    tokenizers: tuple[MeasuredTokenizer, ...]
    differences: tuple[Difference, ...]
    cautions: tuple[str, ...]


def embedding_parameters(vocabulary: int, width: int, *, tied: bool = True) -> int:
    """Return the parameters of the token embedding of a model of ``width``, and of its output unless they are tied."""
    return vocabulary * width * (1 if tied else 2)


def embedding_share(vocabulary: int, width: int, body: float, *, tied: bool = True) -> float:
    """Return the share of all parameters that is embeddings, for ``body`` non-embedding parameters."""
    embedding = embedding_parameters(vocabulary, width, tied=tied)
    return embedding / (embedding + body)


@dataclass(frozen=True)
class _Texts:
    """What every tokenizer is measured on."""

    held_out: MeasuredText
    learnt_from: list[Passage]
    seen: list[Passage]
    context: int
    level: float


@dataclass(frozen=True)
class _Encoded:
    """What is kept of an encoder's work: its numbers, and the tokens of each held-out document."""

    measured: MeasuredTokenizer
    tokens: np.ndarray


def compare(
    found: Mapping[str, Candidate],
    corpus: Documents,
    *,
    context: int = 1024,
    limit: int = 8_000_000,
    level: float = 0.95,
    keep: Path | None = None,
    watch: Watcher = silent,
) -> TokenizerComparison:
    """Return what each tokenizer makes of the held-out text of ``corpus``, the first being the one compared against.

    Tokenizers learn from the training split. At most ``limit`` bytes of held-out text are looked at, chosen by a hash
    of the documents' ids. ``keep`` is a folder for what was learnt; without it nothing is left behind.

    Raises:
        DataError: there are no tokenizers, there is no text, or a tokenizer cannot be used.
    """
    if not found:
        raise DataError("There is no tokenizer to measure. Name at least one, such as bpe:8192.")
    with tempfile.TemporaryDirectory(prefix="pilotlight-tokenizers-") as temporary:
        texts = _texts(found, corpus, (context, limit, level))
        encoded: list[_Encoded] = []
        for number, (name, candidate) in enumerate(found.items()):
            watch(Progress("tokenizers", number, len(found), note=name))
            encoded.append(_measure(name, candidate, texts, (keep or Path(temporary)) / f"{number + 1:02d}"))
            for note in encoded[-1].measured.notes:
                watch(Note(f"{name}: {note}", "warning"))
        watch(Progress("tokenizers", len(found), len(found)))
    text = texts.held_out
    return TokenizerComparison(
        documents=len(text.texts), bytes=int(text.bytes.sum()), train_bytes=sum(item.bytes for item in texts.seen),
        level=level, tokenizers=tuple(item.measured for item in encoded), cautions=tuple(_cautions(text, encoded)),
        differences=tuple(line for item in encoded[1:] for line in _differences(item, encoded[0], text, level)),
    )  # fmt: skip


def _texts(found: Mapping[str, Candidate], corpus: Documents, wanted: tuple[int, int, float]) -> _Texts:
    context, limit, level = wanted
    sizes = [int(getattr(candidate, "sample_bytes", 0)) for candidate in found.values()]
    sample = Sample(max(LEARNT_BYTES, *sizes), LONGEST)
    for document in corpus.documents("train"):
        sample.add(document)
    learnt_from = sample.passages()
    if not learnt_from:
        raise DataError("The training split has no text. Check the sources and filters of the corpus.")
    # A larger sample begins with the smaller one, so what every tokenizer is counted on does not depend on the others.
    seen, size = list[Passage](), 0
    for passage in learnt_from:
        if size >= LEARNT_BYTES:
            break
        seen.append(passage)
        size += passage.bytes
    return _Texts(measured_text(corpus.documents("held_out"), limit), learnt_from, seen, context, level)


def _measure(name: str, candidate: Candidate, texts: _Texts, folder: Path) -> _Encoded:
    seconds = None
    settings: dict[str, Any] = {}
    if isinstance(candidate, Path):
        encoder = open_encoder(candidate)
    else:
        started = time.process_time()
        facts = learn_encoder(candidate, texts.learnt_from, folder)
        seconds = time.process_time() - started if "sample_bytes" in facts else None
        encoder, settings = open_encoder(folder), plain(candidate)
    held_out = texts.held_out
    encoder.encode(held_out.texts[0])
    started = time.process_time()
    counts, tokens = _count(encoder, held_out.texts)
    spent = time.process_time() - started
    seen, _ = _count(encoder, [passage.text for passage in texts.seen])
    missing = lost(encoder)
    measured = MeasuredTokenizer(
        name=name, settings=settings, vocabulary=encoder.vocabulary, lossless=not missing, loses=tuple(missing),
        rates=tuple(_rate(group, index, tokens, held_out, texts.level) for group, index in held_out.groups.items()),
        used=float((seen > 0).mean()), rare=float(((seen > 0) & (seen < RARE)).mean()),
        fragments=fragment_share(encoder, counts), behaviour=behaviour(encoder),
        waste=waste((tokens + 1).tolist(), texts.context), notes=encoder.notes(), train_seconds=seconds,
        encode_speed=float(held_out.bytes.sum()) / 1e6 / max(spent, 1e-9),
    )  # fmt: skip
    return _Encoded(measured, tokens)


def _count(encoder: Encoder, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each id occurs, and the tokens of each text."""
    counts = np.zeros(encoder.vocabulary, dtype=np.int64)
    lengths: list[int] = []
    batch: list[str] = []
    size = 0
    for number, text in enumerate(texts, 1):
        batch.append(text)
        size += len(text)
        if size >= BATCH or number == len(texts):
            ids = encoder.encode_batch(batch)
            lengths += [len(found) for found in ids]
            counts += np.bincount(np.concatenate(ids), minlength=encoder.vocabulary)
            batch, size = [], 0
    return counts, np.array(lengths, dtype=np.int64)


def _over_documents(fields: np.ndarray, statistic: Callable[[np.ndarray], float], unit: str, level: float) -> Estimate:
    """Return the statistic of [documents fields] with its interval for new documents of the same kind."""
    if len(fields) < 2:
        return exact(statistic(fields), unit, "one document", 1, "one document: no interval")
    found = two_level(fields[None], unit=unit, level=level, statistic=statistic)
    cautions = tuple(caution.replace("items", "documents") for caution in found.cautions if "seed" not in caution)
    return found.model_copy(update={"method": "jackknife t over documents", "cautions": cautions})


def _rate(group: str, index: np.ndarray, tokens: np.ndarray, text: MeasuredText, level: float) -> Rate:
    sizes, counts, units = text.bytes[index], tokens[index], text.units[index]
    kinds = {bool(item) for item in text.unspaced[index]}
    fields = np.stack([sizes, counts + 1], axis=1).astype(float)
    return Rate(
        group=group, documents=len(index), bytes=int(sizes.sum()), tokens=int(counts.sum()) + len(index),
        bytes_per_token=_over_documents(fields, _ratio, "bytes/token", level),
        fertility=float(counts.sum() / units.sum()) if units.sum() else None,
        per="word or character" if len(kinds) > 1 else ("character" if kinds == {True} else "word"),
    )  # fmt: skip


def _ratio(fields: np.ndarray) -> float:
    return float(fields[:, 0].sum() / fields[:, 1].sum())


def _more_bytes(fields: np.ndarray) -> float:
    size, first, other = fields.sum(0)
    return float(size / other - size / first)


def _more_tokens(fields: np.ndarray) -> float:
    _, first, other = fields.sum(0)
    return float(100.0 * (other / first - 1.0))


def _differences(item: _Encoded, first: _Encoded, text: MeasuredText, level: float) -> list[Difference]:
    columns = np.stack([text.bytes, first.tokens + 1, item.tokens + 1], axis=1).astype(float)
    return [
        Difference(
            name=item.measured.name, against=first.measured.name, group=group,
            bytes_per_token=_over_documents(columns[index], _more_bytes, "bytes/token", level),
            tokens=_over_documents(columns[index], _more_tokens, "%", level),
        )
        for group, index in text.groups.items()
    ]  # fmt: skip


def _cautions(text: MeasuredText, encoded: list[_Encoded]) -> list[str]:
    found = [
        "A property of this text, not of a training: fewer tokens are cheaper to read, not always better to learn from. "
        "Intervals are for new documents of the same kind; several of them are not corrected for.",
        "Speeds and training times were measured here and now; other programs on this machine slow them.",
    ]
    if len(text.texts) < 30:
        found.append(f"Only {len(text.texts)} held-out documents: the intervals are rough.")
    changing = [item.measured.name for item in encoded if not item.measured.lossless]
    if changing:
        change = "changes" if len(changing) == 1 else "change"
        found.append(
            f"{', '.join(changing)} {change} text; what they leave out costs them no tokens, so bytes per token look "
            "better than they are."
        )
    return found
