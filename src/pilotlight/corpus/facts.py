"""What a corpus consists of, counted: every record that was read is trained on, held out, dropped or quarantined."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from pydantic import Field

from pilotlight.errors import RecordError
from pilotlight.spec import Record


class Amount(Record):
    """How much text."""

    documents: int = 0
    bytes: int = 0
    """UTF-8 bytes."""


class SourceFacts(Record):
    """What became of one source. Bytes are those read, but for ``train``: the bytes after editing."""

    kind: str
    files: int
    passed_over: dict[str, int]
    """Files that are there but are not read, by ending."""
    read: Amount
    train: Amount
    held_out: Amount
    dropped: Amount
    quarantined: dict[str, int]
    """Records that could not be read, by reason."""


class CorpusFacts(Record):
    """What became of everything that was read. Bytes are those read, but for ``train``: the bytes after editing."""

    records: int
    """Everything that was read, readable or not."""
    train: Amount
    held_out: Amount
    dropped: dict[str, dict[str, Amount]]
    """Dropped text by step and reason."""
    quarantined: dict[str, int]
    """Records that could not be read, by reason."""
    edited: dict[str, int]
    """Documents that an edit changed, by step."""
    sources: dict[str, SourceFacts]
    """The same by source."""
    steps: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What the steps that compare documents tell about their work, by the name of the step."""

    @property
    def dropped_documents(self) -> int:
        """Number of dropped documents."""
        return sum(amount.documents for reasons in self.dropped.values() for amount in reasons.values())

    def check(self) -> None:
        """Return if records read = trained on + held out + dropped + quarantined, in all and by source.

        Raises:
            RecordError: a record was lost or counted twice.
        """
        accounts = {"the corpus": (
            self.records, self.train.documents, self.held_out.documents, self.dropped_documents, self.quarantined,
        )}  # fmt: skip
        for name, facts in self.sources.items():
            records = facts.read.documents + sum(facts.quarantined.values())
            accounts[name] = (
                records, facts.train.documents, facts.held_out.documents, facts.dropped.documents, facts.quarantined,
            )  # fmt: skip
        for name, (records, train, held_out, dropped, quarantined) in accounts.items():
            if records != train + held_out + dropped + sum(quarantined.values()):
                raise RecordError(
                    f"{name}: {records} records were read, but {train} trained on + {held_out} held out + {dropped} "
                    f"dropped + {sum(quarantined.values())} quarantined. Build it again."
                )


_LARGE_SOURCE = 0.05  # of the bytes: held-out text without any of it is worth a word


def unheard(read: Mapping[str, float], held_out: Container[str]) -> dict[str, float]:
    """Return the share of the text of every large source that has no held-out document.

    Args:
        read: bytes read, by source.
        held_out: sources that have a held-out document.
    """
    whole = max(sum(read.values()), 1)
    shares = {name: size / whole for name, size in sorted(read.items()) if name not in held_out}
    return {name: share for name, share in shares.items() if share >= _LARGE_SOURCE}
