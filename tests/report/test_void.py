"""A record that was changed voids the page: it says VOID, why, and nothing that could be mistaken for a verdict."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from study_folder import write_study
from test_page import Reader

from pilotlight.record.ledger import Ledger
from pilotlight.report.page import compose
from pilotlight.report.section import Slot
from pilotlight.report.study import Study

RUN = Path("runs/baseline/100k-2M/seed0")


def lines(out: Path, change: Callable[[list[str]], list[str]]) -> None:
    path = out / "ledger.jsonl"
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def edit(path: Path, **fields: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def swapped(found: list[str]) -> list[str]:
    return [*found[:5], found[6], found[5], *found[7:]]


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a run folder is gone": (lambda out: shutil.rmtree(out / RUN), "is missing"),
    "a metric is edited": (lambda out: edit(out / RUN / "run.json", metrics={"bits_per_byte": 0.1}), "edited"),
    "a metric and its manifest are edited": (lambda out: edit(out / RUN / "manifest.json", facts={}), "edited"),
    "a ledger line is dropped": (lambda out: lines(out, lambda found: [*found[:5], *found[6:]]), "is missing, moved or put in"),
    "ledger lines change places": (lambda out: lines(out, swapped), "is missing, moved or put in"),
    "a ledger line is edited": (
        lambda out: lines(out, lambda found: [line.replace('"seed": 1,', '"seed": 2,') for line in found]), "was altered"),
    "the last line of the ledger is dropped": (
        lambda out: lines(out, lambda found: found[:-1]), "decision.json is not in the ledger"),
    "the decision is edited": (lambda out: edit(out / "decision.json", launch="GO"), "decision.json is not the decision"),
    "the pilot is edited": (lambda out: edit(out / "pilot.json", seeds=7), "pilot.json is not the plan"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_changed_record_voids_the_page(name, tmp_path):
    out = write_study(tmp_path / "out")
    assert not Study.read(out).void
    damage, reason = DAMAGES[name]
    damage(out)
    study = Study.read(out)
    assert reason in study.void
    assert study.decision is None
    (headline,) = (piece for part in compose(study) if part.slot == Slot.HEADER for piece in part.block.pieces)
    assert headline.word == "VOID"
    assert any(reason in text for text in headline.because)
    assert all("ADOPT" not in str(part.block) for part in compose(study))


def test_a_declared_deviation_stands_on_the_page_with_old_and_new(tmp_path):
    from pilotlight.report.page import write_report

    out = write_study(tmp_path / "out")
    plan = json.loads((out / "pilot.json").read_text())
    plan["goal"]["target"] = 1.5
    (out / "pilot.json").write_text(json.dumps(plan))
    decision = json.loads((out / "decision.json").read_text())
    ledger = Ledger(out / "ledger.jsonl")
    ledger.append(
        "deviation", criteria="d" * 16, was=decision["criteria"], pilot=plan, changes={"goal.target": [1.462, 1.5]},
        why="the client asked for it", trials=51,
    )  # fmt: skip
    assert "declared deviation" in Study.read(out).void, "the decision was made by the old criteria"
    edit(out / "decision.json", criteria="d" * 16, deviations=["criteria changed after 51 trials"])
    from pilotlight.record.commitment import commit
    from pilotlight.record.decision import Decision

    text = (out / "decision.json").read_text()
    commit(ledger, Decision.from_json(text), text)
    shown = Reader(write_report(out).read_text(encoding="utf-8")).text
    for words in (
        "CHANGED after the first trial",
        "1.462",
        "1.5",
        "the client asked for it",
        "after 51 trials",
        "d" * 16,
    ):
        assert words in shown
    assert str(decision["criteria"]) in shown
