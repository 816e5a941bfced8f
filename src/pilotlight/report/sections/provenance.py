"""Where this page comes from: hashes, versions, machine, and the commands that make it again."""

from __future__ import annotations

import json
from typing import Any, ClassVar, final

from pilotlight.report.block import Block, Cell, Code, Facts, Fold, Piece
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import setting
from pilotlight.report.wording import spoken

_COMMANDS = """pilot run pilot.yaml --out OUT             # the plan below, in a new folder
pilot decide OUT                           # the decision again, from the ledger and the runs
pilot report OUT                           # this page again
pilot train OUT/full.yaml                  # the full run, in OUT/full; report OUT then sets it beside the forecast"""


@final
class Provenance(Section):
    """Everything needed to check the page or to make it again."""

    slot: ClassVar[Slot] = Slot.APPENDIX
    order: ClassVar[int] = 20
    title: ClassVar[str] = "Provenance"

    def write(self, study: Study) -> Block | None:
        """Return hashes, versions, machine and commands."""
        pieces: list[Piece] = []
        criteria = study.facts("criteria").get("criteria")
        hashes = [(name, Cell(value, code=True)) for name, value in study.files.items()]
        since = study.facts("deviation").get("criteria")
        if isinstance(since, str):
            hashes.insert(
                0, ("criteria in force", Cell(since, "of the plan, changed after the first trial", code=True))
            )
        if isinstance(criteria, str):
            hashes.insert(0, ("criteria", Cell(criteria, "of the plan, before the first trial", code=True)))
        if hashes:
            pieces.append(Facts(tuple(hashes)))
        text = [(f"corpus {m.fingerprint}", "corpus") for m in study.corpora]
        text += [(f"tokens {m.fingerprint}", "tokens") for m in study.tokens]
        pieces.append(Code(_COMMANDS))
        versions: dict[str, Any] = dict(
            study.decision.versions if study.decision else study.facts("started").get("versions", {})
        )
        made = [(name, Cell(str(version))) for name, version in sorted(versions.items())]
        machine: Any = study.facts("calibration").get("machine", {})
        made += [(f"machine: {spoken(str(name))}", Cell(setting(value))) for name, value in sorted(machine.items())]
        made += [(kind, Cell(name, code=True)) for name, kind in text]
        if made:
            pieces.append(Fold("Versions, machine and fingerprints", (Facts(tuple(made)),)))
        if study.pilot:
            plan = json.dumps(study.pilot, indent=2, ensure_ascii=False, default=str)
            pieces.append(Fold("The plan, every default filled in", (Code(plan),)))
        return Block(
            "The ledger is a chain of hashes; every finished run is sealed by the hash of its manifest.", tuple(pieces)
        )
