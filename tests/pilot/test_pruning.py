"""Trials are given up by bounds that were fixed before, after a kill as well."""

from __future__ import annotations

import json

import made_up_search
import pytest

from pilotlight.events import silent
from pilotlight.pilot.pruning import Bounds, Pruned, bounds
from pilotlight.pilot.search_settings import Prune
from pilotlight.train.events import Evaluated

TOLD = {"shares": [0.3, 0.5, 0.9], "losses": [3.0, 2.0, 1.0], "runs": 6, "keep": 0.5}


def of(tmp_path, told=TOLD) -> Bounds:
    return Bounds.of({"prune": told, "plan": {"steps": 100}, "out": str(tmp_path)})


def ended(tmp_path, rates) -> list:
    """Finished made-up runs at some learning rates, all of one seed."""
    folders = []
    for place, rate in enumerate(rates):
        plan = {"train": {"optim": {"lr": rate}}, "model": {"feedforward": {"kind": "gelu"}}, "seed": 0, "steps": 10}
        made_up_search.train({"plan": plan, "out": str(tmp_path / str(place))}, silent)
        folders.append(tmp_path / str(place))
    return folders


def test_bounds_are_the_quantile_of_the_losses_at_every_share_of_the_steps(tmp_path):
    made_up_search.KILLED.clear()
    folders = ended(tmp_path, [0.001, 0.004, 0.03])
    losses = sorted(json.loads((folder / "run.json").read_text())["metrics"]["bits_per_byte"] for folder in folders)
    found = bounds(folders, Prune(keep=0.5, after=0.3, least=3))
    assert min(found["shares"]) == 0.3
    assert found["losses"][found["shares"].index(0.5)] == pytest.approx(losses[1] * 1.2)
    assert bounds(folders, Prune(least=4)) is None
    harsh, mild = (bounds(folders, Prune(keep=keep, least=3))["losses"][0] for keep in (0.1, 0.9))
    assert harsh < found["losses"][0] < mild


def test_a_trial_is_judged_between_the_bounds_and_not_before_or_at_the_end(tmp_path):
    seen = []
    watch = of(tmp_path).watching(seen.append)
    for step, loss in ((10, 99.0), (40, 2.49), (50, 2.0), (95, 99.0), (100, 99.0)):
        watch(Evaluated(step, "bits_per_byte", {"bits_per_byte": loss}))
    assert len(seen) == 5
    with pytest.raises(
        Pruned, match=r"step 40 of 100: 2\.5100 bits per byte.*50 % of 6 earlier trials were below 2\.5000"
    ):
        watch(Evaluated(40, "bits_per_byte", {"bits_per_byte": 2.51, "perplexity": float("inf")}))


def test_not_a_number_is_given_up(tmp_path):
    with pytest.raises(Pruned) as end:
        of(tmp_path).watching(silent)(Evaluated(40, "bits_per_byte", {"bits_per_byte": float("nan")}))
    assert end.value.metrics == {}


def test_what_was_evaluated_before_a_kill_counts(tmp_path):
    (tmp_path / "plan.json").write_text("{}", encoding="utf-8")
    lines = [{"kind": "step", "step": 40, "loss": 9.0}, {"kind": "evaluation", "step": 40, "bits_per_byte": 2.6}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(Pruned):
        of(tmp_path).look_back()
    of(tmp_path, None).look_back()


def test_without_bounds_nobody_judges(tmp_path):
    assert of(tmp_path, None).watching(silent) is silent
