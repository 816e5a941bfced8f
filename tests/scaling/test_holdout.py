from __future__ import annotations

from ladder_examples import chinchilla, grid, ladder

from pilotlight.scaling.holdout import folds
from pilotlight.scaling.points import gather


def test_every_fold_predicts_cells_that_lie_beyond_what_it_fits():
    cells = gather(grid(chinchilla))
    found = folds(cells)
    assert len(found) >= 3
    for fold in found:
        assert not (fold.fitted & fold.held).any()
        assert (cells.only(fold.fitted).distance(cells.logs[fold.held]) >= 0.2).all()


def test_the_corner_holds_out_size_and_tokens_together():
    cells = gather(grid(chinchilla))
    corner = next(fold for fold in folds(cells) if fold.what == "size and tokens together")
    for axis in (0, 1):
        assert cells.logs[corner.held, axis].min() > cells.logs[corner.fitted, axis].max()


def test_a_ladder_of_three_rungs_still_holds_out_its_largest():
    (fold,) = folds(gather(ladder(chinchilla)))
    assert fold.held.tolist() == [False, False, True]
