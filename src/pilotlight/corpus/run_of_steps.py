"""Edits and filters over one document, in order: for the text to train on and for the held-out text alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

from pilotlight.corpus.document import Document, has_text
from pilotlight.corpus.edit import Edit, in_scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View
from pilotlight.errors import PilotlightError

NOT_JUDGED = "could not be judged"
NOTHING_LEFT = "nothing left"


@final
@dataclass
class Passed:
    """What became of one document in a run of steps."""

    document: Document
    values: dict[str, Values] = field(default_factory=dict[str, Values])
    """What each step measured."""
    reasons: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Reasons to drop the document by step, the first first."""
    edited: list[str] = field(default_factory=list[str])
    """Steps that changed its text."""
    failure: str = ""
    """The error over which a step broke; empty: none."""


@final
class RunOfSteps:
    """Named edits and filters, from their settings as ``[name, family, settings]``.

    Every filter measures, also after another one found a reason to drop: so other thresholds can be tried later.
    """

    def __init__(self, steps: Sequence[Sequence[Any]]) -> None:
        self._steps = [(str(name), _step(family, given)) for name, family, given in steps]

    def __call__(self, document: Document) -> Passed:
        """Return the document after all steps, and what they found."""
        passed = Passed(document)
        view = View(document.text, document.source, dict(document.facts))
        for name, step in self._steps:
            if not in_scope(step.applies_to, view.facts["content"]):
                continue
            try:
                view = self._after(name, step, view, passed)
            except (PilotlightError, OSError, KeyboardInterrupt, SystemExit, MemoryError):
                raise  # not the fault of this document
            except BaseException as error:  # libraries in Rust raise a BaseException when they panic
                told = " ".join(f"{type(error).__name__}: {error}".split())[:200]
                passed.failure = passed.failure or f"{name} on {document.id}: {told}"
                passed.reasons.append((name, f"{NOT_JUDGED}: {told}"))
        passed.document = Document(view.text, document.id, document.source, document.origin, view.facts)
        return passed

    @staticmethod
    def _after(name: str, step: Edit | Filter, view: View, passed: Passed) -> View:
        if isinstance(step, Edit):
            text, passed.values[name] = step.edit_view(view)
            if text == view.text:
                return view
            passed.edited.append(name)
            if not has_text(text):
                passed.reasons.append((name, NOTHING_LEFT))
            return View(text, view.source, view.facts)
        values = passed.values[name] = step.measure(view)
        view.facts.update({fact: values[fact] for fact in step.facts})
        reason = None if step.only_annotate else step.reason_to_drop(values, view.source)
        if reason is not None:
            passed.reasons.append((name, reason))
        return view


def _step(family: str, given: dict[str, Any]) -> Edit | Filter:
    return Edit.choose(given) if family == "edit" else Filter.choose(given)
