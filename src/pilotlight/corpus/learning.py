"""Training of the linear model on texts that a user labelled, and the card that says how far to trust it."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, final

import numpy as np

from pilotlight.corpus.lexicons.contexts import groups_named
from pilotlight.corpus.linear import BUCKETS, LinearModel, features
from pilotlight.errors import ConfigError, DataError
from pilotlight.randomness import stream

_STRENGTHS = (3e-6, 3e-5, 3e-4)  # of the penalty on squared weights, per text
_ROUNDS = 200  # of the optimizer, at most
_LEAST = 20  # texts of each label
_RESAMPLES = 500
_LEAST_IN_GROUP = 20
_LABELS_SHOWN = 8
_POSITIVE = frozenset(("1", "true", "yes", "y", "toxic", "bad", "positive", "good", "keep", "high"))
_NEGATIVE = frozenset(("0", "false", "no", "n", "not toxic", "nontoxic", "non-toxic", "negative", "drop", "low", "ok"))


@final
@dataclass(frozen=True, slots=True)
class Interval:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def plain(self) -> list[float]:
        """Return value, low and high with four digits."""
        return [round(number, 4) for number in (self.value, self.low, self.high)]


def auc(scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    """Return the chance that a positive text scores above a negative one, ties counted half; 0.5 without either."""
    from scipy.stats import rankdata  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return 0.5
    ranks = np.asarray(rankdata(scores))
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def precision_recall(flagged: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Return precision, recall and F1 of flags; 0 where nothing is flagged."""
    hits = int((flagged & labels).sum())
    if not hits:
        return 0.0, 0.0, 0.0
    precision, recall = hits / int(flagged.sum()), hits / int(labels.sum())
    return precision, recall, 2 * precision * recall / (precision + recall)


def measures(scores: Sequence[float], labels: Sequence[bool], threshold: float) -> dict[str, Interval]:
    """Return AUC, F1, precision and recall of scores, each with a bootstrap interval over the texts."""
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=bool)

    def all_of(rows: np.ndarray[Any, Any]) -> tuple[float, ...]:
        precision, recall, f1 = precision_recall(values[rows] >= threshold, truth[rows])
        return auc(values[rows], truth[rows]), f1, precision, recall

    whole = all_of(np.arange(len(values)))
    random = stream(0, "linear-measures", len(values))
    drawn = np.array([all_of(random.integers(0, len(values), len(values))) for _ in range(_RESAMPLES)])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    names = ("auc", "f1", "precision", "recall")
    return {
        name: Interval(value, min(value, float(low[place])), max(value, float(high[place])))
        for place, (name, value) in enumerate(zip(names, whole, strict=True))
    }


def share_interval(hits: int, of: int) -> Interval:
    """Return a share with Wilson's 95 % interval."""
    share, quantile = hits / of, 1.959964
    shrink = 1 + quantile**2 / of
    centre = (share + quantile**2 / (2 * of)) / shrink
    reach = quantile / shrink * math.sqrt(share * (1 - share) / of + quantile**2 / (4 * of**2))
    return Interval(share, max(0.0, min(share, centre - reach)), min(1.0, max(share, centre + reach)))


def flags_by_group(texts: Sequence[str], flagged: Sequence[bool], labels: Sequence[bool]) -> dict[str, dict[str, Any]]:
    """Return, for negative texts that name each group (and for all, ``any``), the share that is wrongly flagged.

    A filter without bias flags the texts of every group as rarely as ``any``. Groups named by fewer than 20 negative
    texts are left out.
    """
    found: dict[str, list[bool]] = {"any": []}
    for text, flag, label in zip(texts, flagged, labels, strict=True):
        if not label:
            for group in ("any", *groups_named(text)):
                found.setdefault(group, []).append(bool(flag))
    return {
        group: {"texts": len(flags), "false_positive_rate": share_interval(sum(flags), len(flags)).plain()}
        for group, flags in sorted(found.items()) if len(flags) >= _LEAST_IN_GROUP
    }  # fmt: skip


def _matrix(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix  # pyright: ignore[reportMissingTypeStubs]

    indices: list[Any] = []
    values: list[Any] = []
    ends = [0]
    for text in texts:
        buckets = features(text)
        found, counts = np.unique(buckets, return_counts=True)
        indices.append(found.astype(np.int32))
        values.append((counts / math.sqrt(max(1, len(buckets)))).astype(np.float32))
        ends.append(ends[-1] + len(found))
    return csr_matrix((np.concatenate(values), np.concatenate(indices), np.array(ends)), shape=(len(texts), BUCKETS))


def _fit(matrix: Any, labels: np.ndarray[Any, Any], strength: float) -> tuple[np.ndarray[Any, Any], float]:
    """Return the weights and bias of least logistic loss plus penalty, by L-BFGS from zero."""
    from scipy.optimize import minimize  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    used = np.unique(matrix.indices)
    columns = matrix[:, used].astype(np.float64)
    signs = np.where(labels, 1.0, -1.0)
    count = len(labels)

    def loss(point: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any]]:
        margins = signs * (columns @ point[:-1] + point[-1])
        pull = -signs / (1.0 + np.exp(np.clip(margins, -50, 50))) / count
        slope = np.append(columns.T @ pull + 2 * strength * point[:-1], pull.sum())
        return float(np.logaddexp(0, -margins).mean() + strength * (point[:-1] @ point[:-1])), slope

    done = cast(Any, minimize)(loss, np.zeros(len(used) + 1), jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    weights = np.zeros(BUCKETS, dtype=np.float32)
    weights[used] = done.x[:-1]
    return weights, float(done.x[-1])


def _parts(texts: Sequence[str]) -> np.ndarray[Any, Any]:
    """Return the part of each text by its hash: 0-6 training, 7 tuning, 8-9 held out; equal texts in the same."""
    import xxhash

    parts = [xxhash.xxh3_64_intdigest(" ".join(text.lower().split()).encode("utf-8", "replace")) % 10 for text in texts]
    return np.array(parts)


def _best_threshold(scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    """Return the threshold of best F1 in hundredths; of several, the one nearest to a half."""
    candidates = [hundredths / 100 for hundredths in range(1, 100)]
    return max(candidates, key=lambda at: (precision_recall(scores >= at, labels)[2], -abs(at - 0.5), at))


def _scores(matrix: Any, weights: np.ndarray[Any, Any], bias: float) -> np.ndarray[Any, Any]:
    return 1.0 / (1.0 + np.exp(-np.clip(matrix @ weights.astype(np.float64) + bias, -50, 50)))


def learn(texts: Sequence[str], labels: Sequence[bool], name: str = "") -> LinearModel:
    """Return a model trained on 7 tenths of the texts, tuned on 1, and measured on the 2 it never saw.

    The texts are dealt by their hash, so equal texts are never on both sides and their order does not matter to the
    split. The card holds the counts, the measures with bootstrap intervals, and flags by group.

    Raises:
        DataError: fewer than 20 texts of either label.
    """
    truth = np.asarray(labels, dtype=bool)
    positives = int(truth.sum())
    if len(texts) != len(truth) or min(positives, len(truth) - positives) < _LEAST:
        raise DataError(
            f"{len(texts)} texts, {positives} of them positive and {len(truth) - positives} negative; "
            f"expected at least {_LEAST} of each."
        )
    matrix, parts = _matrix(texts), _parts(texts)
    train, tune, held = parts < 7, parts == 7, parts > 7
    if min(truth[tune].sum(), (~truth[tune]).sum(), truth[held].sum(), (~truth[held]).sum()) == 0:
        raise DataError(f"{len(texts)} texts are too few to hold out both labels; give some hundred.")
    fits = {strength: _fit(matrix[train], truth[train], strength) for strength in _STRENGTHS}
    best = max(_STRENGTHS, key=lambda strength: auc(_scores(matrix[tune], *fits[strength]), truth[tune]))
    weights, bias = fits[best]
    threshold = _best_threshold(_scores(matrix[tune], weights, bias), truth[tune])
    model = LinearModel(weights, bias, threshold, {})
    kept = [row for row in range(len(texts)) if held[row]]
    scores = [model.score(texts[row]) for row in kept]
    answers = [bool(truth[row]) for row in kept]
    card: dict[str, Any] = {
        "name": name, "texts": len(texts), "positive": positives, "penalty": best, "held_out": len(kept),
        "measures": {key: found.plain() for key, found in measures(scores, answers, threshold).items()},
        "flags_by_group": flags_by_group(
            [texts[row] for row in kept], [score >= threshold for score in scores], answers
        ),
    }  # fmt: skip
    return LinearModel(weights, bias, threshold, card)


def as_labels(given: Sequence[str], positive: str | None) -> list[bool]:
    """Return whether each label of a file means positive: it is ``positive`` if given, else 1, true, yes, toxic and such.

    Raises:
        DataError: a label is neither yes nor no, or all mean the same.
    """
    words = [label.strip().lower() for label in given]
    wanted = _POSITIVE if positive is None else frozenset((positive.strip().lower(),))
    known = wanted | _NEGATIVE if positive is None else frozenset(words)
    found = [word in wanted for word in words]
    strange = next((label for label, word in zip(given, words, strict=True) if word not in known), None)
    if strange is None and (not given or (any(found) and not all(found))):
        return found
    counts = Counter(label.strip() for label in given)
    most = sorted(counts, key=lambda label: (-counts[label], label))
    shown = ", ".join(f"{label!r} ({counts[label]})" for label in most[:_LABELS_SHOWN])
    more = f" and {len(most) - _LABELS_SHOWN} more" if len(most) > _LABELS_SHOWN else ""
    wrong = (
        f"label {strange!r} is neither yes nor no" if strange is not None
        else f"all {len(given)} labels count as {'positive' if any(found) else 'negative'}"
        + (f" where {positive!r} is to be found" if positive is not None else "")
    )  # fmt: skip
    raise DataError(
        f"{wrong}; the labels are {shown}{more}. Say which of them is to be found, as in --positive {most[-1]!r}."
    )


def read_labelled(
    path: Path, text: str = "text", label: str = "label", positive: str | None = None
) -> tuple[list[str], list[bool]]:
    """Return the texts and labels of a CSV or JSONL file, plain or gzip; ``text`` and ``label`` name its columns.

    Raises:
        ConfigError: the file ends in nothing known, or has no such column.
        DataError: there is no such file, or a line or label cannot be read.
    """
    ending = "".join(path.suffixes[-2:]).removesuffix(".gz").lower()
    if not path.is_file():
        raise DataError(f"there is no file {path}; expected a CSV or JSONL file with texts and labels.")
    readers: dict[str, Callable[[Iterable[str]], Iterable[dict[str, Any]]]] = {".csv": _rows, ".jsonl": _objects}
    found = next((reader for key, reader in readers.items() if ending.endswith(key)), None)
    if found is None:
        raise ConfigError(f"{path.name} is neither .csv nor .jsonl (nor either with .gz).")
    texts: list[str] = []
    labels: list[str] = []
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as file:
        for row in found(file):
            if text not in row or label not in row:
                raise ConfigError(f"{path.name} has the columns {', '.join(row)}; expected {text!r} and {label!r}.")
            texts.append(str(row[text]))
            labels.append(str(row[label]))
    return texts, as_labels(labels, positive)


def _rows(file: Iterable[str]) -> Iterable[dict[str, Any]]:
    return csv.DictReader(file)


def _objects(file: Iterable[str]) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(file, 1):
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"line {number} is not JSON ({error.msg}).") from None


def train_filter(
    path: Path, out: Path, *, text: str = "text", label: str = "label", positive: str | None = None
) -> LinearModel:
    """Return the model trained on a labelled file, written to ``out``; its card stands beside it as JSON.

    Raises:
        ConfigError: see ``read_labelled``.
        DataError: see ``read_labelled`` and ``learn``.
    """
    texts, labels = read_labelled(path, text, label, positive)
    model = learn(texts, labels, name=path.name)
    model.save(out)
    out.with_suffix(".json").write_text(json.dumps(model.card, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return model
