"""Everything a page can show of one pilot, read from the records in its output folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, TypeVar, cast, final

from pilotlight.errors import RecordError
from pilotlight.manifest import NAME, Manifest, sha256
from pilotlight.record.clock import Clock, read_clock
from pilotlight.record.commitment import CRITERIA, committed, criteria_in_force
from pilotlight.record.decision import Decision
from pilotlight.record.ledger import Entry, Ledger
from pilotlight.record.results import ASIDE, BASELINE, TRIAL, Results, Row
from pilotlight.record.run import FACTS, METRICS, RunFacts, kept_lines, read_lines
from pilotlight.report.full_run import FullRun, read_full_run

Found = TypeVar("Found")


@final
@dataclass(frozen=True, slots=True)
class Curve:
    """How one run went: tokens seen against held-out loss, and against the loss of each step."""

    name: str
    variant: str
    scale: str
    seed: str
    evaluations: tuple[tuple[float, float], ...]
    """Training tokens and held-out bits per byte."""
    steps: tuple[tuple[float, float], ...]
    """Training tokens and training loss in nats per token, thinned."""

    @property
    def is_repeat(self) -> bool:
        """Whether this is an A/A repeat."""
        return "-" in self.seed


@final
@dataclass(frozen=True)
class Study:
    """One pilot as its records tell it. ``decision`` and ``results`` are None where there are none to believe."""

    pilot: Mapping[str, Any]
    decision: Decision | None
    results: Results | None
    entries: tuple[Entry, ...]
    curves: tuple[Curve, ...]
    corpora: tuple[Manifest, ...]
    tokens: tuple[Manifest, ...]
    full: FullRun | None
    """The full run, once it was trained into ``full/run``."""
    void: str
    """Why nothing can be concluded from this folder; empty where all is well."""
    files: Mapping[str, str]
    """SHA-256 of the files that carry the conclusion."""
    clock: Clock | None = None
    """What the clock says of the variants; None where nothing was written down beside this decision."""

    @classmethod
    def read(cls, out: Path) -> Self:
        """Return the study in ``out``. Damaged records make it void, with the reason; they never raise.

        Raises:
            RecordError: the folder holds no pilot at all.
        """
        if not (out / "pilot.json").is_file() and not (out / "ledger.jsonl").is_file():
            raise RecordError(f"{out} holds no pilot. Give the output folder of `pilot run`.")
        ledger = Ledger(out / "ledger.jsonl")
        void: list[str] = []
        pilot = _try(void, lambda: _mapping(out / "pilot.json"), {})
        results = _try(void, lambda: _results(out, ledger), None)
        curves, tokens = tuple(_curves(out)), _manifests(out / "tokens", "tokens")
        decision = _try(void, lambda: _decision(out), None)
        _check_runs(out, results, void)
        _check_pilot(pilot, ledger, void)
        _check_criteria(decision, ledger, void)
        _check_decision(out, decision, ledger, void)
        return cls(
            pilot=pilot,
            decision=None if void else decision,
            results=None if void else results,
            entries=tuple(ledger.entries(trusted=False)),
            curves=() if void else curves,
            corpora=_manifests(out / "corpus", "corpus"),
            tokens=tokens,
            full=None if void else _try(void, lambda: _full_run(out, tokens, results, ledger), None),
            void=" ".join(void[:1]),
            files={name: sha256(out / name) for name in _CARRIERS if (out / name).is_file()},
            clock=None if void else read_clock(out),
        )

    def setting(self, path: str, default: Any = None) -> Any:
        """Return the pilot's setting at a dotted path, or ``default`` where it has none."""
        found: Any = self.pilot
        for name in path.split("."):
            if not isinstance(found, Mapping) or name not in found:
                return default
            found = cast("Mapping[str, Any]", found)[name]
        return found

    def rows(self) -> tuple[Row, ...]:
        """Return the rows of all trials that are entered in the ledger."""
        return self.results.rows if self.results else ()

    def variants(self) -> tuple[str, ...]:
        """Return the names of the baseline and of every variant, in the order of the plan."""
        planned: Mapping[str, Any] = self.setting("variants", {})
        seen = [*(row.variant for row in self.rows()), *(curve.variant for curve in self.curves)]
        return tuple(dict.fromkeys([BASELINE, *planned, *seen]))

    def scales(self) -> tuple[str, ...]:
        """Return the names of the rungs that were trained, smallest first."""
        sizes = {row.scale: (row.flops, row.tokens) for row in self.rows() if row.status == "finished"}
        seen = dict.fromkeys([*sizes, *(curve.scale for curve in self.curves)])
        return tuple(sorted(seen, key=lambda name: (name not in sizes, sizes.get(name, (0.0, 0.0)), name)))

    def facts(self, kind: str) -> Mapping[str, Any]:
        """Return the facts of the last ledger entry of a kind; empty where there is none."""
        return next((entry.facts for entry in reversed(self.entries) if entry.kind == kind), dict[str, Any]())

    def color(self, variant: str) -> int:
        """Return the series colour of a variant; the baseline is neutral, and so is what comes after the seventh."""
        place = self.variants().index(variant) if variant in self.variants() else 0
        return place if place < 8 else 0


_CARRIERS = ("decision.json", "ledger.jsonl", "pilot.json", "pilot.yaml", "full.yaml")


def _try(void: list[str], read: Callable[[], Found], otherwise: Found) -> Found:
    try:
        return read()
    except RecordError as error:
        void.append(str(error))
        return otherwise


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path.name} is missing or damaged. Run the pilot in a new --out.") from error
    if not isinstance(found, dict):
        raise RecordError(f"{path.name} holds no settings. Run the pilot in a new --out.")
    return found  # pyright: ignore[reportUnknownVariableType]


def _decision(out: Path) -> Decision | None:
    path = out / "decision.json"
    if not path.is_file():
        return None
    try:
        return Decision.from_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RecordError("decision.json is damaged. Run `pilot decide` on this folder to write it again.") from error


def _results(out: Path, ledger: Ledger) -> Results | None:
    ledger.verify()
    for kind in (kind for kind in ASIDE if ledger.entries(kind)):
        Results.open(out, kind=kind)  # checked only
    return Results.open(out) if ledger.entries(TRIAL) else None


def _scored_bytes(out: Path, results: Results | None) -> int | None:
    """Return the held-out bytes that the runs of the pilot were scored on; None where no run says."""
    row = next(iter(results.finished()), None) if results else None
    if row is None:
        return None
    try:
        return RunFacts.from_json((out / "runs" / row.name / FACTS).read_bytes()).scored_bytes
    except (OSError, ValueError):
        return None


def _check_runs(out: Path, results: Results | None, void: list[str]) -> None:
    """Note the first run whose curve is not the one that its manifest was sealed with."""
    for row in results.finished() if results else ():
        folder = out / "runs" / row.name
        sealed = Manifest.from_json((folder / NAME).read_bytes()).files
        for name in (METRICS, FACTS):
            record = sealed.get(name)
            if record is not None and (not (folder / name).is_file() or sha256(folder / name) != record.sha256):
                void.append(
                    f"runs/{row.name}/{name} was edited after the run was sealed, so no verdict can stand on it. "
                    "Restore the file, or run the pilot in a new --out."
                )
                return


def _check_criteria(decision: Decision | None, ledger: Ledger, void: list[str]) -> None:
    """Note a decision whose criteria are not the ones fixed before the first trial, or declared as a deviation since."""
    entry = criteria_in_force(ledger.entries(trusted=False))
    fixed = entry.facts.get("criteria") if entry else None
    if decision is not None and entry is not None and decision.criteria != fixed:
        since = (
            "were fixed before the first trial" if entry.kind == CRITERIA else "are in force since a declared deviation"
        )
        void.append(
            f"decision.json was made by criteria {decision.criteria}, but {fixed} {since}. "
            "Run `pilot decide` and `pilot report` on this folder again."
        )


def _check_pilot(pilot: Mapping[str, Any], ledger: Ledger, void: list[str]) -> None:
    """Note a pilot.json that is not the plan whose criteria are in the ledger."""
    entry = criteria_in_force(ledger.entries(trusted=False))
    if pilot and entry is not None and entry.facts.get("pilot") != pilot:
        void.append(
            "pilot.json is not the plan whose criteria were entered in the ledger. Restore it, or run `pilot run` with the "
            "plan, which writes it anew."
        )


def _check_decision(out: Path, decision: Decision | None, ledger: Ledger, void: list[str]) -> None:
    """Note a decision.json that is not the one entered in the ledger: edited, or the ledger was cut short."""
    found = committed(ledger.entries(trusted=False))
    if decision is None or (found is not None and sha256(out / "decision.json") == found.sha256):
        return
    what = "is not the decision that was entered in the ledger" if found else "is not in the ledger"
    void.append(
        f"decision.json {what}: one of the two was changed. Run `pilot decide` and `pilot report` on this folder again."
    )


def _full_run(out: Path, tokens: tuple[Manifest, ...], results: Results | None, ledger: Ledger) -> FullRun | None:
    return read_full_run(out, tokens, _scored_bytes(out, results), ledger.entries())


def _manifests(folder: Path, kind: str) -> tuple[Manifest, ...]:
    found: list[Manifest] = []
    for path in sorted(folder.glob(f"*/{NAME}")):
        try:
            manifest = Manifest.from_json(path.read_bytes())
        except (OSError, ValueError):
            continue  # text that cannot be described is left out of the page; the runs carry its fingerprint
        if manifest.kind == kind:
            found.append(manifest)
    return tuple(found)


def _curves(out: Path) -> Iterable[Curve]:
    for path in sorted((out / "runs").glob(f"*/*/*/{METRICS}")):
        variant, scale, seed = path.parent.relative_to(out / "runs").parts
        if variant.startswith(tuple(ASIDE.values())):
            continue
        try:
            lines = kept_lines(read_lines(path))
        except RecordError:
            continue  # of a killed trial; the curves of entered runs are checked against their seal
        yield Curve(
            name=f"{variant}/{scale}/{seed}",
            variant=variant,
            scale=scale,
            seed=seed,
            evaluations=tuple(_pairs(lines, "evaluation", "bits_per_byte")),
            steps=_thinned(tuple(_pairs(lines, "step", "loss"))),
        )


def _pairs(lines: Iterable[Mapping[str, Any]], kind: str, name: str) -> Iterable[tuple[float, float]]:
    for line in lines:
        if line.get("kind") == kind and isinstance(line.get(name), int | float) and line.get("tokens", 0) > 0:
            yield float(line["tokens"]), float(line[name])


def _thinned(pairs: tuple[tuple[float, float], ...], most: int = 120) -> tuple[tuple[float, float], ...]:
    """Return about ``most`` means of neighbouring steps: single steps are noise at the scale of the page."""
    if len(pairs) <= most:
        return pairs
    edges = [round(index * len(pairs) / most) for index in range(most + 1)]
    groups = [pairs[low:high] for low, high in pairwise(edges)]
    return tuple((group[-1][0], sum(loss for _, loss in group) / len(group)) for group in groups)
