"""What a tuned learning rate loses, and how often its intervals hold the truth, on simulated responses.

python bench/response.py            print the table of docs/search.md
python bench/response.py --write    put it there, between its markers
"""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

import numpy as np

from pilotlight.randomness import stream
from pilotlight.stats.response import Response, Tried, respond

PAGE = Path(__file__).parents[1] / "docs" / "search.md"
MULTIPLES = (0.5, 1.0, 2.0)
SETTINGS = ((0.001, 1), (0.003, 1), (0.003, 2), (0.01, 2))
"""Run-to-run spread and seeds."""


def valley(octaves: float, asymmetry: float, depth: float) -> float:
    """Return the relative regret of a value that misses the optimum by ``octaves``."""
    return depth * (asymmetry if octaves > 0 else 1.0) * octaves**2


def study(draw: np.random.Generator, spread: float, seeds: int) -> tuple[Response, float, float, float]:
    """Return a response to three multiples and the truth behind it: optimum in octaves, asymmetry, depth."""
    optimum = float(draw.uniform(-0.9, 0.9))
    asymmetry, depth = 2.7 ** float(draw.uniform(-1, 1)), 0.005 * 2.2 ** float(draw.uniform(-1, 1))
    shifts = draw.normal(0, spread, seeds)
    tried = [
        Tried(at, seed, math.exp(valley(math.log2(at) - optimum, asymmetry, depth) + shifts[seed] + draw.normal(0, spread)))
        for at in MULTIPLES for seed in range(seeds)
    ]  # fmt: skip
    return respond(tried), optimum, asymmetry, depth


def row(spread: float, seeds: int, studies: int) -> str:
    """Return one line: regrets untuned, of the best of three and of the recommended, and coverage of four intervals."""
    draw = stream(0, "response", spread, seeds)
    lost: list[tuple[float, float, float]] = []
    held: list[tuple[bool, bool, bool, bool]] = []
    for _ in range(studies):
        found, optimum, asymmetry, depth = study(draw, spread, seeds)
        tried = (1.0, found.best, found.recommended)
        lost.append(tuple(math.expm1(valley(math.log2(at) - optimum, asymmetry, depth)) for at in tried))
        truths = (2.0**optimum, asymmetry, depth * asymmetry, depth)
        told = (found.optimum, found.asymmetry, found.regrets["x2"], found.regrets["x0.5"])
        held.append(tuple(one.low <= truth <= one.high for one, truth in zip(told, truths, strict=True)))
    regrets = " | ".join(f"{100 * value:.2f} %" for value in np.mean(lost, axis=0))
    covered = " | ".join(f"{value:.3f}" for value in np.mean(held, axis=0))
    return f"| {100 * spread:.1f} % | {seeds} | {regrets} | {covered} |"


def main() -> None:
    """Print the table, and put it into the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--studies", type=int, default=300)
    given = parser.parse_args()
    lines = [
        "| run-to-run spread | seeds | regret untuned | of the best of three | of the recommended | optimum covered | asymmetry "
        "| regret at x2 | at x0.5 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(row(spread, seeds, given.studies) for spread, seeds in SETTINGS),
    ]
    print("\n".join(lines))
    if given.write:
        block = "\n".join(("<!-- responses -->", "", *lines, "", "<!-- end -->"))
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(
            re.sub(r"<!-- responses -->.*?<!-- end -->", lambda _: block, page, flags=re.DOTALL), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
