"""The text and tokens of every variant, built once each, and whether they can carry the ladder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pilotlight.corpus.build import build
from pilotlight.errors import DataError
from pilotlight.events import Note, Watcher
from pilotlight.pilot.pilot import Pilot, Setup
from pilotlight.record.results import BASELINE
from pilotlight.spec import fingerprint
from pilotlight.tokens.pack import pack
from pilotlight.tokens.tokens import Tokens
from pilotlight.units import show_bytes, show_count

# Repeating text up to 4 epochs costs almost nothing, beyond 16 it is worth almost nothing
# (Muennighoff et al. 2023, arXiv 2305.16264, figure 5).
FREE_EPOCHS = 4
MOST_EPOCHS = 16
LEAST_HELD_OUT_BYTES = 10_000


@dataclass(frozen=True)
class Ready:
    """Tokens of every variant, the baseline included."""

    tokens: dict[str, Tokens]


def tokens_of(setup: Setup, out: Path, watch: Watcher) -> Tokens:
    """Return the packed tokens of one setup below ``out``, building corpus and tokens where they are missing.

    Raises:
        DataError: the sources hold no usable text.
        RecordError: ``out`` holds a corpus of the same settings whose input has changed since.
    """
    corpus = build(setup.corpus, corpus_folder(setup, out), watch=watch)
    return pack(corpus, setup.tokenizer, tokens_folder(setup, out), watch=watch)


def corpus_folder(setup: Setup, out: Path) -> Path:
    """Return where below ``out`` the corpus of a setup is."""
    return out / "corpus" / fingerprint(setup.corpus.identity())


def tokens_folder(setup: Setup, out: Path) -> Path:
    """Return where below ``out`` the tokens of a setup are."""
    return out / "tokens" / fingerprint(setup.corpus.identity(), setup.tokenizer.identity())


def vocabularies(pilot: Pilot, out: Path) -> dict[str, int]:
    """Return the number of ids of every tokenizer that the pilot in ``out`` packed with, by its fingerprint.

    Raises:
        RecordError: the tokens are not there.
    """
    found: dict[str, int] = {}
    for name in (BASELINE, *pilot.variants):
        setup = pilot.variant(name)
        key = fingerprint(setup.tokenizer)
        if key not in found:
            found[key] = Tokens.open(tokens_folder(setup, out)).vocabulary
    return found


def prepare(pilot: Pilot, out: Path, watch: Watcher) -> Ready:
    """Return the tokens that the pilot trains on.

    Raises:
        DataError: there is too little text for the ladder, or for an honest held-out loss.
    """
    built: dict[str, Tokens] = {}
    tokens: dict[str, Tokens] = {}
    for name in (BASELINE, *pilot.variants):
        setup = pilot.variant(name)
        key = fingerprint(setup.corpus, setup.tokenizer)
        if key not in built:
            built[key] = tokens_of(setup, out, watch)
        tokens[name] = built[key]
    _enough(pilot, tokens[BASELINE], watch)
    held_out = {str(item.held_out_fingerprint) for item in tokens.values()}
    if len(held_out) != 1:
        raise DataError(
            "the variants do not share the same held-out text, so their losses would not compare; "
            "let variants change corpus.steps, not corpus.sources or corpus.held_out."
        )
    return Ready(tokens)


def _enough(pilot: Pilot, tokens: Tokens, watch: Watcher) -> None:
    train, held_out = tokens.split("train"), tokens.split("held_out")
    available = len(train.ids)
    scored = int(held_out.bytes.sum())
    if scored < LEAST_HELD_OUT_BYTES:
        raise DataError(
            f"the corpus leaves {show_bytes(scored)} of held-out text, fewer than {show_bytes(LEAST_HELD_OUT_BYTES)}: "
            "too little to measure a loss on. Give more text, in more than a few documents."
        )
    largest = max(pilot.scales, key=lambda scale: scale.tokens)
    epochs = largest.tokens / available
    if epochs > MOST_EPOCHS:
        fitting = available * FREE_EPOCHS
        raise DataError(
            f"the corpus has {show_count(available)} tokens, so the rung {largest.name} would read it {epochs:.0f} times "
            f"over, more than {MOST_EPOCHS}: too small for the ladder. Give at least "
            f"{show_bytes(largest.tokens / MOST_EPOCHS * tokens.bytes_per_token)} of text, or lower the largest rung to "
            f"about {show_count(fitting)} tokens."
        )
    if epochs > FREE_EPOCHS:
        watch(Note(
            f"the rung {largest.name} reads the corpus {epochs:.1f} times over; beyond {FREE_EPOCHS} epochs the loss "
            "falls slower than on fresh text.", "warning",
        ))  # fmt: skip
