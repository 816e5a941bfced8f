"""The held-out text of runs as a task: own runs have scored it already, a reference model is scored on the same text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pilotlight.errors import EvidenceError, RecordError
from pilotlight.evals.arms import Arm, Member
from pilotlight.evals.item import TextItem
from pilotlight.evals.reading import Loaded
from pilotlight.evals.tasks.passage import Passage
from pilotlight.manifest import NAME, read_manifest
from pilotlight.record.run import Run
from pilotlight.record.scores import ItemScore
from pilotlight.spec import fingerprint
from pilotlight.tokens.held_out import passages
from pilotlight.tokens.tokens import Tokens

TASK = "held-out"
_UP = 5
"""Folders above a run in which its tokens are looked for: runs/variant/scale/seed lies four below the pilot."""


def stored(member: Member) -> list[ItemScore]:
    """Return the scores that a run wrote when it ended, one item per held-out document."""
    return [
        ItemScore(item=score.item, nats=(score.nats,), tokens=(score.tokens,), bytes=(score.bytes,))
        for score in Run.open(member.folder, verify=True).scores()
    ]


def held_out(arms: Sequence[Arm]) -> Loaded:
    """Return the held-out text of the runs in ``arms`` as a task; without text where all of them have scored it.

    Raises:
        EvidenceError: there is no run, or the runs were scored on different text.
        RecordError: a model has to be scored on the text, and the tokens that hold it are gone.
    """
    members = [member for arm in arms for member in arm.members]
    runs = [member for member in members if member.kind == "run"]
    if not runs:
        raise EvidenceError(
            "no run was given, so there is no held-out text. Give a file to score, or a run beside the model."
        )
    scored = {member.folder: [(one.item, one.bytes) for one in stored(member)] for member in runs}
    first = scored[runs[0].folder]
    for member in runs:
        if scored[member.folder] != first:
            raise EvidenceError(
                f"{runs[0].folder} and {member.folder} were scored on different held-out text, so their losses do not "
                "compare. Give a file, which all of them are scored on."
            )
    items = () if len(runs) == len(members) else tuple(_items(runs[0]))
    if items and [(item.id, (item.spans[0].bytes,)) for item in items] != first:
        raise RecordError(f"the held-out text of {runs[0].folder} differs from what it was scored on. Train it again.")
    mark = fingerprint([list(pair) for pair in first])
    return Loaded(TASK, Passage(), items, (), mark, is_held_out=True)


def _items(member: Member) -> list[TextItem]:
    run = Run.open(member.folder)
    limit: Any = run.plan["train"]["score_bytes"]
    found = passages(tokens_of(run), float(limit))
    return [TextItem(passage.id, passage.text) for passage in found]


def tokens_of(run: Run) -> Tokens:
    """Return the packed text that a run was trained on, looked for in the folders above it.

    Raises:
        RecordError: it is not there.
    """
    wanted = run.manifest.inputs["tokens"]
    folder = Path(run.folder).resolve()
    for above in list(folder.parents)[:_UP]:
        for path in sorted([*above.glob(f"tokens/{NAME}"), *above.glob(f"tokens/*/{NAME}")]):
            if read_manifest(path.parent).fingerprint == wanted:
                return Tokens.open(path.parent)
    raise RecordError(
        f"the packed text of {run.folder} (fingerprint {wanted}) is in no folder `tokens` above it, so another model "
        "cannot be scored on its held-out text. Keep the run where it was trained, or give a file to score."
    )
