"""What is scored: three kinds of items, each made of spans of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Span:
    """A continuation whose likelihood is asked for, after a context that is only read."""

    context: str
    continuation: str

    @property
    def bytes(self) -> int:
        """UTF-8 bytes of the continuation, the space before it included."""
        return len(self.continuation.encode())


@final
@dataclass(frozen=True, slots=True)
class ChoiceItem:
    """A question with options, one of them right."""

    id: str
    options: tuple[Span, ...]
    right: int
    texts: tuple[str, ...]
    """The options as the file has them."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """One span per option."""
        return self.options


@final
@dataclass(frozen=True, slots=True)
class LabelledItem:
    """A text with one of the labels that all items share."""

    id: str
    prompt: str
    labels: tuple[str, ...]
    right: int

    @property
    def spans(self) -> tuple[Span, ...]:
        """One span per label: its word after the prompt."""
        return tuple(Span(self.prompt, f" {label}") for label in self.labels)


@final
@dataclass(frozen=True, slots=True)
class TextItem:
    """A text, with what stands before it if there is anything."""

    id: str
    text: str
    context: str = ""

    @property
    def right(self) -> None:
        """Nothing to choose."""
        return None

    @property
    def spans(self) -> tuple[Span, ...]:
        """The text as one span."""
        return (Span(self.context, self.text),)


Item = ChoiceItem | LabelledItem | TextItem
