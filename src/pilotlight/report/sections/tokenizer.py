"""How text becomes tokens: vocabulary and bytes per token, by source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from pilotlight.manifest import Manifest
from pilotlight.report.block import Block, Cell, Table
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import fixed
from pilotlight.units import show_bytes, show_count

_COLUMNS = ("Text", "Documents", "Tokens", "Bytes", "Bytes per token")


@final
class Tokenizer(Section):
    """Bytes per token of every tokenizer, on training and held-out text and by source."""

    slot: ClassVar[Slot] = Slot.METHOD
    order: ClassVar[int] = 30
    title: ClassVar[str] = "Tokenizer"

    def write(self, study: Study) -> Block | None:
        """Return the counts, or None where nothing was packed."""
        tables = tuple(_table(manifest) for manifest in study.tokens if manifest.facts.get("splits"))
        if not tables:
            return None
        return Block(
            "Losses are stated per byte of text, so that they compare across tokenizers; more bytes per token mean "
            "fewer tokens for the same text.",
            tables,
        )


def _table(manifest: Manifest) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for split, facts in manifest.facts["splits"].items():
        rows.append(_row(split.replace("_", " "), facts))
        if split == "train" and len(facts.get("sources", {})) > 1:
            rows += [_row(f"train: {name}", found) for name, found in facts["sources"].items()]
    kind: Any = manifest.settings.get("tokenizer", {}).get("kind", "tokenizer")
    vocabulary = manifest.facts.get("vocabulary", "?")
    return Table(
        _COLUMNS, tuple(rows), frozenset(_COLUMNS[1:]),
        caption=f"{kind}, vocabulary {vocabulary}, fingerprint {manifest.fingerprint}.",
    )  # fmt: skip


def _row(name: str, facts: Mapping[str, Any]) -> tuple[Cell, ...]:
    rate = facts.get("bytes_per_token")
    return (
        Cell(name), Cell(fixed(facts.get("documents", 0), 0)), Cell(show_count(facts.get("tokens", 0))),
        Cell(show_bytes(facts.get("bytes", 0))), Cell(fixed(rate, 3) if rate else "–"),
    )  # fmt: skip
