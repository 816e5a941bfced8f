"""What variants are worth in compute, time and money on the page, and what tuning found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from study_folder import Wish, write_study

from pilotlight.manifest import sha256, write_atomic
from pilotlight.record.clock import NAME, Clock, Timed
from pilotlight.record.ledger import Ledger
from pilotlight.report.beyond import beyond, trend_of
from pilotlight.report.page import write_report
from pilotlight.report.sections.variants import Variants
from pilotlight.report.study import Study
from pilotlight.spec import plain
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.response import Tried, respond

TOP = "1M-20M"


def estimate(value: float, unit: str = "x FLOPs", *cautions: str) -> Estimate:
    return Estimate(value=value, low=0.9 * value, high=1.1 * value, level=0.95, unit=unit, n=3, method="made up",
                    cautions=cautions)  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return write_study(
        tmp_path_factory.mktemp("study") / "out", Wish(variants={"swiglu": (-0.02, "a"), "untied": (0.01, "b")})
    )


@pytest.fixture
def study(out):
    """The study, with the multipliers of one variant in its decision."""
    found = Study.read(out)
    first, second = found.decision.findings
    told = first.model_copy(update={
        "multiplier": estimate(1.3), "multipliers": {"100k-2M": estimate(1.1), TOP: estimate(1.3)},
        "multiplier_trend": estimate(1.2, "x per tenfold of FLOPs"),
    })  # fmt: skip
    return replace(found, decision=found.decision.model_copy(update={"findings": (told, second)}))


def timed(**more) -> Timed:
    price = {TOP: estimate(1.25, "x seconds")}
    return Timed(variant="swiglu", scale=TOP, prices=price, time={TOP: estimate(1.04, "x seconds")},
                 money={TOP: estimate(1.04, "x money")}).model_copy(update=more)  # fmt: skip


def rows(study) -> dict[str, dict[str, str]]:
    table = beyond(study, study.decision)
    return {row[0].text: dict(zip(table.columns, (f"{cell.text} {cell.small}" for cell in row), strict=True))
            for row in table.rows}  # fmt: skip


def test_without_a_clock_only_compute_is_shown(study):
    shown = rows(study)["swiglu"]
    assert shown["Compute"] == "1.30× [1.17, 1.43]"
    assert not {"Time", "Money"} & set(shown)
    words = "Its compute multiplier along the ladder: 1.10 → 1.30; grows with size: ×1.20 per tenfold of FLOPs [1.08, 1.32]."
    assert beyond(study, study.decision).details.count(words) == 1


def test_time_stands_beside_compute_and_money_where_it_differs(study):
    shown = rows(replace(study, clock=Clock(decision="0", variants=(timed(),))))
    assert shown["swiglu"]["Seconds a run"] == "1.25× [1.12, 1.38]"
    assert shown["swiglu"]["Time"] == "1.04× [0.94, 1.14]"
    assert "Money" not in shown["swiglu"]
    assert shown["untied"]["Time"].startswith("–")
    one = estimate(1.25, "x seconds", "one pair has no interval").model_copy(update={"low": 1.25, "high": 1.25})
    pair = rows(replace(study, clock=Clock(decision="0", variants=(timed(prices={TOP: one}),))))["swiglu"]
    assert pair["Seconds a run"] == "1.25× no interval"
    dear = timed(money={TOP: estimate(0.9, "x money", "activations are computed again")})
    assert rows(replace(study, clock=Clock(decision="0", variants=(dear,))))["swiglu"]["Money"] == "0.90× [0.81, 0.99]"


@pytest.mark.parametrize(("value", "word"), [(1.2, "grows"), (0.8, "fades"), (1.05, "no trend can be told")])
def test_a_trend_is_said_in_words(value, word):
    assert trend_of(estimate(value)).startswith(word)


def test_the_clock_in_the_folder_is_on_the_page_as_long_as_it_is_of_the_decision(out):
    write_atomic(out / NAME, Clock(decision=sha256(out / "decision.json"), variants=(timed(),)).to_json())
    assert "Seconds a run" in write_report(out).read_text(encoding="utf-8")
    write_atomic(out / NAME, Clock(decision="0" * 64, variants=(timed(),)).to_json())
    assert "Seconds a run" not in write_report(out).read_text(encoding="utf-8")
    (out / NAME).unlink()


def test_what_was_tuned_shows_its_optimum_with_an_interval(tmp_path):
    out = write_study(tmp_path / "out")
    tried = [Tried(at, seed, 2.0 + 0.01 * (at - 1) ** 2 + 0.001 * seed) for at in (0.5, 1.0, 2.0) for seed in range(2)]
    found = respond(tried, unit="multiple")
    Ledger(out / "ledger.jsonl").append(
        "tuned", multiples={"baseline": 0.9, "swiglu": 2.0}, responses=plain({"baseline": found, "swiglu": None})
    )
    block = Variants().write(Study.read(out))
    (table,) = [piece for piece in block.pieces if "Fitted optimum" in getattr(piece, "columns", ())]
    baseline, swiglu = table.rows
    assert (baseline[0].text, baseline[1].text) == ("baseline", "×0.90")
    assert baseline[2].text == f"×{found.optimum.value:.2f}"
    assert baseline[2].small == f"[{found.optimum.low:.2f}, {found.optimum.high:.2f}]"
    assert "95 % interval" in baseline[2].note
    assert (swiglu[1].text, swiglu[2].text) == ("×2.00", "–")
    assert "fewer than three" in swiglu[2].note


def test_a_pilot_that_tuned_nothing_has_no_such_table(study):
    pieces = Variants().write(study).pieces
    assert not any("Fitted optimum" in getattr(piece, "columns", ()) for piece in pieces)
