"""Documents for tests of selection, and the means to run a step over them."""

from __future__ import annotations

import random

from pilotlight.corpus.document import Document
from pilotlight.corpus.pile import Pile, make_split, read_decisions
from pilotlight.corpus.ranking import summary
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool

COOKING = [
    "pan",
    "oil",
    "onion",
    "garlic",
    "salt",
    "simmer",
    "stir",
    "soup",
    "bread",
    "flour",
    "butter",
    "oven",
    "bake",
    "dish",
    "pepper",
    "sauce",
    "boil",
    "chop",
]
LAW = [
    "court",
    "judge",
    "article",
    "decree",
    "clause",
    "appeal",
    "statute",
    "party",
    "contract",
    "rights",
    "claim",
    "order",
    "case",
    "tribunal",
    "act",
]
SEA = [
    "boat",
    "harbour",
    "wave",
    "sail",
    "anchor",
    "tide",
    "captain",
    "deck",
    "storm",
    "coast",
    "fish",
    "net",
    "island",
    "rope",
    "crew",
    "wind",
    "salt",
    "mast",
]
SUBJECTS = {"cooking": COOKING, "law": LAW, "sea": SEA}


def document(text, number, source="one", language="en", **facts):
    return Document(text, f"{number:032x}", source, f"a#{number}", {"content": "prose", "language": language, **facts})


def prose(words, count, seed):
    draw = random.Random(seed)
    return " ".join(draw.choice(words) for _ in range(count)) + "."


def mixed(count=300, seed=0):
    """Documents of two sources, two languages, three subjects and many lengths."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        subject = draw.choice(sorted(SUBJECTS))
        found.append(
            document(
                prose(SUBJECTS[subject], draw.choice([8, 20, 60, 150]), number), number,
                source=subject, language=draw.choice(["en", "en", "ca"]),
            )
        )  # fmt: skip
    return found


def decide(step, splits, folder, then=summary):
    """The decisions of a step on documents in splits, by id, and what ``then`` returns for a unit of decisions."""
    with Pool(0) as inline:
        flow = Flow(folder, inline)
        pile = Pile(flow, "chosen", tuple(make_split(folder / "given", split, flow) for split in splits))
        units = step.decide(pile)
        assert len(units) == len(pile.splits)
        found = {}
        for unit in units:
            found |= read_decisions(unit)
        return found, then(units[0])


def kept(decisions, documents):
    return {one.id for one in documents if one.id not in decisions or not decisions[one.id].drop}
