"""How well a sample stands for the whole: criteria with thresholds that are stated before the sample is looked at."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from pilotlight.corpus.hashed_words import HashedWords, mix
from pilotlight.corpus.ranking import MOST_TOLD, RankedUnits, before_and_after, kept_rows, summary, told
from pilotlight.spec import plain
from pilotlight.stats.estimate import Estimate

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Integer, UInt64

REPLICATES = 24
"""Random samples of the same size that the words of the sample are compared with."""
BUCKETS = 1 << 13
LEVEL = 0.99
"""A sample as good as a random one fails a criterion in one of a hundred cases, or fewer."""
_NORMAL = 2.5758293035489004
_NORMAL_ONE_SIDED = 2.3263478740408408
_KOLMOGOROV = 1.6276236115189503
_PER_OCTAVE = 8
_MOST_KEYS = 4_000_000
_FEWEST = 8


@final
@dataclass(frozen=True, slots=True)
class ReplicateCounts:
    """Hashed words of everything (line 0), and of random samples of it."""

    table: Integer[np.ndarray, "samples buckets"]

    def add_all(self, words: HashedWords) -> None:
        """Count the words of a batch for the whole."""
        self.table[0] += np.bincount(_buckets(words), minlength=BUCKETS)

    def add(self, words: HashedWords, keys: UInt64[np.ndarray, " documents"], share: float) -> None:
        """Count the words of a batch, and draw every cluster with the chance ``share`` for every random sample."""
        bucket = _buckets(words)
        self.table[0] += np.bincount(bucket, minlength=BUCKETS)
        if share >= 1:
            return
        limit = np.uint64(min(share * 2.0**64, 2.0**64 - 2048))
        for number in range(1, len(self.table)):
            drawn = np.flatnonzero(mix(keys ^ np.uint64(number * 0x2545F491)) < limit)
            parts = [bucket[words.ends[place] : words.ends[place + 1]] for place in drawn.tolist()]
            if parts:
                self.table[number] += np.bincount(np.concatenate(parts), minlength=BUCKETS)


def replicate_counts() -> ReplicateCounts:
    """Return counts of nothing yet."""
    return ReplicateCounts(np.zeros((REPLICATES + 1, BUCKETS), np.int64))


def _buckets(words: HashedWords) -> Integer[np.ndarray, " words"]:
    return (words.hashes % np.uint64(BUCKETS)).astype(np.int64)


def certificate(unit: Path) -> dict[str, Any]:
    """Return the certificate of a sample, given any unit of decisions of the step ``sample``."""
    return summary(unit)


def told_certificate(decided: Sequence[Path]) -> dict[str, Any]:
    """Return the certificate as it is told with the corpus: of the strata, those with the most text."""
    found = told(decided)
    strata = sorted(found.get("strata", []), key=lambda row: (-row["bytes"], json.dumps(row, sort_keys=True)))
    return found | {"strata": strata[:MOST_TOLD], "strata_in_all": len(strata)} if found else {}


def divergence(left: Float[np.ndarray, " buckets"], right: Float[np.ndarray, " buckets"]) -> float:
    """Return the Jensen-Shannon divergence of two counts, in bits from 0 to 1."""
    one, two = left / left.sum(), right / right.sum()
    middle = (one + two) / 2

    def away(part: Float[np.ndarray, " buckets"]) -> float:
        there = part > 0
        return float(np.sum(part[there] * np.log2(part[there] / middle[there])))

    return max(0.0, (away(one) + away(two)) / 2)


def certify(
    measured: Sequence[Path], counted: Sequence[Path], cuts: dict[str, Any], settings: dict[str, Any]
) -> dict[str, Any]:
    """Return the certificate: what was wanted and achieved by stratum, every criterion, and the verdict."""
    ranked = RankedUnits.open(measured)
    table = before_and_after(ranked, lambda rows: kept_rows(rows, cuts, keep_missing=False))
    share, by = float(settings["share"]), settings["by"]
    strata = [
        {**dict(zip(by, json.loads(name), strict=True)), **row, "bytes_wanted": round(share * row["bytes"], 1)}
        for name, row in table.pop("groups").items()
    ]
    tolerance = float(settings["tolerance"])
    criteria = [_bytes(table, share, tolerance)]
    squares = _squares(ranked)
    for row, square in zip(strata, squares.tolist(), strict=True):
        row["squares"] = square
    criteria += [_shares(name, strata, tolerance, share) for name in by]
    for row in strata:
        del row["squares"]
    masks = [kept_rows(rows, cuts, keep_missing=False) for rows in ranked]
    criteria.append(_lengths(ranked, masks))
    criteria.append(_words(measured, counted))
    criteria += [_repetition(ranked, masks, kind, share) for kind in ("exact", "near")]
    verdicts = [criterion["representative"] for criterion in criteria]
    whole = False if False in verdicts else None if None in verdicts else True
    advice = None if whole or whole is None else _advice(ranked, table, share, tolerance)
    return {
        "share": share, "together": settings["together"], **table,
        "representative": whole, "criteria": criteria, "advice": advice,
        "epochs": "a training on share * T of text goes over each source as often as the full training on T goes over "
        "the whole of it",
        "strata": strata,
    }  # fmt: skip


def _advice(ranked: RankedUnits, table: dict[str, Any], share: float, tolerance: float) -> str:
    """Return what can be done about a sample that is not representative."""
    most = tolerance * share * table["bytes"]
    long = sum(int(rows["bytes"][rows["bytes"] > most].sum()) for rows in ranked)
    if long * 10 < table["bytes"]:
        return "Take a larger share, or other axes; strata with few documents cannot be kept by so small a sample."
    return (
        f"{100 * long / table['bytes']:.0f} % of the bytes are in documents that are each more than {100 * tolerance:.3g} % "
        "of the sample. Cut long documents into parts before this step, or take a larger share."
    )


def _criterion(name: str, value: float, threshold: float, unit: str, how: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 9), "threshold": round(threshold, 9), "unit": unit, "how": how,
            "representative": bool(value <= threshold)}  # fmt: skip


def _bytes(table: dict[str, Any], share: float, tolerance: float) -> dict[str, Any]:
    off = abs(table["bytes_kept"] / max(1, table["bytes"]) / share - 1)
    return _criterion("bytes", off, tolerance, "share", "relative difference of bytes from those wanted")


def _squares(ranked: RankedUnits) -> Float[np.ndarray, " strata"]:
    found = np.zeros(len(ranked.groups))
    for rows in ranked:
        found += np.bincount(rows["group"], weights=rows["bytes"].astype(np.float64) ** 2, minlength=len(found))
    return found


def _shares(name: str, strata: Sequence[dict[str, Any]], tolerance: float, share: float) -> dict[str, Any]:
    """Return the total-variation distance of the shares of bytes by source, language, length or content.

    Beside it stands what a random sample of documents would have on average (normal approximation).
    """
    sums: dict[str, list[float]] = {}
    for row in strata:
        line = sums.setdefault(row[name], [0.0, 0.0, 0.0])
        for place, column in enumerate(("bytes", "bytes_kept", "squares")):
            line[place] += row[column]
    before, after = (max(1.0, sum(line[place] for line in sums.values())) for place in (0, 1))
    distance = sum(abs(line[0] / before - line[1] / after) for line in sums.values()) / 2
    random = sum(math.sqrt(2 / math.pi * (1 - share) / share * line[2]) for line in sums.values()) / before / 2
    how = f"total-variation distance of the shares of bytes by {name}, of which there are {len(sums)}"
    found = _criterion(f"shares of {name}", distance, tolerance, "share", how)
    return found | {"random_samples": {"mean": round(min(1.0, random), 9)}}


def _lengths(ranked: RankedUnits, masks: Sequence[Bool[np.ndarray, " rows"]]) -> dict[str, Any]:
    """Return the Kolmogorov-Smirnov distance of the lengths of documents."""
    counts = np.zeros((2, 64 * _PER_OCTAVE))
    for rows, kept in zip(ranked, masks, strict=True):
        place = (np.log2(np.maximum(rows["bytes"], 1)) * _PER_OCTAVE).astype(np.int64)
        counts[0] += np.bincount(place, minlength=counts.shape[1])
        counts[1] += np.bincount(place[kept], minlength=counts.shape[1])
    taken = counts[1].sum()
    sums = np.cumsum(counts, axis=1) / np.maximum(counts.sum(axis=1), 1)[:, None]
    distance = float(np.abs(sums[0] - sums[1]).max())
    threshold = _KOLMOGOROV / math.sqrt(max(1.0, taken))
    how = f"Kolmogorov-Smirnov distance of bytes per document; the threshold is that of {taken:.0f} random documents"
    return _criterion("length", distance, threshold, "share", how)


def _words(measured: Sequence[Path], counted: Sequence[Path]) -> dict[str, Any]:
    """Return the divergence of the words of the sample, against that of random samples of the same share."""
    table = sum((np.load(unit / "counts.npy", allow_pickle=False) for unit in measured), np.zeros((1, 1)))
    sampled = sum((np.load(unit / "sampled.npy", allow_pickle=False) for unit in counted), np.zeros(1))
    whole, random = table[0].astype(np.float64), table[1:].astype(np.float64)
    others = [divergence(one, whole) for one in random if one.sum() > 0]
    how = (
        f"Jensen-Shannon divergence of hashed words ({BUCKETS} buckets) from the whole; the threshold is what {LEVEL:.0%} "
        f"of random samples of whole clusters stay below, from {len(others)} of them"
    )
    if np.array_equal(sampled, whole):
        return _criterion("words", 0.0, 0.0, "bits", how)
    logs = np.log([max(value, 1e-12) for value in others])
    if len(others) < _FEWEST or not sampled.sum():
        return {"name": "words", "unit": "bits", "how": f"too little text to tell: {how}", "representative": None}
    spread = float(np.std(logs, ddof=1))
    threshold = float(np.exp(logs.mean() + _NORMAL_ONE_SIDED * spread * math.sqrt(1 + 1 / len(others))))
    found = _criterion("words", divergence(sampled, whole), threshold, "bits", how)
    return found | {"random_samples": {
        "median": round(float(np.exp(logs.mean())), 9), "smallest": round(min(others), 9),
        "largest": round(max(others), 9),
    }}  # fmt: skip


def _repetition(
    ranked: RankedUnits, masks: Sequence[Bool[np.ndarray, " rows"]], kind: str, share: float
) -> dict[str, Any]:
    """Return the rates at which texts repeat others in the whole and in the sample.

    Beyond four million documents, the rate of the whole is that of as many, chosen by cluster.
    """
    total = sum(len(kept) for kept in masks)
    limit = np.uint64(min(2.0**64 - 2048, 2.0**64 * _MOST_KEYS / max(1, total)))
    every: list[Any] = []
    taken: list[Any] = []
    for unit, kept in zip(ranked.units, masks, strict=True):
        keys = np.load(unit / "twins.npy", allow_pickle=False)[("exact", "near").index(kind)]
        chosen = mix(keys) <= limit
        every.append(keys[chosen])
        taken.append(keys[kept & chosen])
    sizes, own = (np.unique(np.concatenate(part), return_counts=True)[1].astype(np.float64) for part in (every, taken))
    name = "exact repetition" if kind == "exact" else "near repetition"
    if not len(own):
        return {"name": name, "unit": "share", "how": "the sample is empty", "representative": None}
    rate, value = 1 - 1 / sizes.mean(), 1 - 1 / own.mean()
    # Delta method on 1 - 1/mean size of a cluster, drawn without replacement from the clusters of the whole.
    error = float(sizes.std() / sizes.mean() ** 2 * math.sqrt(max(0.0, 1 - share) / len(own)))
    reach = _NORMAL * error + 1.0 / own.sum() * (share < 1)
    expected = Estimate(
        value=rate, low=max(0.0, rate - reach), high=min(1.0, rate + reach), level=LEVEL, unit="share", n=len(own),
        method="rate in the whole, with the interval for samples of as many whole clusters (delta method)",
    )  # fmt: skip
    how = (
        f"share of documents that repeat another ({kind}); the difference from the whole may be what {LEVEL:.0%} of random "
        "samples of whole clusters have, plus one document"
    )
    found = _criterion(name, abs(value - rate), reach, "share", how)
    return found | {"in_sample": round(value, 9), "in_whole": round(rate, 9), "expected": plain(expected)}
