"""The rule of the launch: from the state of every criterion to one word."""

from __future__ import annotations

from collections.abc import Sequence

from pilotlight.record.decision import Check, Launch


def launch(checks: Sequence[Check], *, changed: bool) -> Launch:
    """Return the word that the criteria lead to; ``changed`` says whether they are those of a plan with changes in it.

    GO: every criterion passes for the full run as declared. GO WITH CHANGES: every one passes for the full run with the
    listed changes. MORE EVIDENCE: none fails, some are open, and for each of those there is evidence that can be afforded
    and would settle it. NO-GO: everything else.
    """
    states = {check.status for check in checks}
    if states <= {"pass"}:
        return Launch.GO_WITH_CHANGES if changed else Launch.GO
    if "fail" not in states and all(check.evidence for check in checks if check.status == "unknown"):
        return Launch.MORE_EVIDENCE
    return Launch.NO_GO
