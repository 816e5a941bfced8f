"""Criteria of the launch that stand on how the pilot was made: its text, its measure, its changes, its likeness, its drills."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pilotlight.corpus.duplicate import Duplicates
from pilotlight.pilot.adoption import Adoption
from pilotlight.pilot.analyse import zeros
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.observed import Drill, Observed
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Check, Evidence, Finding
from pilotlight.record.fidelity import FidelityAudit
from pilotlight.record.results import BASELINE, Results
from pilotlight.stats.metric import metric
from pilotlight.stats.noise import NoiseFloor
from pilotlight.units import show_bytes, show_seconds, show_share

MOST_UNREAD = 0.05
"""Share of the records that may be quarantined: more, and the text is another than the one that was meant."""
SIGNAL = 3.0
"""Noise floors between the best and the worst rung below which a metric cannot tell one training from another."""


def data_check(pilot: Pilot, observed: Observed, adopted: tuple[str, ...]) -> Check:
    """Return whether the text is what was meant, and nothing that is scored was trained on as it is."""
    threshold = f"at most {show_share(MOST_UNREAD, 0)} unreadable, held-out text taken out of the rest"
    arms = [name for name in (BASELINE, *adopted) if name in observed.texts]
    facts = [observed.texts[name] for name in arms]
    if not facts:
        return Check(
            name="data", threshold=threshold, found="no record of the text", status="unknown",
            because="nobody knows what became of the text", way_out="run the pilot in a new --out.",
        )  # fmt: skip
    unread = max(sum(one.quarantined.values()) / max(1, one.records) for one in facts)
    held_out = min(one.held_out.bytes for one in facts)
    bare = [name for name in arms if not any(isinstance(step, Duplicates) for step in pilot.variant(name).corpus.steps)]
    found = f"{show_share(unread)} unreadable, {show_bytes(held_out)} held out"
    if unread > MOST_UNREAD:
        return Check(
            name="data", threshold=threshold, found=found, status="fail",
            because="much of what was meant to be read could not be read",
            way_out="look at the reasons in the corpus's facts, mend them, and run the pilot in a new --out.",
        )  # fmt: skip
    if bare:
        way_out = "add exact to corpus.steps, in a new --out."
        return Check(
            name="data", threshold=threshold, found=found, status="unknown", way_out=way_out,
            because=f"no step of {bare[0]}'s corpus looks for duplicates, so held-out text may be trained on",
            evidence=Evidence(what="this pilot again with a step that takes duplicates of held-out text away: exact."),
        )  # fmt: skip
    return Check(
        name="data", threshold=threshold, found=found, status="pass",
        because="nearly everything was read, and duplicates of held-out text were taken away",
    )  # fmt: skip


def evaluation_check(pilot: Pilot, results: Results, observed: Observed, noise: NoiseFloor | None) -> Check:
    """Return whether the metric may vote: the same text for all, and a ladder that stands out of the noise, upwards."""
    threshold = f"one text for all runs; the ladder spans at least {SIGNAL:g} noise floors"
    sizes = sorted({observed.scored[row.name] for row in results.finished() if row.name in observed.scored})
    if len(sizes) > 1:
        return Check(
            name="evaluation", threshold=threshold, status="fail",
            found=f"between {show_bytes(sizes[0])} and {show_bytes(sizes[-1])} were scored",
            because="the runs were scored on different amounts of text, so their losses do not compare",
            way_out="leave train.score_bytes to the baseline, in a new --out.",
        )  # fmt: skip
    nothing = zeros(results, pilot)
    without = sorted({row.scale for row in nothing.pop(BASELINE, [])})
    if without:
        return Check(
            name="evaluation", threshold=threshold, status="unknown",
            found=f"a run of the baseline that is not above 0 at {', '.join(without)}",
            because=f"effects and spans are shares of {pilot.goal.metric}, and of nothing there is no share: what was trained "
                    f"at {', '.join(without)} is in no comparison",
            way_out="larger rungs, at which every run scores above 0, or another metric, in a new --out.",
        )  # fmt: skip
    values = _ladder(pilot, results)
    if noise is None or len(values) < 2:
        what = (
            "a second seed of the baseline at the smallest rung" if noise is None else "the baseline at a second rung"
        )
        return Check(
            name="evaluation", threshold=threshold, found="not measured", status="unknown",
            because="without a second seed nobody knows the noise" if noise is None else "one rung alone has no span",
            way_out=f"train {what} (raise the budget, seeds or repeats).", evidence=Evidence(what=f"{what}."),
        )  # fmt: skip
    span = abs(math.log(values[0] / values[-1])) / noise.sd.value if noise.sd.value > 0 else math.inf
    improves = (values[-1] < values[0]) == (metric(pilot.goal.metric).better == "lower")
    status = "pass" if improves and span >= SIGNAL else "fail"
    because = "the dearest rung is better than the cheapest, far beyond the noise"
    if not improves:
        because = "the dearest rung is worse than the cheapest: this metric does not see what training buys"
    elif status == "fail":
        because = "from the cheapest rung to the dearest it changes by little more than the noise of one run"
    for variant, rows in sorted(nothing.items()):
        rungs = ", ".join(sorted({row.scale for row in rows}))
        because += f"; {variant} is not above 0 at {rungs}, where it is in no comparison"
    return Check(
        name="evaluation", threshold=threshold, found=f"{span:.1f} noise floors", status=status, because=because,
        way_out="" if status == "pass" else "more held-out text, rungs that lie further apart, or another metric.",
    )  # fmt: skip


def _ladder(pilot: Pilot, results: Results) -> list[float]:
    """Return the baseline's mean value at its cheapest and at its dearest rung."""
    rungs: dict[str, tuple[float, list[float]]] = {}
    for row in results.ladder():
        rungs.setdefault(row.scale, (row.flops, []))[1].append(row.metrics[pilot.goal.metric])
    ordered = sorted(rungs.values(), key=lambda found: found[0])
    means = [math.fsum(values) / len(values) for _, values in ordered]
    return [means[0], means[-1]] if len(means) > 1 else []


def changes_check(pilot: Pilot, adoption: Adoption, calibration: Calibration) -> Check:
    """Return whether every adopted change was seen with the declared power, and won again on fresh seeds."""
    rule = pilot.rule
    again, won = (
        (", won again on fresh seeds", " and confirmed") if pilot.confirm else ("", "; none was to be confirmed")
    )
    threshold = f"{show_share(rule.power, 0)} power for the effect adopted{again}"
    if not adoption.adopted:
        return Check(
            name="changes", threshold=threshold, found="none adopted", status="pass", because="nothing is changed"
        )
    weak = [item for item in adoption.adopted if item.comparison.detectable > abs(item.comparison.effect.value)]
    unconfirmed = [item for item in adoption.adopted if pilot.confirm and item.confirmation is None]
    found = ", ".join(_seen(item) for item in adoption.adopted)
    if not weak and not unconfirmed:
        because = f"each was seen with power{won}"
        return Check(name="changes", threshold=threshold, found=found, status="pass", because=because)
    item = (weak or unconfirmed)[0]
    evidence = _more_seeds(item, pilot, calibration) if weak else Evidence(what=f"{item.variant} on fresh seeds.")
    return Check(
        name="changes", threshold=threshold, found=found, status="unknown", way_out=evidence.what, evidence=evidence,
        because=f"{item.variant} won by less than what this many seeds see reliably, so its effect is likely overstated"
        if weak else f"{item.variant} was not trained again on fresh seeds",
    )  # fmt: skip


def _seen(item: Finding) -> str:
    effect = item.comparison.effect
    return f"{item.variant} {100 * effect.value:+.2f} % (sees {show_share(item.comparison.detectable, 2)})"


def _more_seeds(item: Finding, pilot: Pilot, calibration: Calibration) -> Evidence:
    """Return the further seeds after which an effect as large as the one found is seen with the declared power."""
    comparison = item.comparison
    needed = math.ceil(comparison.seeds * (comparison.detectable / max(1e-9, abs(comparison.effect.value))) ** 2)
    more = 2 * max(1, min(1000, needed) - comparison.seeds)
    rung, scale = calibration.rungs[comparison.scale], pilot.scale(comparison.scale)
    return Evidence(
        what=f"{more // 2} more seeds of {item.variant} and of the baseline at {comparison.scale} "
             f"({more * rung.flops:.2g} FLOPs, about {show_seconds(more * rung.seconds)} here).",
        parameters=scale.parameters, tokens=scale.tokens, seeds=more, flops=more * rung.flops, seconds=more * rung.seconds,
    )  # fmt: skip


def fidelity_check(audit: FidelityAudit) -> Check:
    """Return whether no difference between pilot and full run is an open confound."""
    confounds = [row for row in audit.rows if row.kind == "confound"]
    found = f"{len(audit.open)} open of {len(confounds)} confounds, of {len(audit.rows)} differences"
    if not audit.compared:
        return Check(
            name="fidelity", threshold="no open confound", found="no baseline was trained", status="unknown",
            because="there is nothing to compare the full run with",
            way_out="look at why the baseline's trials were lost, and run the pilot again.",
            evidence=Evidence(what="the baseline's trials again, once what stopped them is mended."),
        )  # fmt: skip
    if not audit.open:
        return Check(name="fidelity", threshold="no open confound", found=found, status="pass",
                     because="every difference is scaled by a rule, measured, harmless, or inside the interval")  # fmt: skip
    row = audit.open[0]
    return Check(
        name="fidelity", threshold="no open confound", found=found, status="unknown", way_out=row.way_out,
        because=f"{', '.join(item.setting for item in audit.open)}: {row.because}", evidence=Evidence(what=row.way_out),
    )  # fmt: skip


def drill_checks(drills: Sequence[Drill]) -> tuple[Check, ...]:
    """Return whether the recorded drills were passed; nothing where none is recorded."""
    if not drills:
        return ()
    missed = [drill for drill in drills if not drill.passed]
    return (
        Check(
            name="drills", threshold="every recorded drill passed", found=f"{len(drills) - len(missed)} of {len(drills)} passed",
            status="fail" if missed else "pass",
            because=f"{missed[0].name}: {missed[0].seen or 'not passed'}" if missed else
            f"passed: {', '.join(drill.name for drill in drills)}",
            way_out="mend what the drill showed, repeat it, and record it in drills.json." if missed else "",
        ),
    )  # fmt: skip
