"""``search``: rounds of trials over fields of the plan, finals on other seeds, the safe side, and fresh seeds at the end.

Every choice is made from results in order of their numbers. Rounds are written into the ledger before they are trained;
finals, probes and the last arms follow from what was trained. Killed at any moment and started again, a search goes on and
ends with the same result; a training whose worker was lost is tried again then, and may change who comes to the finals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from pilotlight.errors import ConfigError, EvidenceError
from pilotlight.events import Note, Watcher, silent
from pilotlight.manifest import write_atomic
from pilotlight.pilot import measure
from pilotlight.pilot.calibration import Calibration, from_ledger
from pilotlight.pilot.comparable import check_variant
from pilotlight.pilot.course import Course
from pilotlight.pilot.execute import Campaign, open_campaign, train_missing
from pilotlight.pilot.goal import FullRun, Hardware
from pilotlight.pilot.pilot import Pilot, Scale, Variant
from pilotlight.pilot.prepare import Ready, prepare
from pilotlight.pilot.preregister import preregister
from pilotlight.pilot.pruning import Courses, demands, likely
from pilotlight.pilot.search_result import Found, conclude, finalists, losses, safe_side
from pilotlight.pilot.search_settings import Search
from pilotlight.pilot.space import Dimension, Point, Told, dimensions, value_at
from pilotlight.pilot.task_goal import check_task
from pilotlight.pilot.trials import FRESH, Trial
from pilotlight.record.results import BASELINE, SEARCH, Results, Row
from pilotlight.record.search import NAME, SearchResult
from pilotlight.spec import fingerprint, plain
from pilotlight.units import show_seconds

ASKED = "search round"  # kind of the ledger entries that hold the points of a round, written before they are trained
SPEED = "search calibration"
SHADED = "shaded"
PROBES = (0.5, 2.0)
"""Multiples of the winner's value at which a shaded field is trained, beside the winner itself."""
LEAST_TRIALS = 4


def search(
    pilot: Pilot, out: Path, *, workers: int | None = None, together: int | None = None, watch: Watcher = silent
) -> SearchResult:
    """Return what the search of ``pilot`` found; its runs, ledger and ``search.json`` stand in folder ``out``.

    Args:
        pilot: a pilot with ``search`` in it.
        out: an empty or new folder, or that of the same search.
        workers: trials at a time; by default one per core, or one on an accelerator. 0: in this process.
        together: trials of one shape in one program; one where trials may be given up on the way.
        watch: told progress and what became of trials.

    Raises:
        ConfigError: the pilot has no search, or a field cannot take its values.
        RecordError: ``out`` belongs to another pilot, or a finished run in it was edited.
        EvidenceError: the budget pays for too few trials, or too few finished to name a winner.
        ResourceError, RunError, DataError: as of ``pilot run``.
    """
    pilot.check()
    check_task(pilot.goal)
    if pilot.search is None:
        raise ConfigError(
            "the pilot has no `search`; add search: {space: {train.optim.lr: {low: 1e-3, high: 1e-2, log: true}}}"
        )
    for path in pilot.search.space:
        if path.split(".")[0] == "corpus" and not path.startswith("corpus.steps"):
            raise ConfigError(
                f"search.space: {path} changes the held-out text, so losses would not compare; search corpus.steps"
            )
    fields = dimensions(pilot.search.space, pilot.setup)
    narrow = narrowed(pilot)
    workers = measure.default_workers() if workers is None else workers
    together = 1 if pilot.search.prune is not None else together or measure.default_together()
    with open_campaign(pilot, out, workers, together, watch) as campaign:
        preregister(pilot, out, campaign.ledger, watch)
        campaign = replace(campaign, pilot=narrow, kind=SEARCH)
        ready = prepare(narrow, out, watch)
        calibration = _calibrated(campaign, ready, max(1, workers))
        under_way = _Search(campaign, pilot.search, fields, calibration, Courses(out / "runs"))
        found = under_way.run()
        result = conclude(pilot, narrow.scales[0], fields, found)
        write_atomic(out / NAME, result.to_json() + "\n")
        return result


def narrowed(pilot: Pilot) -> Pilot:
    """Return the pilot with nothing but its baseline and the rung of the search, which also stands for the full run.

    Raises:
        ConfigError: the search names a rung that is not there, or none trains variants.
    """
    name = pilot.search.scale if pilot.search else None
    if name is None and not pilot.compared:
        raise ConfigError("search.scale: every rung is baseline_only; name the rung at which to search")
    rung = pilot.scale(name) if name else pilot.lowest
    full_run = FullRun(parameters=rung.parameters, tokens=rung.tokens)
    goal = pilot.goal.model_copy(update={"full_run": full_run, "hardware": Hardware()})
    return pilot.model_copy(update={"scales": (rung,), "variants": {}, "goal": goal, "tune": None, "search": None})


def _calibrated(campaign: Campaign, ready: Ready, workers: int) -> Calibration:
    entry = next(reversed(campaign.ledger.entries(SPEED)), None)
    if entry is not None:
        return from_ledger(entry.facts)
    found = measure.calibrate(campaign.pilot, ready, campaign.pool, workers, campaign.watch)
    campaign.ledger.append(SPEED, **plain(found))
    return found


@final
@dataclass(frozen=True)
class _Search:
    """A search on its way."""

    campaign: Campaign
    settings: Search
    fields: tuple[Dimension, ...]
    calibration: Calibration
    courses: Courses

    @property
    def rung(self) -> Scale:
        return self.campaign.pilot.scales[0]

    @property
    def baseline(self) -> Point:
        setup = self.campaign.pilot.setup
        return {field.path: value_at(setup, field.path) for field in self.fields}

    def run(self) -> Found:
        """Return everything that was trained, in the order in which it was decided."""
        trials, left_out = self._affordable()
        asked = self._explore(trials)
        best = finalists(asked, self._rows(), self.campaign.pilot.goal.metric, self.settings.top)
        points = {name: asked[name] for name in best}
        seeds = range(self.settings.repeats + 1)
        self._train(points, [(name, seed) for seed in seeds for name in points])
        found = Found(asked, points, self._rows(), left_out=left_out)
        probes = self._probes(found)
        self._train(probes, [(name, seed) for seed in seeds for name in probes])
        found = replace(found, probes=probes, rows=self._rows())
        last = self._last(found)
        if set(last) == {BASELINE}:
            return found
        fresh = range(FRESH, FRESH + self.settings.confirm)
        self._train(last, [(name, seed) for seed in fresh for name in last], confirms=True)
        return replace(found, last=last, rows=self._rows())

    def _affordable(self) -> tuple[int, int]:
        """Return how many points the budget pays for, finals and confirmation set aside, and how many it does not.

        Raises:
            EvidenceError: it pays for fewer than 4.
        """
        settings, budget, watch = self.settings, self.campaign.pilot.budget, self.campaign.watch
        price = self.calibration.price(self.rung.name, budget)
        beside = (settings.top + 1) * settings.repeats + len(settings.shaded) * 2 * (settings.repeats + 1)
        beside += settings.confirm * (3 if settings.shaded else 2)
        inside = int(self.calibration.budget_flops(budget) / price) - beside
        trials = min(settings.trials, inside)
        one = self.calibration.seconds(self.rung.name) / self.calibration.workers
        if trials < LEAST_TRIALS:
            raise EvidenceError(
                f"the budget pays for {max(0, inside)} trials beside {beside} for finals and confirmation; raise budget.time "
                f"to about {show_seconds((settings.trials + beside) * one * 1.05)} for all {settings.trials}, or search at a "
                "smaller rung."
            )
        watch(Note(f"at most {trials + beside} trainings, about {show_seconds((trials + beside) * one)}"))
        if trials < settings.trials:
            watch(Note(f"the budget leaves out {settings.trials - trials} of {settings.trials} trials", "warning"))
        return trials, settings.trials - trials

    def _explore(self, trials: int) -> dict[str, Point]:
        """Return all points by name, trained on seed 0 round by round."""
        asked: dict[str, Point] = {}
        rounds = [entry.facts["points"] for entry in self.campaign.ledger.entries(ASKED)]
        for number in range(trials):  # at least one point a round, so no more rounds than trials
            if number < len(rounds):
                points = dict(rounds[number])
            else:
                points = self._choose(asked, trials)
                if not points:
                    break
                self.campaign.ledger.append(ASKED, sampler=plain(self.settings.sampler), points=points)
            pruning = self._demands(asked, points)
            asked |= points
            self._train(points, [(name, 0) for name in points], pruning)
        return asked

    def _choose(self, asked: Mapping[str, Point], trials: int) -> dict[str, Point]:
        """Return the points of the next round, the plan as it is first of all; none at the end."""
        first = {} if asked else {BASELINE: self.baseline}
        known = [*asked.items(), *first.items()]
        found = self._results(asked)
        told = [Told(number, point, found.get(name)) for number, (name, point) in enumerate(known)]
        all_at_once = not self.settings.sampler.learns and self.settings.prune is None
        most = trials if all_at_once else self.settings.batch
        count = max(0, min(most - len(first), trials - len(known)))
        points = self.settings.sampler.ask(self.fields, told, count, self.settings.seed) if count else []
        return first | {f"t{len(known) + place:03d}": point for place, point in enumerate(points)}

    def _first(self, asked: Mapping[str, Point]) -> list[Row]:
        """Return the rows of the points so far on seed 0, in order of their numbers."""
        rows = {row.variant: row for row in self._rows() if row.seed == 0 and row.round == "main"}
        return [rows[name] for name in asked if name in rows]

    def _results(self, asked: Mapping[str, Point]) -> dict[str, float]:
        """Return the loss of every point that gave one; of one that was given up what it counts as."""
        rows, name = self._first(asked), self.campaign.pilot.goal.metric
        found = {variant: loss for (variant, _), loss in losses(rows, name).items()}
        cut = [row for row in rows if row.status == "pruned" and row.metrics]  # without metrics: the loss was no number
        if cut:
            finished = [(course, found[row.variant]) for row in rows if row.variant in found
                        and (course := self.courses.of(row)) is not None]  # fmt: skip
            counts = {row.variant: likely(Course.through(row.course), finished) for row in cut}
            found |= {variant: loss for variant, loss in counts.items() if loss is not None}
        return found

    def _demands(self, asked: Mapping[str, Point], points: Mapping[str, Point]) -> dict[str, dict[str, Any]]:
        """Return by name what the trials of a round have to meet on their way, as arguments of theirs."""
        if self.settings.prune is None:
            return {}
        earlier = [course for row in self._first(asked) if (course := self.courses.of(row)) is not None]
        return demands(self.settings.prune, earlier, {name: len(asked) + place for place, name in enumerate(points)})

    def _probes(self, found: Found) -> dict[str, Point]:
        """Return the winner with half and twice the value of each shaded field."""
        winner, points = found.shrunk(self.campaign.pilot).winner, found.asked
        probes: dict[str, Point] = {}
        for field in (field for field in self.fields if field.path in self.settings.shaded):
            for multiple in PROBES:
                value = field.unbound(points[winner][field.path] * multiple)
                probes[f"{winner}.{field.path}.x{multiple:g}"] = points[winner] | {field.path: value}
        return probes

    def _last(self, found: Found) -> dict[str, Point]:
        """Return what goes to the fresh seeds: the plan as it is, the winner, and the winner on the safe side."""
        pilot = self.campaign.pilot
        winner = found.shrunk(pilot).winner
        last = {BASELINE: found.asked[BASELINE], winner: found.asked[winner]}
        safe = dict(found.asked[winner])
        fields = {field.path: field for field in self.fields}
        for path, response in found.risks(pilot, self.settings).items():
            safe[path], _ = safe_side(fields[path], safe[path], response)
        return last | ({SHADED: safe} if safe not in last.values() else {})

    def _rows(self) -> tuple[Row, ...]:
        return Results.open(self.campaign.out, kind=SEARCH).rows

    def _train(
        self, points: Mapping[str, Point], wanted: Sequence[tuple[str, int]],
        extra: Mapping[str, Mapping[str, Any]] | None = None,
        *, confirms: bool = False,
    ) -> None:  # fmt: skip
        """Train what is missing of points and seeds; what cannot be built or compared is entered as failed."""
        narrow, rung = self.campaign.pilot, self.rung
        entered = {row.name for row in self._rows()}
        variants: dict[str, Variant] = {}
        for name, point in points.items():
            pilot = narrow.model_copy(update={"variants": {name: Variant(set=point)}})
            try:
                if name != BASELINE:
                    check_variant(narrow.goal, name, narrow.setup, pilot.variant(name))
                    pilot.plan(name, rung, 0)
                    variants[name] = Variant(set=point)
            except ConfigError as error:
                row = Row(name=Trial(name, rung.name, 0).name, variant=name, scale=rung.name, seed=0, status="failed",
                          fingerprint=fingerprint(point), error=str(error))  # fmt: skip
                if row.name not in entered:
                    self.campaign.ledger.append(SEARCH, **plain(row))
        round_of = "confirmation" if confirms else "main"
        trials = [Trial(name, rung.name, seed, round=round_of) for name, seed in wanted
                  if name == BASELINE or name in variants]  # fmt: skip
        pilot = narrow.model_copy(update={"variants": variants})
        campaign = replace(self.campaign, pilot=pilot, extra=extra or {})
        if trials:
            train_missing(campaign, prepare(pilot, campaign.out, silent), self.calibration, trials)
