"""How much of a source may go as a duplicate before the build stops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pilotlight.corpus.pile import facts
from pilotlight.errors import DataError
from pilotlight.units import show_bytes, show_share

_SHOWN = 3


def removed_by_source(decided: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Return documents and bytes of each source over all splits, how many go, and the largest clusters."""
    found: dict[str, dict[str, Any]] = {}
    for unit in decided:
        for name, row in facts(unit)["sources"].items():
            known = found.setdefault(name, {key: 0 for key in row if key != "clusters"} | {"clusters": {}})
            for key in row:
                if key != "clusters":
                    known[key] += row[key]
            for twin, count, example, similarity in row["clusters"]:
                before = known["clusters"].get(twin, [twin, 0, example, similarity])
                example, similarity = min((before[2], before[3]), (example, similarity))
                known["clusters"][twin] = [twin, before[1] + count, example, similarity]
    for row in found.values():
        row["clusters"] = sorted(row["clusters"].values(), key=lambda cluster: (-cluster[1], cluster[0]))[:_SHOWN]
    return dict(sorted(found.items()))


def check_limits(removed: dict[str, dict[str, Any]], most: float, least_documents: int) -> None:
    """Return if no source of at least so many documents loses more than the share ``most`` of its bytes.

    Raises:
        DataError: one does.
    """
    for name, row in removed.items():
        if row["documents"] < least_documents or row["bytes_gone"] <= most * row["bytes"]:
            continue
        clusters = ", ".join(
            f"{count} for {twin} (such as {example}, similarity {similarity:.2f})"
            for twin, count, example, similarity in row["clusters"]
        )
        raise DataError(
            f"{row['documents_gone']} of the {row['documents']} documents of source {name!r} "
            f"({show_share(row['bytes_gone'] / row['bytes'], 1)} of its {show_bytes(row['bytes'])}) are near duplicates, "
            f"but at most {show_share(most, 0)} may go. Most go {clusters}. If they are the same text, set most_removed "
            "higher; if they only share a frame, raise similarity, or cut the frame with an edit before this step."
        )
