"""Every augmentation keeps these promises."""

from __future__ import annotations

import numpy as np
import pytest

from pilotlight.spec import discover
from pilotlight.train.augmentations import Augmentation
from pilotlight.train.examples import Draws, Vocabulary

ROWS, CONTEXT, SIZE = 40, 60, 50
VOCABULARY = Vocabulary(SIZE, 0, SIZE + 7)
DRAWS = Draws(3, "augmentation 0", 7)
SETTINGS = [*discover(Augmentation.folder), {"kind": "token_dropout", "by": "another"}]

pytestmark = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def inputs(seed: int = 0) -> np.ndarray:
    """Rows of words from 1 to 49, some end tokens, some ids past the tokenizer's."""
    random = np.random.default_rng(seed)
    found = random.integers(1, SIZE, (ROWS, CONTEXT))
    found[random.random(found.shape) < 0.05] = 0
    found[random.random(found.shape) < 0.05] = SIZE + 3
    return found


def changed(settings, given, draws=DRAWS, **more):
    named = {"kind": settings} if isinstance(settings, str) else settings
    return Augmentation.choose(named | more).change(given, draws, VOCABULARY)


def test_it_keeps_the_shape_and_gives_known_ids(settings):
    given = inputs()
    kept = given.copy()
    found = changed(settings, given)
    part = Augmentation.choose(settings)
    assert (given == kept).all()
    assert found.shape == given.shape
    assert found.dtype == np.int64
    new = found[found != given]
    assert ((new < SIZE) | ((new >= VOCABULARY.extra) & (new < VOCABULARY.extra + part.extra_ids))).all()


def test_end_tokens_masks_and_sentinels_stay(settings):
    given = inputs()
    found = changed(settings, given, rate=0.9)
    fixed = (given == 0) | (given >= SIZE)
    assert (found[fixed] == given[fixed]).all()


def test_about_the_share_that_was_asked_for_is_changed(settings):
    given = inputs()
    words = (given != 0) & (given < SIZE)
    for rate in (0.1, 0.4):
        share = (changed(settings, given, rate=rate) != given)[words].mean()
        assert share == pytest.approx(rate, abs=0.05)
    assert (changed(settings, given, rate=0.0) == given).all()


def test_a_row_is_a_function_of_seed_step_place_and_text_alone(settings):
    given = inputs()
    others = np.concatenate([given[:5], inputs(seed=1)[5:]])
    assert (changed(settings, given)[:5] == changed(settings, others)[:5]).all()
    for draws in (Draws(3, "augmentation 0", 8), Draws(4, "augmentation 0", 7), Draws(3, "augmentation 1", 7)):
        assert (changed(settings, given) != changed(settings, given, draws)).any()
