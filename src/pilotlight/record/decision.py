"""The decision of a pilot as it is written to ``decision.json``: the verdicts, the launch, and why.

Nothing here depends on a clock reading made after the calibration, on the order in which trials ended, or on the
place of the folder: the same pilot on the same machine writes the same bytes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pilotlight.record.expense import Alternative, CostLine, Figure, MemoryFit
from pilotlight.record.fidelity import FidelityAudit
from pilotlight.record.forecast import Prediction
from pilotlight.spec import Record
from pilotlight.stats.carry import Carried
from pilotlight.stats.comparison import Comparison, NoiseFloor
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.shards import Shards
from pilotlight.stats.verdict import Verdict


class Launch(StrEnum):
    """What to do about the full run."""

    GO = "GO"
    GO_WITH_CHANGES = "GO WITH CHANGES"
    MORE_EVIDENCE = "MORE EVIDENCE"
    NO_GO = "NO-GO"


class Finding(Record):
    """One variant, judged: what it changes, what that did, and how sure one can be."""

    variant: str
    why: str
    changes: dict[str, tuple[Any, Any]]
    """Dotted path of each setting that differs from the baseline: (old, new)."""
    verdict: Verdict
    because: str
    next: str
    comparison: Comparison
    confirmation: Estimate | None = None
    """Relative effect on fresh seeds only; None where no confirmation was run."""
    carried: Carried | None = None
    """The effect at the size of the full run, and the risk that its sign is another there; None in older records."""
    multiplier: Estimate | None = None
    """How many times the variant's FLOPs the baseline needs to reach its loss, at the scale of the comparison's effect;
    None where the baseline's runs carry no law."""
    multipliers: dict[str, Estimate] = {}
    """The same at every scale."""
    multiplier_trend: Estimate | None = None
    """Factor by which it changes per tenfold of FLOPs, along the scales; None where fewer than two tell one."""
    held_out: Shards | None = None
    """The effect on each of several shards of the held-out text, and on other text of the kind; None where the metric is not
    one of held-out text, or this has too few documents."""


class Evidence(Record):
    """What would settle an open criterion, and what it takes; None where it takes no training."""

    what: str
    parameters: float | None = None
    """Non-embedding parameters of each training."""
    tokens: float | None = None
    """Training tokens of each."""
    seeds: int | None = None
    """Number of trainings."""
    flops: float | None = None
    """Of all of them."""
    seconds: float | None = None
    """Wall-clock of all of them, one after another, on the machine of the pilot."""


class Check(Record):
    """One criterion of the launch, tested by code."""

    name: str
    threshold: str
    found: str
    status: Literal["pass", "fail", "unknown"]
    because: str
    way_out: str = ""
    evidence: Evidence | None = None
    """What would settle it where it is unknown; None where nothing affordable would."""


class Change(Record):
    """A change of the plan beside the adopted variants, without which the launch would fail."""

    setting: str
    """Dotted path in the pilot file."""
    old: float
    new: float
    mends: tuple[str, ...]
    """Names of the criteria that fail, or are open, without it."""
    because: str


class Cost(Record):
    """What the full run would take, and how that was obtained."""

    basis: Literal["measured", "assumed"]
    hardware: str
    flops: float
    seconds: Estimate
    """Wall-clock of the full run; low and high are P10 and P90."""
    money: Estimate | None
    """US dollars; None where no price is known."""
    pilot_flops: float
    """FLOPs that the pilot itself spent."""
    because: str
    energy: Estimate | None = None
    """Kilowatt-hours at the meter; None where the power of the hardware is not known."""
    goodput: Estimate | None = None
    """Share of the wall-clock that goes into steps that count."""
    lines: tuple[CostLine, ...] = ()
    """The bill: training, evaluation, checkpoints, failures, resets, and the pilots that came before."""
    figures: tuple[Figure, ...] = ()
    """Everything that was put in, and how it was obtained."""
    memory: MemoryFit | None = None
    alternatives: tuple[Alternative, ...] = ()
    """The run as planned first, then what could be bought instead."""


class Target(Record):
    """The declared goal beside what is predicted for the full run."""

    metric: str
    unit: str
    threshold: float
    parameters: float
    """Non-embedding parameters that the full run has as declared: the shape is the nearest to what was asked for."""
    tokens: float
    """Training tokens of the full run as declared: whole steps."""
    prediction: Estimate | None
    """Of the full run with the adopted changes; None where the pilot cannot predict."""
    probability: float | None
    """Probability that the full run reaches the threshold."""
    baseline: Estimate | None
    """Of the full run as declared, without any change."""
    baseline_probability: float | None


class CrossValidation(Record):
    """The baseline at the lowest rung that trains variants, once for each of several parts of the text, that part held out."""

    rung: str
    scores: tuple[float, ...]
    """The metric on each part; the first is the held-out text of the comparison."""
    score: Estimate
    """Mean over the parts: for new text, and text for training that is collected anew."""
    first: Estimate
    """Relative difference of the first part from the mean of the others: how unusual the held-out text is."""


class Decision(Record):
    """The whole decision. ``criteria`` is the hash of the pilot file that was fixed before the first trial."""

    question: str
    criteria: str
    deviations: tuple[str, ...]
    """What was not the same from the first trial to the last, such as versions of the software."""
    worth: float
    """Smallest relative effect that matters, as declared."""
    launch: Launch
    because: tuple[str, ...]
    would_change: tuple[str, ...]
    target: Target
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    tuning: str = ""
    """What was tuned before the comparison, to what and how; empty where nothing was."""
    allocation: str = ""
    """How many trials were chosen as results came in, and why no more; empty where all were planned."""
    adopted: tuple[str, ...]
    """The variants that are in the plan of the full run, best first: those with ADOPT that do not exclude each other."""
    changes: tuple[Change, ...] = ()
    """What else is changed in the plan of the full run; target, cost and checks are those of the changed plan."""
    fidelity: FidelityAudit = FidelityAudit()
    """Every difference between the pilots as they were trained and the plan of the full run."""
    noise: NoiseFloor | None
    """Run-to-run spread; None where no cell has two runs."""
    cross_validation: CrossValidation | None = None
    """How the baseline does on parts of the text; None where no folds were asked for, the first failed, or fewer than 3 ended."""
    forecast: Prediction | None
    """Law and prediction for the full run as declared; None where the runs cannot carry one (a check says why)."""
    cost: Cost
    trials: dict[str, int]
    """How many trials were planned, finished, failed, killed and left out for want of budget."""
    advice: tuple[str, ...]
    not_tested: tuple[str, ...]
    versions: dict[str, str]
