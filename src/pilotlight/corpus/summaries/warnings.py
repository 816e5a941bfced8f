"""What somebody who is about to train on a corpus should look at first."""

from __future__ import annotations

from pilotlight.corpus.facts import unheard
from pilotlight.corpus.run_of_steps import NOT_JUDGED
from pilotlight.corpus.summaries.amounts import Passed, axes, passed
from pilotlight.corpus.summary import Summary

LOST = 0.5
"""Share of a source's bytes from which its loss is worth a word."""
_LEAST = 30  # documents from which a share is compared
_APART = 0.05  # difference of shares from which it is worth a word
_TIMES = 2.0
_NOT_JUDGED = 0.001
_QUARANTINED = 0.01


def warnings(summary: Summary) -> list[str]:
    """Return sentences on what looks wrong, the gravest first; empty where nothing does."""
    return [*_reading(summary), *_lost(summary), *_sampled(summary), *_uneven(summary), *_held_out(summary)]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def _reading(summary: Summary) -> list[str]:
    found: list[str] = []
    for name, facts in summary.facts.sources.items():
        count = sum(facts.quarantined.values())
        whole = count + facts.read.documents
        if count:
            grave = " Look at quarantined/ before you trust the rest." if count > _QUARANTINED * whole else ""
            told = ", ".join(f"{number} {reason}" for reason, number in facts.quarantined.items())
            found.append(
                f"{name}: {count} of {whole} records ({_percent(count / whole)}) could not be read: {told}.{grave}"
            )
    unjudged = sum(
        amount.documents for reasons in summary.facts.dropped.values() for reason, amount in reasons.items()
        if reason.startswith(NOT_JUDGED)
    )  # fmt: skip
    if unjudged > _NOT_JUDGED * max(1, summary.facts.records):
        found.append(f"{unjudged} documents could not be judged by a step and were dropped: the step failed on them.")
    return found


def _lost(summary: Summary) -> list[str]:
    """Return the sources that lost more than half, other than to a step that is meant to keep a part."""
    rows = summary.ask(
        "SELECT source, step, sum(read) FROM records WHERE fate = 'dropped' GROUP BY ALL ORDER BY source, 3 DESC, step"
    )
    found: list[str] = []
    for name, facts in summary.facts.sources.items():
        own = [(step, int(size)) for source, step, size in rows if source == name and summary.family(step) != "select"]
        gone = sum(size for _, size in own)
        if facts.read.bytes and gone > LOST * facts.read.bytes:
            step, most = own[0]
            found.append(
                f"{name} lost {_percent(gone / facts.read.bytes)} of its bytes, {_percent(most / gone)} of that to {step}."
            )
        elif facts.read.documents and not facts.train.documents:
            found.append(f"Nothing of {name} is trained on.")
    return found


def _sampled(summary: Summary) -> list[str]:
    """Return the samples whose own certificate says that they do not stand for the whole."""
    found: list[str] = []
    for step, told in summary.facts.steps.items():
        if told.get("representative") is False:
            failed = [item["name"] for item in told.get("criteria", ()) if item.get("representative") is False]
            found.append(f"{step}: the sample does not stand for the whole in {', '.join(failed) or 'some way'}.")
    return found


def _uneven(summary: Summary) -> list[str]:
    """Return where a filter drops a far larger share of one source or language than of all."""
    found: list[tuple[float, str]] = []
    for axis in ("language", "source"):
        if axis not in axes(summary):
            continue
        by_value = passed(summary, axis)
        for step in {item.step for items in by_value.values() for item in items}:
            if summary.family(step) != "filter":
                continue
            items = [item for items in by_value.values() for item in items if item.step == step]
            found += _far_apart(axis, step, items)
    seen: dict[str, str] = {}
    for _, text in sorted(found, key=lambda item: (-item[0], item[1])):
        seen.setdefault(text, text)
    return list(seen)[:4]


def _far_apart(axis: str, step: str, items: list[Passed]) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    for item in items:
        reached = sum(other.reached for other in items) - item.reached
        rate = item.rate
        if rate is None or item.reached < _LEAST or reached < _LEAST or item.value == "not measured":
            continue
        others = (sum(other.dropped for other in items) - item.dropped) / reached
        if rate.low > _TIMES * others and rate.low > others + _APART:
            found.append((
                rate.value - others,
                f"{step} drops {_percent(rate.value)} of the documents of {axis} {item.value} that reach it "
                f"(95 % interval {_percent(rate.low)} to {_percent(rate.high)}), and {_percent(others)} of the others.",
            ))  # fmt: skip
    return found


def _held_out(summary: Summary) -> list[str]:
    held = summary.facts.held_out
    if summary.recipe.held_out > 0 and not held.documents:
        return ["Nothing is held out: a model trained on this corpus cannot be scored on it."]
    read = {name: facts.read.bytes for name, facts in summary.facts.sources.items()}
    heard = {name for name, facts in summary.facts.sources.items() if facts.held_out.documents}
    lacking = [f"{name} ({_percent(share)} of the text)" for name, share in unheard(read, heard).items()]
    if lacking and held.documents:
        return [f"Nothing is held out of {', '.join(lacking)}: losses on the held-out text do not tell of it."]
    return []
