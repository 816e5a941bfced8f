"""Other parts of the text on the page: whether the held-out text is like the rest."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from study_folder import Wish, write_study

from pilotlight.report.sections.folds import Folds
from pilotlight.report.study import Study


@pytest.mark.parametrize(("first", "told"), [
    (1.66, "not told apart from the others: a difference below 4."), (1.9, "is harder than the others"),
    (1.4, "is easier than the others"),
])  # fmt: skip
def test_it_says_whether_the_held_out_text_is_like_the_rest(tmp_path, first, told):
    study = Study.read(write_study(tmp_path / "out", Wish(folds=(first, 1.69, 1.64, 1.68, 1.67))))
    block = Folds().write(study)
    assert told in block.lead
    assert "enters no verdict" in block.lead
    cells = dict(block.pieces[0].pairs)
    assert cells["The held-out text"].text == f"{first:.3f}"[: len(cells["The held-out text"].text)]
    assert (cells["Its difference from their mean"].tone == "open") == (first != 1.66)


def test_without_folds_it_is_silent(tmp_path):
    out = write_study(tmp_path / "out")
    decision = json.loads((out / "decision.json").read_text())
    del decision["cross_validation"]
    study = Study.read(out)
    old = replace(study, decision=type(study.decision).model_validate(decision))
    assert Folds().write(old) is None


def test_cautions_are_said(tmp_path):
    study = Study.read(write_study(tmp_path / "out"))
    found = study.decision.cross_validation
    lost = found.score.model_copy(update={"cautions": ("9 of 60 held-out documents are in more than one part",)})
    told = study.decision.model_copy(update={"cross_validation": found.model_copy(update={"score": lost})})
    assert "9 of 60 held-out documents" in str(Folds().write(replace(study, decision=told)).pieces[1])
