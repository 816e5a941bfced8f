"""What a filter that only measures would drop, if it were told to: asked of the filter, for documents trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.summaries.rates import rate
from pilotlight.corpus.summaries.samples import some_files
from pilotlight.corpus.summary import Summary, quoted
from pilotlight.stats.estimate import Estimate

MOST = 20_000
"""Documents that a filter is asked about, chosen by the hash of their ids; of fewer, all."""
_TOGETHER = 2000


@final
@dataclass(frozen=True, slots=True)
class Would:
    """What one filter says of documents that are trained on."""

    asked: int
    reasons: dict[str, int]
    """How many would go, by reason."""
    ids: dict[str, list[tuple[str, str]]]
    """Some of them by reason, chosen by hash: id and the whole reason."""

    @property
    def rate(self) -> Estimate | None:
        """Share of the documents trained on that would go."""
        return rate(sum(self.reasons.values()), self.asked)


def would_drop(summary: Summary, step: str, each: int = 3) -> Would | None:
    """Return what a filter that only measures would drop, and up to ``each`` ids of each reason; None for other steps."""
    rule = summary.steps.get(step)
    if not isinstance(rule, Filter) or not rule.only_annotate:
        return None
    own = [f"{step}.{name}" for name in rule.columns]
    if not all(name in summary.columns for name in own):
        return None
    files = some_files(summary, 0)
    asked = summary.connection.execute(
        f"SELECT id, source, {', '.join(map(quoted, own))} FROM records WHERE fate = 'train' "
        f"AND {quoted(own[0])} IS NOT NULL AND ($every OR list_contains($files, filename)) ORDER BY md5(id), id LIMIT {MOST}",
        {"every": not files, "files": files},
    )
    count = 0
    reasons: dict[str, int] = {}
    ids: dict[str, list[tuple[str, str]]] = {}
    while rows := asked.fetchmany(_TOGETHER):
        for id, source, *values in rows:
            count += 1
            reason = (
                None if None in values else rule.reason_to_drop(dict(zip(rule.columns, values, strict=True)), source)
            )
            if reason is not None:
                kind = reason.partition(":")[0]
                reasons[kind] = reasons.get(kind, 0) + 1
                if len(ids.setdefault(kind, [])) < each:
                    ids[kind].append((id, reason))
    return Would(count, dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))), ids)
