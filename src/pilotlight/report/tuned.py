"""What was tuned before the comparison: the fitted optimum of each, with its interval, beside the value that was taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pilotlight.record.results import TUNED
from pilotlight.report.block import Cell, Table
from pilotlight.report.study import Study
from pilotlight.report.text import fixed, how, percent
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.response import Response


def tuned_table(study: Study) -> Table | None:
    """Return what was tuned, one row for each; None where nothing was, or the ledger cannot be read."""
    facts = study.facts(TUNED)
    multiples, responses = _mapping(facts.get("multiples")), _mapping(facts.get("responses"))
    if not multiples or study.void:
        return None
    rows = tuple(_row(name, multiple, _response(responses.get(name))) for name, multiple in multiples.items())
    path = str(study.setting("tune.path", "")).rpartition(".")[2] or "setting"
    return Table(
        ("Tuned", "Taken", "Fitted optimum", "Regret expected"), rows,
        frozenset({"Taken", "Fitted optimum", "Regret expected"}),
        caption=f"Multiples of the {path} in the plan. The value taken has the least expected regret: below the optimum, the "
        "further the less surely that is known.",
    )  # fmt: skip


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _response(value: Any) -> Response | None:
    try:
        return None if value is None else Response.model_validate(value)
    except ValueError:
        return None


def _row(name: str, multiple: Any, found: Response | None) -> tuple[Cell, ...]:
    taken = Cell(f"×{fixed(multiple, 2)}" if isinstance(multiple, int | float) else "–")
    if found is None:
        none = Cell("–", note="fewer than three values ended: the best of them was taken", tone="quiet")
        return Cell(name), taken, none, none
    return Cell(name), taken, _factor(found.optimum, found.cautions), _regret(found.recommended_regret)


def _factor(estimate: Estimate, cautions: tuple[str, ...]) -> Cell:
    note = how(estimate.model_copy(update={"cautions": (*estimate.cautions, *cautions)}))
    return Cell(f"×{fixed(estimate.value, 2)}", f"[{fixed(estimate.low, 2)}, {fixed(estimate.high, 2)}]", note)


def _regret(estimate: Estimate) -> Cell:
    return Cell(percent(estimate.value, 2), f"[{percent(estimate.low, 2)}, {percent(estimate.high, 2)}]", how(estimate))
