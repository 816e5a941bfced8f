"""A training run as a folder: what ``train`` wrote, read without torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, final

from pydantic import Field

from pilotlight.errors import RecordError
from pilotlight.manifest import Manifest, read_manifest
from pilotlight.record.incident import Incident
from pilotlight.spec import Record

R = TypeVar("R", bound=Record)

KIND = "run"
FACTS = "run.json"
METRICS = "metrics.jsonl"
SCORES = "scores.jsonl"
TIMING = "timing.json"

Fit = Literal["ok", "underfit", "overfit"]


@final
class RunFacts(Record):
    """What a finished run came to. The same plan on the same machine gives the same bytes: no clock reading here."""

    status: Literal["finished"]
    fingerprint: str
    """Of the plan and the tokens."""
    metrics: dict[str, float]
    """``bits_per_byte``, ``nats_per_token`` and ``perplexity`` of all scored held-out text; of a model that cannot write only
    ``masked_nats_per_token``."""
    metric: str = "bits_per_byte"
    """The one of ``metrics`` that the model is measured in."""
    train_bits_per_byte: float | None
    """Of a fixed sample of training text, scored the same way; None for a model that cannot write."""
    gap: float
    """Held-out minus training loss, in ``metric``."""
    parameters: int
    """Non-embedding parameters."""
    total_parameters: int
    tokens: int
    """Tokens predicted in training, those of skipped steps not counted."""
    epochs: float
    """Times the training text was gone through."""
    steps: int
    flops: float
    """Of the matrix products of ``tokens``, forward and backward, counted from the model; zeros are counted as other weights."""
    zero_share: float | None = None
    """Share of zeros among the weights of the matrices inside blocks, of a sparse training; None: it was dense."""
    bytes_per_token: float
    """Of the training text."""
    scored_bytes: int
    """Held-out bytes behind ``metrics``."""
    fit: Fit
    why: str
    """The rule that gave ``fit``, with its numbers."""
    incidents: tuple[Incident, ...] = ()
    checks: dict[str, float] = {}
    """Results of the benchmarks in the loop at the end."""
    precision: str
    versions: dict[str, str]


@final
class Score(Record):
    """One held-out document: the nats of its scored tokens, their number and the UTF-8 bytes of the document.

    Of a model that cannot write only the masked tokens are scored.
    """

    item: str
    nats: float
    tokens: int
    bytes: int


@final
class Session(Record):
    """One stretch of training in one process: steps and tokens done, and seconds they took, evaluations not counted."""

    first_step: int = Field(ge=0)
    steps: int = Field(ge=0)
    tokens: int = Field(ge=0)
    seconds: float = Field(ge=0)


@final
class Timing(Record):
    """Clock readings of a run. They never enter a decision; sessions that were killed are not in it."""

    device: str
    threads: int
    seconds: float
    """Wall seconds of the last process, set-up and scoring included."""
    tokens_per_second: float | None
    """Of all sessions; None where no session trained a step."""
    sessions: tuple[Session, ...]


@final
class Run:
    """A finished run folder."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def open(cls, folder: str | Path, *, verify: bool = False) -> Run:
        """Return the run in ``folder``; ``verify`` checks the hash of every file.

        Raises:
            RecordError: the run is unfinished, or damaged, or the folder holds something else.
        """
        return cls(Path(folder), read_manifest(Path(folder), KIND, verify=verify))

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the plan and the tokens."""
        return self.manifest.fingerprint

    @property
    def plan(self) -> dict[str, Any]:
        """The plan as plain values."""
        return self.manifest.settings

    @property
    def model(self) -> Path:
        """The folder of the final model."""
        return self.folder / "model"

    @cached_property
    def facts(self) -> RunFacts:
        """What the run came to."""
        return self._read(FACTS, RunFacts)

    @cached_property
    def timing(self) -> Timing:
        """How long it took."""
        return self._read(TIMING, Timing)

    def _read(self, name: str, record: type[R]) -> R:
        path = self.folder / name
        try:
            return record.from_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise RecordError(f"{path} is missing or damaged. Remove {self.folder} and train it again.") from error

    def lines(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the lines of ``metrics.jsonl``, of one kind (``step``, ``evaluation``, ``skip``) or of all.

        What a rewind undid is left out; the rewind itself is a line of kind ``rewind``.
        """
        found = kept_lines(read_lines(self.folder / METRICS))
        return [line for line in found if kind in (None, line["kind"])]

    def evaluations(self) -> list[dict[str, Any]]:
        """Return the evaluations on the small fixed held-out sample, in order of steps: the learning curve."""
        return self.lines("evaluation")

    def scores(self) -> list[Score]:
        """Return the score of every held-out document, in the order of the tokens' held-out split."""
        return [Score.model_validate(line) for line in read_lines(self.folder / SCORES)]


def kept_lines(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the metrics that led to the final weights: without those of steps that were undone by a rewind."""
    found: list[dict[str, Any]] = []
    for line in lines:
        if line.get("kind") == "rewind":
            # a skip after update n is of the step after it
            found = [other for other in found if other["kind"] == "rewind"
                     or other["step"] + (other["kind"] == "skip") <= line["step"]]  # fmt: skip
        found.append(line)
    return found


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines file; a last line that is not yet whole is passed over.

    Raises:
        RecordError: the file is missing, or a line is no JSON object.
    """
    return list(_lines(path))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror}). Expected the metrics of a run.") from error
    whole, _, _ = text.rpartition("\n")
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise RecordError(f"{path}:{number}: this is not a JSON object. The file was edited or damaged.") from error
