"""Other parts of the text on the page: whether the held-out text is like the rest."""

from __future__ import annotations

import pytest
from study_folder import Wish, write_study

from pilotlight.report.sections.folds import Folds
from pilotlight.report.study import Study


@pytest.mark.parametrize(("first", "told"), [
    (1.66, "is like the others"), (1.9, "is harder than the others"), (1.4, "is easier than the others"),
])  # fmt: skip
def test_it_says_whether_the_held_out_text_is_like_the_rest(tmp_path, first, told):
    study = Study.read(write_study(tmp_path / "out", Wish(folds=(first, 1.69, 1.64, 1.68, 1.67))))
    block = Folds().write(study)
    assert told in block.lead
    assert "enters no verdict" in block.lead
    cells = dict(block.pieces[0].pairs)
    assert cells["The held-out text"].text == f"{first:.3f}"[: len(cells["The held-out text"].text)]
    assert (cells["It lies apart by"].tone == "open") == (first != 1.66)


def test_parts_that_failed_are_said(tmp_path):
    study = Study.read(write_study(tmp_path / "out"))
    found = study.decision.cross_validation
    lost = found.score.model_copy(update={"cautions": ("1 of 6 trainings failed",)})
    study.decision.__dict__["cross_validation"] = found.model_copy(update={"score": lost})
    assert "1 of 6 trainings failed" in str(Folds().write(study).pieces[1])
