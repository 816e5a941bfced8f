"""What the folder of a pilot tells beside its results: plans as they were trained, text, stability, drills."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from pilotlight.corpus.facts import CorpusFacts
from pilotlight.errors import RecordError
from pilotlight.manifest import NAME, read_manifest
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.prepare import corpus_folder, tokens_folder, vocabularies
from pilotlight.pilot.shards import by_shard
from pilotlight.record.commitment import criteria_in_force
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import BASELINE, Results
from pilotlight.record.run import Run
from pilotlight.spec import Record, fingerprint

MARGIN = Path("margin") / "runs" / "margin.json"
"""Where ``pilot margin OUT/full.yaml`` leaves its record."""
DRILLS = "drills.json"


@final
class Stability(Record):
    """How far the learning rate of a plan is from the edge, as ``pilot margin`` found it."""

    fingerprint: str
    """Of the plan and the tokens."""
    multiple: float
    """Largest multiple of the rate that survived."""
    sentence: str


@final
class Drill(Record):
    """One rehearsal of a fault on the hardware of the full run: what was done and whether the run went on as it should."""

    name: str
    passed: bool
    seen: str = ""


@final
@dataclass(frozen=True)
class Observed:
    """What stands in the folder of a pilot beside its ledger of trials."""

    planned: Mapping[str, int]
    """How many trials were planned and left out."""
    vocabularies: Mapping[str, int]
    """Number of ids of each tokenizer by its fingerprint."""
    deviations: tuple[str, ...] = ()
    """What was not the same from the first trial to the last."""
    plans: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Plans as they were trained, by the name of the trial; the pilot's own where one is not here."""
    scored: Mapping[str, int] = field(default_factory=dict[str, int])
    """Held-out bytes behind the metrics, by the name of the trial."""
    shards: Mapping[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])
    """The metric on each shard of the held-out text, by the name of the trial; nothing where that cannot be told."""
    texts: Mapping[str, CorpusFacts] = field(default_factory=dict[str, CorpusFacts])
    """What became of the text, by the name of the variant."""
    tokens: Mapping[str, str] = field(default_factory=dict[str, str])
    """Fingerprint of the tokens, by that of corpus and tokenizer."""
    stability: Stability | None = None
    drills: tuple[Drill, ...] = ()
    criteria: str = ""
    """Hash of the criteria in force as the ledger has it; an earlier version of the program may have hashed otherwise."""


def observe(
    pilot: Pilot, out: Path, results: Results, planned: Mapping[str, int], deviations: tuple[str, ...]
) -> Observed:
    """Return what the folder ``out`` tells.

    Raises:
        RecordError: tokens are missing, or a record is damaged.
    """
    plans: dict[str, Mapping[str, Any]] = {}
    scored: dict[str, int] = {}
    for row in results.finished():
        folder = out / "runs" / row.name
        plans[row.name] = read_manifest(folder).settings
        scored[row.name] = Run.open(folder).facts.scored_bytes
    texts: dict[str, CorpusFacts] = {}
    tokens: dict[str, str] = {}
    for name in (BASELINE, *pilot.variants):
        setup = pilot.variant(name)
        texts[name] = _facts(corpus_folder(setup, out))
        tokens[fingerprint(setup.corpus, setup.tokenizer)] = read_manifest(tokens_folder(setup, out)).fingerprint
    entry = criteria_in_force(Ledger(out / "ledger.jsonl").entries())
    return Observed(
        planned=planned, vocabularies=vocabularies(pilot, out), deviations=deviations, plans=plans, scored=scored,
        shards=by_shard(pilot, out, results), texts=texts, tokens=tokens, stability=_stability(out / MARGIN),
        drills=_drills(out / DRILLS),
        criteria=str(entry.facts["criteria"]) if entry else "",
    )  # fmt: skip


def _facts(folder: Path) -> CorpusFacts:
    try:
        return CorpusFacts.model_validate(read_manifest(folder).facts)
    except ValueError as error:
        raise RecordError(f"{folder / NAME} says nothing about its text. Run the pilot in a new --out.") from error


def _stability(path: Path) -> Stability | None:
    if not path.is_file():
        return None
    from pilotlight.train.margin import Margin  # torch

    try:
        found = Margin.from_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} is damaged. Remove it, or run `pilot margin` again.") from error
    return Stability(fingerprint=found.fingerprint, multiple=found.multiple, sentence=found.sentence)


def _drills(path: Path) -> tuple[Drill, ...]:
    if not path.is_file():
        return ()
    try:
        return tuple(Drill.model_validate(item) for item in json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise RecordError(
            f"{path} cannot be read; expected a list such as "
            '[{"name": "kill", "passed": true, "seen": "went on at step 400 with the same loss"}].'
        ) from error
