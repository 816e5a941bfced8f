"""Samples, balance and selection: what was wanted, what was achieved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast, final

from pilotlight.corpus.summaries.amounts import axes, moved
from pilotlight.report.block import Block, Cell, Facts, Fold, Paragraph, Piece, Table
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import share
from pilotlight.report.section import Slot
from pilotlight.report.text import fixed, number, setting
from pilotlight.report.wording import status
from pilotlight.units import show_bytes

_SHOWN_ELSEWHERE = ("curve", "files")
_MOST_ROWS = 24


@final
class Chosen(CorpusSection):
    """The certificate of a sample, the shares of a balance, and whatever else a comparing step tells of its work."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 80
    title: ClassVar[str] = "Wanted and achieved"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return what the steps that choose documents tell of themselves, or None where there are none."""
        pieces: list[Piece] = []
        for step, rule in study.summary.steps.items():
            told = study.summary.facts.steps.get(step, {})
            if any(key in told for key in _SHOWN_ELSEWHERE):
                continue
            if "criteria" in told:
                pieces += _certificate(step, told)
            elif "axes" in told or rule.kind == "balance":
                pieces += _balance(study, step, rule, told)
            elif told:
                pieces.append(Fold(f"{step}: what it tells of its work", tuple(generic(told))))
        return Block("", tuple(pieces)) if pieces else None


def _certificate(step: str, told: Mapping[str, Any]) -> list[Piece]:
    verdict = {
        True: "it stands for the whole",
        False: "it does not stand for the whole",
        None: "too little text to tell",
    }
    rows = [
        (
            Cell(item["name"], item.get("how", "")),
            _number(item, "value"), _number(item, "threshold"),
            status({True: "pass", False: "fail", None: "unknown"}[item["representative"]]),
        )
        for item in told["criteria"]
    ]  # fmt: skip
    words = f"{step}: a sample of {share(told.get('share', 0))}, and {verdict[told.get('representative')]}."
    advice = told.get("advice")
    columns = ("Criterion", "Achieved", "At most", "Verdict")
    table = Table(columns, tuple(rows), frozenset(columns[1:3]), str(told.get("epochs", "")))
    pieces: list[Piece] = [Paragraph(words), table, *([Paragraph(str(advice), "open")] if advice else [])]
    if told.get("strata"):
        pieces.append(Fold("By stratum: there, wanted and taken", tuple(generic({"stratum": told["strata"]}))))
    return pieces


def _balance(study: CorpusStudy, step: str, rule: Any, told: Mapping[str, Any]) -> list[Piece]:
    """Return wanted and achieved shares: as the step tells them, or as the finished corpus has them."""
    found: dict[str, dict[str, Mapping[str, float]]] = dict(told.get("axes", {}))
    if not found:
        for axis, declared in getattr(rule, "shares", {}).items():
            rows = moved(study.summary, axis) if axis in axes(study.summary) else []
            before, after = sum(row.before.bytes for row in rows), sum(row.after.bytes for row in rows)
            found[axis] = {
                row.value: {
                    "share": row.before.bytes / max(1, before), "share_after": row.after.bytes / max(1, after),
                    "share_wanted": float(declared[row.value]),
                }
                for row in rows if row.value in declared
            }  # fmt: skip
    pieces: list[Piece] = [Paragraph(f"{step}: shares of bytes that were asked for.")]
    for axis, values in found.items():
        rows = [
            (
                Cell(value),
                Cell(share(row["share"])),
                Cell(share(row.get("share_wanted", 0.0))),
                Cell(share(row["share_after"])),
            )
            for value, row in sorted(values.items(), key=lambda item: (-item[1]["share"], item[0]))[:_MOST_ROWS]
        ]
        columns = (axis.capitalize(), "Before", "Wanted", "Achieved")
        after = "" if told.get("axes") else "Achieved: in the finished corpus, so after later steps too."
        pieces.append(Table(columns, tuple(rows), frozenset(columns[1:]), after))
    return pieces


def generic(told: Mapping[str, Any]) -> list[Any]:
    """Return a report whose form is not known: values by name, and a table for everything that is by name itself."""
    plain = tuple(
        (name.replace("_", " "), Cell(_shown(name, value)))
        for name, value in told.items()
        if not isinstance(value, dict | list)
    )
    pieces: list[Any] = [Facts(plain)] if plain else []
    for name, value in told.items():
        rows = _rows(value)
        if rows:
            columns = [key for key, item in next(iter(rows.values())).items() if not isinstance(item, dict | list)]
            lines = [
                (Cell(key), *(Cell(_shown(column, row.get(column))) for column in columns))
                for key, row in list(rows.items())[:_MOST_ROWS]
            ]
            names = tuple(column.replace("_", " ") for column in columns)
            pieces.append(
                Table((name.replace("_", " "), *names), tuple(lines), frozenset(names), wide=len(columns) > 5)
            )
        elif isinstance(value, dict | list) and value:
            pieces.append(Paragraph(f"{name.replace('_', ' ')}: {setting(value)[:600]}"))
    return pieces


def _rows(value: Any) -> dict[str, Mapping[str, Any]]:
    """Return what can be a table: mappings by name or by number; nothing else."""
    if isinstance(value, list):
        value = {place: item for place, item in enumerate(cast("list[Any]", value), 1)}
    if not isinstance(value, dict):
        return {}
    named = cast("dict[Any, Any]", value)
    return {str(key): item for key, item in named.items() if isinstance(item, dict)}


def _number(item: Mapping[str, Any], name: str) -> Cell:
    return Cell(number(item[name], 3) if name in item else "–")


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return setting(value)
    if "bytes" in name:
        return show_bytes(value)
    if "share" in name and 0 <= value <= 1:
        return share(value)
    return fixed(value, 0) if float(value).is_integer() else number(value, 4)
