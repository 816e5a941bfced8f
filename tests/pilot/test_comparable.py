"""Objectives are compared on a task, never on losses; a pilot whose goal is a task."""

from __future__ import annotations

import json
import random

import pytest
import yaml
from made_up_results import LADDER, World, decision_of, pilot_of, results_of

import tiny_pilot
from pilotlight.errors import ConfigError
from pilotlight.pilot.execute import run
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.task_goal import check_task
from pilotlight.record.decision import Launch
from pilotlight.record.results import Results

MASKED = {"masked": {"set": {"train.objective.kind": "masked"}}}


@pytest.fixture
def task(tmp_path):
    """Which word does the text go on with? Half of the rows can be known from the grammar of the tiny text."""
    draw = random.Random(5)
    rows = []
    for number in range(40):
        words = tiny_pilot.sentence(draw).split()
        wrong = " ".join(draw.sample(words[3:], len(words[3:])))
        choices = [" ".join(words[3:]), wrong]
        answer = number % 2
        rows.append(
            {"context": " ".join(words[:3]), "choices": choices if not answer else choices[::-1], "answer": answer}
        )
    path = tmp_path / "order.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def goal(task, **more):
    return {"metric": "accuracy", "task": str(task), "target": 0.95} | more


def test_another_objective_is_refused_with_the_way_out():
    for kind in ("masked", "span", "prefix", "fill_in_the_middle"):
        pilot = pilot_of(variants={"other": {"set": {"train.objective.kind": kind}}})
        with pytest.raises(
            ConfigError, match=rf"variants\.other.*next_token to {kind}.*goal\.metric to accuracy and goal\.task"
        ):
            pilot.check()


def test_settings_of_one_objective_compare(task):
    pilot_of(variants={"z": {"set": {"train.objective.z_loss": 1e-4}}}).check()
    pilot_of(
        train={"rows": 8, "context": 64, "objective": "masked"}, goal={"metric": "masked_nats_per_token"},
        variants={"more": {"set": {"train.objective.rate": 0.3}}},
    ).check()  # fmt: skip


def test_other_objectives_and_tokenizers_compare_on_a_task(task):
    pilot_of(goal=goal(task), variants=MASKED | {"bpe": {"set": {"tokenizer.kind": "bpe"}}}).check()


def test_a_masked_baseline_has_no_bits_per_byte():
    train = {"rows": 8, "context": 64, "objective": "masked"}
    for metric in ("bits_per_byte", "perplexity"):
        with pytest.raises(ConfigError, match=rf"goal\.metric: .*no {metric}; set it to masked_nats_per_token"):
            pilot_of(train=train, goal={"metric": metric}).check()
    with pytest.raises(ConfigError, match="set it to bits_per_byte"):
        pilot_of(goal={"metric": "masked_nats_per_token"}).check()


def test_masked_losses_of_two_tokenizers_do_not_compare():
    pilot = pilot_of(
        train={"rows": 8, "context": 64, "objective": "masked"}, goal={"metric": "masked_nats_per_token"},
        variants={"bpe": {"set": {"tokenizer.kind": "bpe"}}},
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"changes the tokenizer.*goal\.task"):
        pilot.check()


def test_a_mixer_that_cannot_look_both_ways_is_refused_with_the_variants_name(task):
    variants = {"both": {"set": {"train.objective.kind": "masked", "model.mixer.kind": "gated_convolution"}}}
    with pytest.raises(ConfigError, match=r"variants\.both: .*gated_convolution cannot do"):
        pilot_of(goal=goal(task), variants=variants).check()


def test_a_metric_of_a_task_and_its_file_belong_together(task, tmp_path):
    wrong = [
        ({"metric": "accuracy"}, r"goal\.metric: 'accuracy' is measured on a task"),
        (goal(tmp_path / "gone.jsonl"), r"goal\.task: .* is not a file"),
        ({"task": str(task)}, r"goal\.task: bits_per_byte is measured on held-out text"),
        (goal(task, target=1.5), r"goal\.target: 1\.5 of accuracy cannot be reached"),
    ]
    for given, words in wrong:
        with pytest.raises(ConfigError, match=words):
            pilot_of(goal={"target": 0.9} | given).check()
    with pytest.raises(ConfigError, match="has no f1; it has accuracy, accuracy_by_total"):
        check_task(pilot_of(goal=goal(task, metric="f1")).goal)
    check_task(pilot_of(goal=goal(task)).goal)


def test_the_file_of_the_task_is_part_of_what_is_fixed_before_the_first_trial(task):
    before = pilot_of(goal=goal(task)).criteria
    task.write_text(task.read_text() * 2)
    assert pilot_of(goal=goal(task)).criteria != before


def _accurate(pilot, world):
    """Results in which accuracy is what bits per byte are not: high where the loss is low."""
    rows = results_of(pilot, world).rows
    told = [
        row.model_copy(update={"metrics": row.metrics | {"accuracy": 1 / row.metrics["bits_per_byte"]}}) for row in rows
    ]
    return Results(rows=tuple(told))


def test_more_right_answers_are_better_and_no_launch_is_foretold_from_them(task):
    world = World(effects={"gelu": -0.03, "half_lr": 0.03})
    named = pilot_of(scales=list(LADDER[:2]))
    results = _accurate(named, world)
    pilot = pilot_of(goal=goal(task), scales=list(LADDER[:2]))
    found = decision_of(pilot, results=results)
    verdicts = {finding.variant: finding.verdict for finding in found.findings}
    assert (verdicts["gelu"], verdicts["half_lr"]) == ("ADOPT", "REJECT")
    assert found.launch is Launch.MORE_EVIDENCE
    target = next(check for check in found.checks if check.name == "target")
    assert target.threshold.startswith("at least 0.95")
    assert "another pilot, on bits_per_byte" in target.way_out
    assert not any("downstream" in one for one in found.not_tested)


@pytest.mark.slow
def test_two_objectives_are_trained_and_compared_on_a_task(task, tiny_text, tmp_path):
    from pilotlight.record.scores import read_scores

    path = tiny_pilot.write_plan(
        tmp_path / "plan.yaml", tiny_text, goal=goal(task, target=0.99),
        variants={"slow": None, "gelu": None} | MASKED, scales=[{"parameters": "2k", "tokens": 2000}], repeats=0, confirm=0,
    )  # fmt: skip
    assert yaml.safe_load(path.read_text())["variants"] == MASKED
    pilot = Pilot.load(path)
    pilot.check()
    tiny_pilot.keep_calibration(pilot, 1)
    found = run(pilot, tmp_path / "out", workers=1)
    results = Results.open(tmp_path / "out")
    assert {row.status for row in results.rows} == {"finished"}
    for row in results.rows:
        assert 0 <= row.metrics["accuracy"] <= 1
        assert ("bits_per_byte" in row.metrics) == (row.variant == "baseline")
    assert [finding.variant for finding in found.findings] == ["masked"]
    [folder] = (tmp_path / "out" / "runs" / results.rows[0].name / "scores").iterdir()
    assert read_scores(folder, json.loads((folder / "manifest.json").read_text())["fingerprint"]) is not None
