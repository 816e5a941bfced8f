"""Which of the variants that won go into the full run together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pilotlight.errors import ConfigError
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Finding
from pilotlight.stats.verdict import Verdict


@dataclass(frozen=True)
class Adoption:
    """The variants in the full run, best first, and why others that won are not."""

    adopted: tuple[Finding, ...]
    left_out: dict[str, str]
    """One sentence by the name of each variant that won but is not in the full run."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the adopted variants, best first."""
        return tuple(finding.variant for finding in self.adopted)


def _scope(path: str) -> str:
    """Return what a change of ``path`` replaces: a new ``kind`` its whole part, a pattern of mixers the mixer."""
    parent, _, name = path.rpartition(".")
    return "model.mixer" if path == "model.pattern" else parent if name == "kind" else path


def _clash(first: Iterable[str], second: Iterable[str]) -> tuple[str, str] | None:
    """Return two paths, one of each, that cannot both be set: one replaces what the other changes; None if there are none."""
    for one in first:
        for other in second:
            left, right = f"{_scope(one)}.", f"{_scope(other)}."
            if left.startswith(right) or right.startswith(left):
                return one, other
    return None


def compatible(pilot: Pilot, findings: Iterable[Finding]) -> Adoption:
    """Return the adopted variants that can all be in one full run, best first, and why the others are left out.

    Two changes exclude each other if they set the same path, if one sets a part of what the other sets, if one sets the
    ``kind`` of the part that the other changes, or one the pattern of mixers and one the mixer; and if no model can be built
    with both.
    """
    won = [finding for finding in findings if finding.verdict is Verdict.ADOPT]
    adopted: list[Finding] = []
    left_out: dict[str, str] = {}
    for finding in sorted(won, key=lambda item: (item.comparison.effect.value, item.variant)):
        reason = _reason(pilot, finding.variant, [item.variant for item in adopted])
        if reason:
            left_out[finding.variant] = reason
        else:
            adopted.append(finding)
    return Adoption(tuple(adopted), left_out)


def _reason(pilot: Pilot, name: str, chosen: list[str]) -> str:
    """Return why ``name`` cannot be in the full run beside ``chosen``, or nothing."""
    for other in chosen:
        paths = _clash(pilot.variants[name].set, pilot.variants[other].set)
        if paths is not None:
            return (
                f"{name} won too, but is left out: its change of {paths[0]} and that of {paths[1]} by {other}, which won "
                "by more, exclude each other."
            )
    try:
        pilot.full_plan((*chosen, name))
    except ConfigError as error:
        return f"{name} won too, but is left out: it cannot be built together with {', '.join(chosen)} ({error})"
    return ""
