"""Measured coverage of predicted loss curves and of further runs of a set-up, for docs/statistics.md.

python bench/curves.py            print the tables
python bench/curves.py --write    put them into docs/statistics.md, between its markers
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pilotlight.randomness import stream
from pilotlight.scaling.curve import Curve
from pilotlight.scaling.curve_forecast import CurveStudy
from pilotlight.scaling.intervals import judged
from pilotlight.scaling.repeats import repeats

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
NOISES = (5e-5, 2e-4, 1e-3, 5e-3, 2e-2)
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda share: 1.0,
    "cosine": lambda share: 0.55 + 0.45 * math.cos(math.pi * share),
    "linear": lambda share: 1.0 - 0.99 * share,
    "late decay": lambda share: min(1.0, 1.0 - 4.5 * (share - 0.8)),
    "two drops": lambda share: 1.0 if share < 0.8 else 0.316 if share < 0.9 else 0.1,
    "early drop": lambda share: 1.0 if share < 0.4 else 0.3,
}
PILOTS = (
    ("constant",),
    ("cosine",),
    ("constant", "cosine"),
    ("constant", "late decay"),
    ("constant", "cosine", "early drop"),
)
STEPS = 2000


def quadratic(name: str, steps: int, shape: tuple[float, float, float], noise: np.random.Generator) -> Curve:
    """Return the loss of SGD on a noisy quadratic: spectrum and start are power laws, and no law of curves is exact.

    Args:
        name: of the schedule.
        steps: of the run.
        shape: exponents of the spectrum and of the start, and the variance of the gradient's noise.
        noise: draws what is added to each logged loss (0.1 %).
    """
    decay, source, variance = shape
    index = np.arange(1, 301.0)
    spectrum, error = index**-decay, index ** (decay - 1 - source * decay)
    at, losses, rates = [], [], []
    for step in range(1, steps + 1):
        rate = 0.8 * min(1.0, step / 50) * SCHEDULES[name](step / steps)
        error = (1 - rate * spectrum) ** 2 * error + variance * rate**2 * spectrum
        if step % 20 == 0:
            at.append(float(step))
            rates.append(rate)
            losses.append((2.0 + 0.5 * float(spectrum @ error)) * math.exp(0.001 * noise.standard_normal()))
    return Curve(f"{name} {steps}", np.array(at), np.array(losses), np.array(rates))


def study(pilots: tuple[str, ...], seed: int) -> list[tuple[float, ...]]:
    """Return error, error at the end, coverage and half width for every schedule that is no pilot, at both lengths."""
    draw = stream(seed, "curves", "+".join(pilots))
    shape = (draw.uniform(1.1, 1.6), draw.uniform(0.5, 0.9), math.exp(draw.uniform(math.log(0.02), math.log(0.3))))
    known = CurveStudy.of([quadratic(name, STEPS, shape, draw) for name in pilots])
    found: list[tuple[float, ...]] = []
    for name in SCHEDULES:
        for steps in (STEPS, 3 * STEPS):
            if name in pilots and steps == STEPS:
                continue
            truth = quadratic(name, steps, shape, draw)
            told = known.predict(truth)
            losses = truth.losses[np.isin(truth.steps, told.steps)]
            figures = judged(*(part.tolist() for part in (told.values, told.low, told.high, losses)))
            end = abs(told.values[-1] / losses[-1] - 1)
            found.append((figures.error, end, figures.coverage, figures.half_width))
    return found


def curves(count: int) -> str:
    """Return the table of predicted curves by the schedules that were given."""
    rows = [
        "| schedules given | error | at the end | in the 95 % interval | half width |",
        "| --- | --- | --- | --- | --- |",
    ]
    for pilots in PILOTS:
        means = np.array([row for seed in range(count) for row in study(pilots, seed)]).mean(axis=0)
        error, end, inside, half = means.tolist()
        rows.append(f"| {', '.join(pilots)} | {error:.2%} | {end:.2%} | {inside:.3f} | {half:.2%} |")
    return "\n".join(rows) + "\n"


def further_runs(count: int) -> str:
    """Return the table of intervals for a further run, by repeats and by noise."""
    head = " | ".join(f"noise {noise:.3%}" for noise in NOISES)
    rows = [f"| repeats | {head} | all |", "| --- " * (len(NOISES) + 2) + "|"]
    for runs in (2, 3, 4, 5, 8):
        shares = [_held(runs, noise, 25 * count) for noise in NOISES]
        cells = " | ".join(f"{share:.3f}" for share in (*shares, float(np.mean(shares))))
        rows.append(f"| {runs} | {cells} |")
    return "\n".join(rows) + "\n"


def _held(runs: int, noise: float, count: int) -> float:
    draw = stream(runs, "further runs", f"{noise}")
    inside = 0
    for _ in range(count):
        values = np.exp(1.0 + noise * draw.standard_normal(runs + 1))
        found = repeats(values[:-1].tolist()).estimate()
        inside += found.low <= values[-1] <= found.high
    return inside / count


TABLES: dict[str, Callable[[int], str]] = {"curves": curves, "further runs": further_runs}


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/statistics.md")
    parser.add_argument("--studies", type=int, default=12, help="simulated problems per row; 25 times as many repeats")
    given = parser.parse_args()
    for name, make in TABLES.items():
        made = make(given.studies)
        print(f"{name}\n{made}", flush=True)
        if given.write:
            place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", flags=re.DOTALL)
            text = PAGE.read_text(encoding="utf-8")
            PAGE.write_text(
                place.sub(lambda found, made=made: f"{found[1]}\n{made}\n{found[2]}", text), encoding="utf-8"
            )


if __name__ == "__main__":
    main()
