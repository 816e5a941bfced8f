"""Where the corpus comes from: recipe, input, versions and licences, and the commands that make it again or ask it."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, ClassVar, final

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.summaries.licences import licences
from pilotlight.report.block import Block, Cell, Code, Facts, Fold, Piece, Table
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import amount_cell
from pilotlight.report.section import Slot
from pilotlight.report.wording import counted
from pilotlight.spec import plain

_COMMANDS = """\
pilot corpus build recipe.yaml --out DIR          # this corpus again: the same bytes from the same input
pilot corpus why DIR ID                           # why a document is where it is; ID as it stands below the samples
pilot corpus sample DIR --step near --count 20    # more documents to look at
pilot corpus report DIR --before OTHER            # this page, beside another corpus
pilot corpus card DIR                             # the data card, for publishing"""


@final
class Provenance(CorpusSection):
    """Everything needed to check the corpus or to make it again."""

    slot: ClassVar[Slot] = Slot.APPENDIX
    order: ClassVar[int] = 10
    title: ClassVar[str] = "Provenance"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return fingerprints, versions, licences, recipe and commands."""
        manifest = study.summary.corpus.manifest
        made = [("corpus", Cell(manifest.fingerprint, "recipe and content of all input", code=True))]
        made += [(name, Cell(version)) for name, version in manifest.versions.items()]
        sources = [
            (
                Cell(name, f"{facts.kind}, {counted(facts.files, 'file')}"), Cell(manifest.inputs.get(name, "–")[:16], code=True),
                Cell(", ".join(f"{count} {ending}" for ending, count in facts.passed_over.items()) or "–"),
            )
            for name, facts in study.summary.facts.sources.items()
        ]  # fmt: skip
        pieces: list[Piece] = [
            Facts(tuple(made)),
            Table(("Source", "Content (hash)", "Files passed over"), tuple(sources)),
            *_licences(study),
            Code(_COMMANDS + _try(study)),
            Fold("The recipe, every default filled in", (Code(recipe_yaml(study)),)),
        ]
        return Block(
            "The same recipe over the same input gives the same bytes, on any machine and with any number of workers.",
            tuple(pieces),
        )


def _try(study: CorpusStudy) -> str:
    """Return the command that tries a threshold of this recipe; empty where no filter has one."""
    dropped = study.summary.facts.dropped
    for name, step in sorted(study.summary.steps.items(), key=lambda item: item[0] not in dropped):
        fields: list[str] = sorted(type(step).model_fields) if isinstance(step, Filter) else []
        for field in fields:
            value = getattr(step, field)
            if isinstance(value, int | float) and not isinstance(value, bool):
                command = f"pilot corpus try DIR --set {name}.{field}={value:g}"
                return f"\n{command:<50}# what another threshold would keep, without building"
    return ""


def recipe_yaml(study: CorpusStudy, *, folders: bool = True) -> str:
    """Return the recipe as a file that can be built again; without ``folders``, files are named but not where they are."""
    import yaml

    recipe = plain(study.summary.recipe)
    recipe = recipe if folders else _without_folders(recipe)
    return yaml.safe_dump({"corpus": recipe}, sort_keys=False, allow_unicode=True, width=100)


def _without_folders(value: Any) -> Any:
    """Return settings in which absolute paths are their last part: a published card tells nothing of a machine."""
    if isinstance(value, dict):
        return {key: _without_folders(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_without_folders(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, str) and (PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()):
        return PureWindowsPath(value).name or value
    return value


def _licences(study: CorpusStudy) -> list[Piece]:
    found, complete = licences(study.summary)
    if not found:
        return []
    rows = [
        (Cell(source), Cell(name), amount_cell(amount))
        for source, names in found.items() for name, amount in sorted(names.items(), key=lambda item: -item[1].bytes)[:8]
    ]  # fmt: skip
    caption = "Of the text that is trained on, as far as its documents say." + (
        "" if complete else " Counted in eight of the files."
    )
    return [Table(("Source", "Licence", "Documents"), tuple(rows), frozenset({"Documents"}), caption)]
