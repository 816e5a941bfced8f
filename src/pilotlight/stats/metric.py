"""What a number measures: unit, direction, version, and what it may be compared with."""

from __future__ import annotations

from typing import Literal

from pilotlight.errors import EvidenceError, nearest
from pilotlight.spec import Record


class Metric(Record):
    """A measured quantity. Two numbers compare only if metric, version and scored text are the same."""

    name: str
    unit: str
    better: Literal["lower", "higher"]
    version: int
    """Raised when the same likelihoods would give another number; finished scores of an older one are made again."""
    description: str
    comparable_across: str
    """What may differ between two runs whose numbers are still comparable."""


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="bits_per_byte", unit="bits/byte", better="lower", version=1,
            description="negative log2 likelihood of held-out text per UTF-8 byte; the end token is context, never a target",
            comparable_across="tokenizers, vocabularies, model shapes and data recipes, on the same held-out text",
        ),
        Metric(
            name="nats_per_token", unit="nats/token", better="lower", version=1,
            description="negative natural log likelihood of held-out text per predicted token",
            comparable_across="models that share a tokenizer, on the same held-out text",
        ),
        Metric(
            name="perplexity", unit="per token", better="lower", version=1,
            description="exponential of the nats per token of held-out text",
            comparable_across="models that share a tokenizer, on the same held-out text",
        ),
        Metric(
            name="masked_nats_per_token", unit="nats/masked token", better="lower", version=1,
            description="negative natural log likelihood of the 15 % of the held-out tokens that are masked, given all others",
            comparable_across="masked models that share a tokenizer, on the same held-out text",
        ),
        Metric(
            name="pseudo_bits_per_byte", unit="bits/byte, pseudo", better="lower", version=1,
            description="negative log2 likelihood of each token given all others of the text, summed, per UTF-8 byte",
            comparable_across="masked models that share a tokenizer, on the same text; never with bits per byte",
        ),
        Metric(
            name="pseudo_perplexity", unit="per token", better="lower", version=1,
            description="exponential of the nats per token of each token given all others of the text",
            comparable_across="masked models that share a tokenizer, on the same text; never with perplexity",
        ),
        Metric(
            name="accuracy", unit="share", better="higher", version=1,
            description="share of items whose right option gets the highest likelihood per byte",
            comparable_across="all models, on the same items",
        ),
        Metric(
            name="accuracy_by_total", unit="share", better="higher", version=1,
            description="share of items whose right option gets the highest likelihood, whatever its length",
            comparable_across="all models, on the same items",
        ),
        Metric(
            name="precision", unit="share", better="higher", version=1,
            description="share of items given a label that have it, averaged over labels",
            comparable_across="all models, on the same items",
        ),
        Metric(
            name="recall", unit="share", better="higher", version=1,
            description="share of items with a label that are given it, averaged over labels",
            comparable_across="all models, on the same items",
        ),
        Metric(
            name="f1", unit="share", better="higher", version=1,
            description="harmonic mean of precision and recall, averaged over labels",
            comparable_across="all models, on the same items",
        ),
    )
}  # fmt: skip


def metric(name: str) -> Metric:
    """Return the metric called ``name``.

    Raises:
        EvidenceError: there is no such metric.
    """
    if name not in METRICS:
        known = ", ".join(METRICS)
        raise EvidenceError(f"no metric is called {name!r}; known are {known}.{nearest(name, METRICS)}")
    return METRICS[name]
