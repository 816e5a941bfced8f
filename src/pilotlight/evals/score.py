"""Scoring: every model on every task, reusing what is finished, and the table of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from pilotlight.errors import ConfigError
from pilotlight.evals.arms import Arm, Member
from pilotlight.evals.held_out import held_out, stored
from pilotlight.evals.likelihood import likelihoods
from pilotlight.evals.measure import Measure, masked_loss, pseudo
from pilotlight.evals.reading import Loaded, load
from pilotlight.evals.settings import Scoring
from pilotlight.events import Note, Watcher, silent
from pilotlight.record.scores import FOLDER, Difference, ItemScore, Scored, ScoreTable, read_scores, write_scores
from pilotlight.spec import canonical, fingerprint, plain
from pilotlight.stats.metric import METRICS

if TYPE_CHECKING:
    from pilotlight.evals.scorer import Scorer

_PER_TOKEN = ("perplexity", "pseudo_bits_per_byte", "pseudo_perplexity", "masked_nats_per_token")
VERSION = 1
"""Of the way options are scored; a new one makes finished scores be made again."""
Runs = dict[str, list[ItemScore]]


def score(
    arms: Sequence[Arm], files: Sequence[Path] = (), *, kind: str = "", task: Mapping[str, Any] | None = None,
    scoring: Scoring | None = None, watch: Watcher = silent,
) -> ScoreTable:  # fmt: skip
    """Return what ``arms`` come to on every file, and the differences of the later arms to the first.

    Finished scores are read again, the rest is computed and written. Without a file the held-out text of the runs is
    the task.

    Args:
        arms: the models, from ``arms.find``.
        files: tasks, see ``reading.load``.
        kind: of the tasks; by default told from their fields.
        task: settings of the tasks.
        scoring: how scoring goes.
        watch: is told progress and what was set aside.

    Raises:
        DataError: a file is no task.
        ConfigError: a setting does not fit, or transformers is missing for a reference model.
        EvidenceError: the runs do not share their held-out text.
        RecordError: a model or finished scores are damaged.
    """
    from pilotlight.train.hardware import resolve, threads
    from pilotlight.train.machine import Machine

    scoring = scoring or Scoring()
    loaded = [load(path, kind, task, scoring.items, watch) for path in files] or [held_out(arms)]
    if len({item.name for item in loaded}) < len(loaded):
        raise ConfigError(
            "two files have the same name, so their scores could not be told apart; score them one by one."
        )
    machine = resolve(Machine.model_validate({"device": scoring.device, "threads": scoring.threads or "auto"}))
    with threads(int(machine.threads)):
        results = {
            arm.name: [
                [one.of(item) for item in loaded]
                for one in (_Scoring(member, arm.name, scoring, machine.device, watch) for member in arm.members)
            ]
            for arm in arms
        }
    return _table(arms, loaded, results)


def _table(arms: Sequence[Arm], loaded: list[Loaded], results: Mapping[str, list[list[_Result]]]) -> ScoreTable:
    scores: list[Scored] = []
    differences: list[Difference] = []
    for place, task in enumerate(loaded):
        runs = {name: [member[place].scores for member in members] for name, members in results.items()}
        facts = {name: [member[place].summary for member in members] for name, members in results.items()}
        here = [_together(task, arm, runs[arm.name], facts[arm.name]) for arm in arms]
        for arm, scored in zip(arms[1:], here[1:], strict=True):
            shown = (here[0].context, scored.context)
            caution = "" if shown[0] == shown[1] else f"the models see {shown[0]} and {shown[1]} tokens at a time"
            differences += _differences(task, arms[0], arm, runs, caution)
        scores += here
    folders = [str(one.folder) for members in results.values() for member in members for one in member if one.folder]
    return ScoreTable(scores=tuple(scores), differences=tuple(differences), folders=tuple(folders))


@final
@dataclass(frozen=True, slots=True)
class _Result:
    """What one model got on one task, and the folder that holds it, if it was written here."""

    scores: list[ItemScore]
    summary: Scored
    folder: Path | None


@final
class _Scoring:
    """One model on one task after the other; it is opened only if something has to be computed."""

    def __init__(self, member: Member, arm: str, scoring: Scoring, device: str, watch: Watcher) -> None:
        self._member = member
        self._arm = arm
        self._scoring = scoring
        self._device = device
        self._watch = watch
        self._scorer: Scorer | None = None

    def of(self, task: Loaded) -> _Result:
        """Return the scores, from the folder where they are finished."""
        member, scoring = self._member, self._scoring
        if task.is_held_out and member.kind == "run":
            scores = stored(member)
            return _Result(scores, self._summary(task, scores, self._trained_context()), None)
        settings = {
            "version": VERSION, "task": plain(task.task), "sha256": task.sha256, "items": len(task.items),
            "metrics": {found.name: METRICS[found.name].version for found in measures_of(task, member)
                        if found.name in METRICS},
            "model": member.fingerprint, "context": scoring.context,
            "spans": fingerprint([[span.context, span.continuation] for item in task.items for span in item.spans]),
        }  # fmt: skip
        mark = fingerprint(canonical(settings))
        folder = member.place(scoring.out) / FOLDER / f"{task.name}-{mark}"
        finished = read_scores(folder, mark)
        if finished is not None:
            self._watch(Note(f"{self._arm} {member.name}: {task.name} was scored before, in {folder}"))
            return _Result(finished[0], finished[1], folder)
        if self._scorer is None:
            self._scorer = open_model(member, self._device)
        scores = scores_of(self._scorer, task, f"{self._arm} {member.name}: {task.name}", scoring.context, self._watch)
        context = min(self._scorer.context, scoring.context or self._scorer.context)
        summary = self._summary(task, scores, context)
        if summary.cut_prompts:
            self._watch(Note(
                f"{self._arm} {member.name}: {summary.cut_prompts} of {len(scores)} prompts of {task.name} are longer "
                f"than the context of {context} tokens and were cut on the left", "warning",
            ))  # fmt: skip
        write_scores(folder, mark, settings, summary, scores, task.refused)
        return _Result(scores, summary, folder)

    def _trained_context(self) -> int:
        from pilotlight.record.run import Run

        return int(Run.open(self._member.folder).plan["train"]["context"])

    def _summary(self, task: Loaded, scores: list[ItemScore], context: int) -> Scored:
        return Scored(
            task=task.name, kind=task.task.kind, model=self._arm, runs=(self._member.name,), items=len(scores),
            refused=len(task.refused), context=context, cut_prompts=sum(item.cut > 0 for item in scores),
            measures=tuple(measure.of([scores]) for measure in measures_of(task, self._member)),
        )  # fmt: skip


def measures_of(task: Loaded, member: Member) -> tuple[Measure, ...]:
    """Return the metrics that a model has on a task: what a masked model gives a text is no likelihood."""
    found = task.task.measures(task.items)
    if member.writes:
        return found
    return (masked_loss(),) if task.is_held_out and member.kind == "run" else pseudo(found)


def open_model(member: Member, device: str) -> Scorer:
    """Return the member's model, ready to score.

    Raises:
        RecordError: its files are damaged.
        ConfigError: transformers is missing for a reference model.
    """
    if member.kind == "reference":
        from pilotlight.evals.hugging_face import HuggingFaceModel

        return HuggingFaceModel(member.folder, device)
    if not member.writes:
        from pilotlight.evals.own_encoder import OwnEncoder

        return OwnEncoder.open(member.folder, device)
    from pilotlight.evals.own_model import OwnModel

    return OwnModel.open(member.folder, device)


def scores_of(
    scorer: Scorer, task: Loaded, name: str = "scoring", context: int | None = None, watch: Watcher = silent
) -> list[ItemScore]:
    """Return the score of every item of a task by one model."""
    groups = [item.spans for item in task.items]
    found = iter(likelihoods(
        scorer, [span for group in groups for span in group], task=name, context=context, watch=watch
    ))  # fmt: skip
    scores: list[ItemScore] = []
    for item, group in zip(task.items, groups, strict=True):
        parts = [next(found) for _ in group]
        scores.append(ItemScore(
            item=item.id, nats=tuple(part.nats for part in parts), tokens=tuple(part.tokens for part in parts),
            bytes=tuple(span.bytes for span in group), right=item.right, cut=max(part.cut for part in parts),
        ))  # fmt: skip
    return scores


def _together(task: Loaded, arm: Arm, runs: list[list[ItemScore]], facts: list[Scored]) -> Scored:
    if len(runs) == 1:
        # A finished score may bear the name the model had then.
        return facts[0].model_copy(update={"model": arm.name, "runs": (arm.members[0].name,)})
    return facts[0].model_copy(update={
        "model": arm.name, "runs": tuple(member.name for member in arm.members),
        "cut_prompts": max(fact.cut_prompts for fact in facts),
        "measures": tuple(measure.of(runs) for measure in measures_of(task, arm.members[0])),
    })  # fmt: skip


def pairs(old: Arm, new: Arm) -> tuple[list[int], list[int], str]:
    """Return which runs of two arms are compared with each other, and a caution where they share no seed.

    Runs of one seed share their data order, so they are paired. A single model is compared with every run of the other.
    """
    left, right = ({member.name: place for place, member in enumerate(arm.members)} for arm in (old, new))
    shared = [name for name in left if name in right]
    if len(shared) > 1 or (len(left) == len(right) == 1):
        return [left[name] for name in shared] or [0], [right[name] for name in shared] or [0], ""
    if len(left) == 1 or len(right) == 1:
        count = max(len(left), len(right))
        one, more = (old, new) if len(left) == 1 else (new, old)
        caution = f"{one.name} is one model: its own seed noise is not included"
        return (
            [0] * count if one is old else list(range(count)),
            list(range(count)) if more is new else [0] * count, caution,
        )  # fmt: skip
    count = min(len(left), len(right))
    return list(range(count)), list(range(count)), "the runs share no two seeds and are paired in order"


def _differences(
    task: Loaded, old: Arm, new: Arm, runs: Mapping[str, list[list[ItemScore]]], context: str
) -> list[Difference]:
    left, right, pairing = pairs(old, new)
    found: list[Difference] = []
    shared = {measure.name for measure in measures_of(task, old.members[0])}
    for measure in measures_of(task, new.members[0]):
        if measure.name not in shared:
            continue  # a likelihood and a pseudo-likelihood are different things
        if measure.name in _PER_TOKEN and not _same_tokens(runs[old.name][0], runs[new.name][0]):
            continue  # tokens of two tokenizers are different units
        estimate = measure.difference([runs[new.name][i] for i in right], [runs[old.name][i] for i in left])
        cautions = (*estimate.cautions, *(caution for caution in (pairing, context) if caution))
        found.append(Difference(
            task=task.name, model=new.name, against=old.name, metric=measure.name, better=measure.better,
            estimate=estimate.model_copy(update={"cautions": cautions}),
        ))  # fmt: skip
    return found


def _same_tokens(left: list[ItemScore], right: list[ItemScore]) -> bool:
    return bool(np.array_equal([sum(score.tokens) for score in left], [sum(score.tokens) for score in right]))
