"""The word list and the linear model of the filter ``toxicity`` on labelled texts, with intervals; and whom they flag.

usage: python bench/toxicity.py [FOLDER] [--text FILE.jsonl.gz ...] [--peer PYTHON]

FOLDER (default: the environment variable PILOTLIGHT_SHARED_DATA + /labelled/toxicity) holds *.csv.gz with a text and a
label (columns of the two known sets, else ``text`` and ``label``). Each set is halved by a hash of the text: a model is
trained on one half and reported on the other and on the other half of every other set. The word list has nothing to
train, but is not quite blind: some forty rows of both sets were read before it was written, its totals were looked at
on every second row, and its threshold and the choice to take the larger of model and list were made with these tables
in view. --peer: an interpreter in which
alt-profanity-check is installed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from pilotlight.corpus.filters.toxicity import Toxicity
from pilotlight.corpus.learning import flags_by_group, learn, measures
from pilotlight.corpus.linear import LinearModel
from pilotlight.corpus.view import View

KNOWN = {
    "davidson_labeled_tweets": ("tweet", "class", ("0", "1")),
    "surge_toxicity_en": ("text", "is_toxic", ("Toxic",)),
}
LIST_AT = (0.25, 0.4)
PEER = """
import json, sys, time
from profanity_check import predict_prob
texts = json.load(sys.stdin)
predict_prob(texts[:2])
start = time.process_time()
scores = [float(score) for score in predict_prob(texts)]
json.dump([scores, time.process_time() - start], sys.stdout)
"""
Rows = list[tuple[str, bool]]


def read(path: Path) -> tuple[Rows, Rows]:
    """Return the two halves of a labelled file."""
    text, label, positive = KNOWN.get(path.name.partition(".")[0], ("text", "label", ("1", "true", "toxic")))
    halves: tuple[Rows, Rows] = ([], [])
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            side = hashlib.md5(row[text].encode(), usedforsecurity=False).digest()[0] % 2
            halves[side].append((row[text], row[label] in positive))
    return halves


def line(name: str, scores: list[float], rows: Rows, threshold: float) -> str:
    """Return one row of the table."""
    found = measures(scores, [label for _, label in rows], threshold)
    cells = [
        f"{found[key].value:.3f} [{found[key].low:.3f}, {found[key].high:.3f}]"
        for key in ("auc", "f1", "precision", "recall")
    ]
    return f"| {name} | {threshold:.2f} | " + " | ".join(cells) + " |"


def groups(name: str, flagged: list[bool], rows: Rows) -> str:
    """Return the rates at which clean texts are flagged, by the group they name."""
    found = flags_by_group([text for text, _ in rows], flagged, [label for _, label in rows])
    cells = []
    for group, row in found.items():
        share, low, high = row["false_positive_rate"]
        cells.append(f"{group} {share:.3f} [{low:.3f}, {high:.3f}] (n={row['texts']})")
    return f"- {name}: " + "; ".join(cells)


def peer_scores(python: str, texts: list[str]) -> tuple[list[float], float]:
    """Return the scores of alt-profanity-check and its CPU-seconds."""
    done = subprocess.run([python, "-c", PEER], input=json.dumps(texts), capture_output=True, text=True, check=True)
    scores, seconds = json.loads(done.stdout)
    return scores, seconds


def speed(name: str, measure: Callable[[str], object], texts: list[str]) -> None:
    """Print megabytes per CPU-second, the better of two passes."""
    size, taken = sum(len(text.encode("utf-8", "replace")) for text in texts) / 1e6, []
    for _ in range(2):
        start = time.process_time()
        for text in texts:
            measure(text)
        taken.append(time.process_time() - start)
    print(f"| {name} | {size:.1f} | {size / min(taken):.1f} |")


def report(name: str, rows: Rows, models: dict[str, LinearModel], peer: str | None) -> None:
    """Print the table of one set, and the flags by group."""
    part, texts = Toxicity(), [text for text, _ in rows]
    listed = [float(part.measure(View(text, facts={"language": "en"}))["score"]) for text in texts]
    print(f"\n## {name}: {len(rows)} texts of the second half, {sum(label for _, label in rows)} toxic\n")
    print("| | threshold | AUC | F1 | precision | recall |\n| --- | --- | --- | --- | --- | --- |")
    by_group = []
    for at in LIST_AT:
        print(line("word list", listed, rows, at))
        by_group.append(groups(f"word list at {at}", [score >= at for score in listed], rows))
    for trained, model in models.items():
        scores = [model.score(text) for text in texts]
        print(line(f"model trained on {trained}", scores, rows, model.threshold))
        by_group.append(groups(f"model trained on {trained}", [score >= model.threshold for score in scores], rows))
        both = [max(score, word) for score, word in zip(scores, listed, strict=True)]
        print(line(f"the larger of model ({trained}) and word list", both, rows, max(0.25, model.threshold)))
    if peer:
        scores, _ = peer_scores(peer, texts)
        print(line("alt-profanity-check", scores, rows, 0.5))
        by_group.append(groups("alt-profanity-check", [score >= 0.5 for score in scores], rows))
    print("\nClean texts wrongly flagged, by the group they name (20 texts at least):\n")
    print("\n".join(by_group))


def read_texts(paths: list[Path]) -> list[str]:
    """Return the first 5,000 characters of 100 texts of each corpus."""
    texts = []
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            texts += [json.loads(row)["text"][:5000] for _, row in zip(range(100), file, strict=False)]
    return texts


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("PILOTLIGHT_SHARED_DATA", "."))
    parser.add_argument("folder", nargs="?", type=Path, default=shared / "labelled" / "toxicity")
    parser.add_argument("--text", nargs="*", type=Path, default=[])
    parser.add_argument("--peer")
    given = parser.parse_args()
    sets = {path.name.partition(".")[0]: read(path) for path in sorted(given.folder.glob("*.csv.gz"))}
    models = {name: learn([t for t, _ in first], [y for _, y in first], name) for name, (first, _) in sets.items()}
    for name, (_, second) in sets.items():
        report(name, second, models, given.peer)
    if texts := read_texts(given.text):
        part, model = Toxicity(), next(iter(models.values()))
        print("\n## MB per CPU-second, first 5,000 characters of each text\n\n| | MB | MB/s |\n| --- | --- | --- |")
        speed("word list", lambda text: part.measure(View(text)), texts)
        speed("linear model", model.score, texts)
        if given.peer:
            size = sum(len(text.encode()) for text in texts) / 1e6
            print(f"| alt-profanity-check | {size:.1f} | {size / peer_scores(given.peer, texts)[1]:.1f} |")
        flagged = [float(part.measure(View(text))["score"]) >= 0.4 for text in texts]
        print(f"\nOrdinary texts flagged: word list {sum(flagged)}, ", end="")
        print(f"model {sum(model.score(text) >= model.threshold for text in texts)} of {len(texts)}.")


if __name__ == "__main__":
    main()
