"""What giving trials up early saves and what it costs, on simulated searches.

python bench/pruning.py            print the table of docs/search.md
python bench/pruning.py --write    put it there, between its markers
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pilotlight.pilot.course import Course
from pilotlight.pilot.pruners import Prune
from pilotlight.randomness import stream
from pilotlight.spec import discover

PAGE = Path(__file__).parents[1] / "docs" / "search.md"
TRIALS, BATCH = 24, 4
AT = tuple(step / 10 for step in range(1, 11))
"""Shares of the steps at which trials are evaluated: the default of a plan."""


@dataclass(frozen=True)
class Sort:
    """How the trials of a search run: ends lie in a valley 11 % deep, and losses fall by 35 % from a tenth of the steps on."""

    name: str
    pace: float
    """Standard deviation of how much further than the others a trial still has to fall, as a share of that fall."""
    late: float = 0.0
    """How much further the better trials have to fall, per standard deviation of the ends."""
    noise: float = 0.002
    """Relative spread of single evaluations."""
    stuck: float = 0.0
    """Share of the trials that hardly fall and end 35 to 120 % above the others."""


SORTS = (
    Sort("keep their order", 0.05),
    Sort("cross", 0.25),
    Sort("cross, noisy evaluations", 0.25, noise=0.01),
    Sort("begin badly and end well", 0.05, late=0.15),
    Sort("cross, a quarter gets stuck", 0.25, stuck=0.25),
)


def search(draw: np.random.Generator, sort: Sort) -> list[Course]:
    """Return the whole courses of the trials of one search, in the order in which they are tried."""
    depth = 0.012 * draw.uniform(-3, 3, TRIALS) ** 2
    standard = (depth - 0.036) / 0.032
    pace = 1 + sort.pace * draw.normal(size=TRIALS) - sort.late * standard
    stuck = draw.random(TRIALS) < sort.stuck
    depth, pace = depth + stuck * draw.uniform(0.3, 0.8, TRIALS), np.where(stuck, 0.1, pace)
    fall = 0.35 * (np.array(AT) ** -0.4 - 1) / (0.1**-0.4 - 1)
    way = depth[:, None] + fall * pace[:, None] + sort.noise * draw.normal(size=(TRIALS, len(AT)))
    return [
        Course(AT, tuple(2 * np.exp(losses)), float(2 * np.exp(end))) for losses, end in zip(way, depth, strict=True)
    ]


def given_up(prune: Prune, courses: Sequence[Course]) -> list[Course]:
    """Return the courses as far as the trials came, round by round: those that were given up have no end."""
    known: list[Course] = []
    for begin in range(0, len(courses), BATCH):
        known += [
            cut(prune, known, begin + place, course) for place, course in enumerate(courses[begin : begin + BATCH])
        ]
    return known


def cut(prune: Prune, earlier: Sequence[Course], number: int, course: Course) -> Course:
    """Return the course of a trial as far as it came."""
    demand = prune.demand(earlier, number)
    for count in range(1, len(course.shares) if demand else 1):
        so_far = Course(course.shares[:count], course.losses[:count])
        if demand and prune.verdict(demand, so_far):
            return so_far
    return course


@dataclass(frozen=True)
class Mean:
    """A mean over searches and its standard error, both as shares."""

    value: float
    error: float

    @classmethod
    def of(cls, sums: Sequence[float], counts: Sequence[float] | None = None) -> Mean:
        """Return the mean of ``sums``, or their ratio to ``counts``, of independent searches."""
        over, under = np.array(sums), np.ones(len(sums)) if counts is None else np.array(counts)
        ratio = float(over.sum() / max(1.0, under.sum()))
        return cls(ratio, float(np.sqrt(((over - ratio * under) ** 2).sum()) / max(1.0, under.sum())))

    def show(self, digits: int) -> str:
        """Return both in percent."""
        return f"{100 * self.value:.{digits}f} ± {100 * self.error:.{digits}f} %"


@dataclass(frozen=True)
class Found:
    """What giving up comes to over many searches."""

    saved: Mean
    """Steps that were not trained."""
    wrong: Mean
    """Of the trials that were given up, those that would have ended below all that had finished in earlier rounds."""
    missed: Mean
    """Searches in which the trial with the best end was given up."""
    lost: Mean
    """How much worse the best trial that finished ended than the best of all."""
    fewer: Mean
    """The same, had as many steps been spent on the first trials alone, whole."""


def wrongly(known: Sequence[Course], ends: Sequence[float]) -> list[bool]:
    """Return of each trial that was given up whether it would have ended below all that had finished before its round."""
    found: list[bool] = []
    for place, course in enumerate(known):
        if course.end is None:
            before = [other.end for other in known[: place // BATCH * BATCH] if other.end is not None]
            found.append(ends[place] < min(before))
    return found


def study(prune: Prune, sort: Sort, searches: int) -> Found:
    """Return what giving up comes to over many searches; all kinds see the same ones."""
    pairs: list[tuple[list[Course], list[float]]] = []
    for number in range(searches):
        whole = search(stream(number, "pruning", sort.name), sort)
        pairs.append((given_up(prune, whole), [course.end or 0.0 for course in whole]))
    saved = Mean.of([1 - sum(1.0 if course.end is not None else course.shares[-1] for course in known) / TRIALS
                     for known, _ in pairs])  # fmt: skip
    wrong = [wrongly(known, ends) for known, ends in pairs]
    left = [min(course.end for course in known if course.end is not None) / min(ends) - 1 for known, ends in pairs]
    affordable = max(1, round((1 - saved.value) * TRIALS))
    return Found(
        saved,
        Mean.of([sum(one) for one in wrong], [len(one) for one in wrong]),
        Mean.of([float(known[int(np.argmin(ends))].end is None) for known, ends in pairs]),
        Mean.of(left),
        Mean.of([min(ends[:affordable]) / min(ends) - 1 for _, ends in pairs]),
    )


def table(searches: int) -> list[str]:
    """Return the lines of the table, the kinds at their defaults."""
    lines = [
        "| trials | `kind` | steps saved | given up wrongly | best given up | lost by that | lost by fewer whole trials |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for sort in SORTS:
        for kind in discover(Prune.folder):
            found = study(Prune.choose(kind), sort, searches)
            cells = [
                found.saved.show(1),
                found.wrong.show(1),
                found.missed.show(0),
                found.lost.show(3),
                found.fewer.show(3),
            ]
            lines.append(f"| {sort.name} | `{kind}` | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Print the table, and put it into the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--searches", type=int, default=300)
    given = parser.parse_args()
    lines = table(given.searches)
    print("\n".join(lines))
    if given.write:
        block = "\n".join(("<!-- pruning -->", "", *lines, "", "<!-- end -->"))
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(
            re.sub(r"<!-- pruning -->.*?<!-- end -->", lambda _: block, page, flags=re.DOTALL), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
