"""What states, metrics and amounts are called on the page, and which colour and sign goes with them."""

from __future__ import annotations

from collections.abc import Iterable

from pilotlight.record.decision import Launch
from pilotlight.report.block import Cell, Tone
from pilotlight.report.study import Study
from pilotlight.report.text import fixed, how
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.metric import METRICS, Metric
from pilotlight.stats.verdict import Verdict
from pilotlight.units import show_bytes, show_count, show_seconds

LAUNCH: dict[Launch, Tone] = {
    Launch.GO: "good", Launch.GO_WITH_CHANGES: "mixed", Launch.MORE_EVIDENCE: "open", Launch.NO_GO: "bad",
}  # fmt: skip
VERDICT: dict[Verdict, tuple[Tone, str]] = {
    Verdict.ADOPT: ("good", "✓"), Verdict.REJECT: ("bad", "✕"), Verdict.EQUIVALENT: ("quiet", "="),
    Verdict.UNDECIDED: ("open", "?"),
}  # fmt: skip
STATUS: dict[str, tuple[Tone, str]] = {
    "pass": ("good", "✓"), "fail": ("bad", "✕"), "unknown": ("open", "?"), "finished": ("", ""),
    "failed": ("bad", "✕"), "killed": ("bad", "✕"),
}  # fmt: skip


def verdict(found: Verdict) -> Cell:
    """Return the cell of a verdict."""
    tone, sign = VERDICT[found]
    return Cell(found.value, tone=tone, sign=sign)


def status(found: str) -> Cell:
    """Return the cell of a state."""
    tone, sign = STATUS.get(found, ("", ""))
    return Cell(found, tone=tone, sign=sign)


def metric_of(study: Study) -> Metric:
    """Return the metric that the pilot declared, bits per byte where that cannot be read."""
    return METRICS.get(str(study.setting("goal.metric", "")), METRICS["bits_per_byte"])


def spoken(name: str) -> str:
    """Return a name of a field as words."""
    return name.replace("_", " ")


def duration(estimate: Estimate) -> Cell:
    """Return the cell of an estimate in seconds."""
    interval = f"{show_seconds(estimate.low)} to {show_seconds(estimate.high)}"
    return Cell(show_seconds(estimate.value), interval if estimate.low < estimate.high else "", how(estimate))


def dollars(value: float) -> str:
    """Return an amount of US dollars."""
    return f"${fixed(value, 0 if value >= 100 else 2)}"


def money(estimate: Estimate | None) -> Cell:
    """Return the cell of an estimate in US dollars."""
    if estimate is None:
        return Cell("–", "no price known", "set goal.hardware.price_per_hour", tone="quiet")
    interval = f"{dollars(estimate.low)} to {dollars(estimate.high)}"
    return Cell(dollars(estimate.value), interval if estimate.low < estimate.high else "", how(estimate))


def amount(documents: float, size: float | None = None) -> Cell:
    """Return the cell of an amount of text."""
    return Cell(fixed(documents, 0), show_bytes(size) if size else "")


def flops(value: float) -> str:
    """Return a number of floating-point operations."""
    from pilotlight.report.text import number

    return f"{number(value, 3)} FLOPs"


def fold(factor: float) -> str:
    """Return a factor in running text."""
    return f"{fixed(factor, 1 if factor < 100 else 0)} times"


def sentence(text: str, names: Iterable[str] = ()) -> str:
    """Return text as a sentence: a full stop, and a capital letter unless it begins with one of ``names``."""
    first = text.partition(" ")[0].rstrip(",:;")
    is_word = first.isalpha() and first.islower() and first not in names
    begun = text[:1].upper() + text[1:] if is_word else text
    return begun if begun.endswith((".", "!", "?", "…")) or not begun else f"{begun}."


def sentences(study: Study, texts: Iterable[str]) -> tuple[str, ...]:
    """Return every text as a sentence; names of variants keep their letters."""
    return tuple(sentence(text, study.variants()) for text in texts)


def times(factor: float) -> str:
    """Return a factor."""
    return f"{fixed(factor, 1 if factor < 100 else 0)} ×"


def listed(names: Iterable[str]) -> str:
    """Return names as running text: a, b and c."""
    words = list(names)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def counted(count: int, word: str) -> str:
    """Return ``1 trial`` or ``3 trials``."""
    return f"{fixed(count, 0)} {word}{'' if count == 1 else 's'}"


def size(parameters: float, tokens: float) -> str:
    """Return a size in parameters and tokens."""
    return f"{show_count(parameters)} parameters, {show_count(tokens)} tokens"
