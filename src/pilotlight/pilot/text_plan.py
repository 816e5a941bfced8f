"""The text part of a plan alone: what `pilot corpus` and `pilot tokens` need of a file."""

from __future__ import annotations

from pathlib import Path
from typing import final

from pilotlight.corpus.recipe import Recipe
from pilotlight.errors import ConfigError
from pilotlight.pilot.pilot import Pilot
from pilotlight.plan_file import anchored, load, read_yaml
from pilotlight.spec import Spec
from pilotlight.tokens.tokenizer import Tokenizer
from pilotlight.tokens.tokenizers.bpe import BPE


@final
class TextPlan(Spec):
    """A file with the text and the tokenizer of a plan and nothing else."""

    corpus: Recipe
    """Where the text comes from and what is done to it."""
    tokenizer: Tokenizer = BPE()
    """What turns the text into ids."""


def load_text(path: Path) -> TextPlan:
    """Return the text part of a pilot file, or of a file that holds only ``corpus`` (and ``tokenizer``).

    Raises:
        ConfigError: the file cannot be read or holds mistakes, each named at its line and column.
    """
    data, _ = read_yaml(path)
    if misplaced := sorted(set(data) & set(Recipe.model_fields)):
        raise ConfigError(
            f"{path}: {', '.join(misplaced)} stand at the top. Write them indented below a line `corpus:`."
        )
    if set(data) <= set(TextPlan.model_fields):
        return anchored(load(path, TextPlan), path.parent)
    pilot = Pilot.load(path)
    return TextPlan(corpus=pilot.corpus, tokenizer=pilot.tokenizer)
