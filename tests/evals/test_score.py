from __future__ import annotations

import json
import shutil

import pytest
from eval_examples import SetByHand, planted, write_rows

from pilotlight.errors import ConfigError, DataError, EvidenceError, RecordError
from pilotlight.evals.arms import find
from pilotlight.evals.reading import load
from pilotlight.evals.score import pairs, score, scores_of
from pilotlight.evals.settings import Scoring
from pilotlight.record.run import Run

ONE = Scoring(device="cpu", threads=1)


def estimates(scored):
    return {measured.metric: measured.estimate for measured in scored.measures}


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of the trained runs, to write scores into."""
    return shutil.copytree(trained, tmp_path / "study")


@pytest.fixture
def task(tmp_path):
    return planted(tmp_path / "planted.jsonl")


def test_likelihoods_set_by_hand_give_the_accuracy_they_must(tmp_path):
    rows = [{"question": "?", "choices": ["aaaa", "bbbb"], "answer": right} for right in (0, 0, 0, 1)]
    loaded = load(write_rows(tmp_path / "t.jsonl", rows))
    found = scores_of(SetByHand(cheap="a"), loaded)
    assert [(one.nats, one.bytes) for one in found] == [((3.0, 5.0), (5, 5))] * 4
    named = {measure.name: measure.of([found]).estimate.value for measure in loaded.task.measures(loaded.items)}
    assert named["accuracy"] == 0.75
    # the same two options in every row: labels, so averages over them mean something
    assert named["recall"] == pytest.approx(0.5)


def test_a_model_that_knows_the_sentence_gets_the_planted_task_right(folder, task):
    [arm] = find([folder / "runs" / "lamp" / "tiny" / "seed0"])
    found = score([arm], [task], scoring=ONE)
    [scored] = found.scores
    assert estimates(scored)["accuracy"].value == 1.0
    assert estimates(scored)["bits_per_byte"].value < 1
    assert scored.measures[0].chance == pytest.approx(1 / 3)
    assert scored.items == 12


def test_scores_lie_beside_the_run_and_are_used_again(folder, task):
    run = folder / "runs" / "lamp" / "tiny" / "seed0"
    arms = find([run])
    first = score(arms, [task], scoring=ONE)
    [place] = (run / "scores").iterdir()
    assert place.name.startswith("planted-")
    assert first.folders == (str(place),)
    assert len((place / "items.jsonl").read_text().splitlines()) == 12
    assert json.loads((place / "summary.json").read_text())["measures"][0]["estimate"]["value"] == 1.0
    said = []
    assert score(arms, [task], scoring=ONE, watch=said.append) == first
    assert any("scored before" in getattr(event, "text", "") for event in said)
    other = score(arms, [task], kind="choice", task={"prompt": "{context}!"}, scoring=ONE)
    assert other.folders != first.folders
    (place / "items.jsonl").write_text("{}\n")
    with pytest.raises(RecordError, match=r"items\.jsonl"):
        score(arms, [task], scoring=ONE)


def test_runs_of_one_set_up_are_one_model_whose_interval_carries_seed_noise(folder, task):
    runs = [folder / "runs" / "lamp" / "tiny" / f"seed{seed}" for seed in range(3)]
    [arm] = find(runs)
    assert [member.name for member in arm.members] == ["seed0", "seed1", "seed2"]
    assert arm == find([folder / "runs" / "lamp" / "tiny"])[0]
    three = estimates(score([arm], [task], scoring=ONE).scores[0])["bits_per_byte"]
    one = estimates(score(find(runs[:1]), [task], scoring=ONE).scores[0])["bits_per_byte"]
    assert (one.n, three.n) == (12, 3)
    assert any("noise between seeds" in caution for caution in one.cautions)
    assert not any("noise between seeds" in caution for caution in three.cautions)


def test_held_out_text_is_the_task_where_no_file_is_given(folder):
    run = folder / "runs" / "lamp" / "tiny" / "seed0"
    found = score(find([run]), scoring=ONE)
    assert estimates(found.scores[0])["bits_per_byte"].value == pytest.approx(
        Run.open(run).facts.metrics["bits_per_byte"]
    )
    assert not found.folders


def test_scoring_the_held_out_text_again_gives_what_training_wrote(folder):
    from pilotlight.evals.held_out import _items, stored
    from pilotlight.evals.own_model import OwnModel
    from pilotlight.evals.reading import Loaded
    from pilotlight.evals.tasks.passage import Passage

    [arm] = find([folder / "runs" / "lamp" / "tiny" / "seed0"])
    member = arm.members[0]
    again = scores_of(OwnModel.open(member.folder), Loaded("t", Passage(), tuple(_items(member)), (), ""))
    for new, old in zip(again, stored(member), strict=True):
        assert (new.item, new.tokens, new.bytes) == (old.item, old.tokens, old.bytes)
        assert new.nats[0] == pytest.approx(old.nats[0], rel=1e-4)


def test_two_models_are_compared_on_the_same_items(folder, task):
    arms = find([folder / "runs" / "lamp" / "tiny", folder / "runs" / "short" / "tiny" / "seed0"])
    assert [arm.name for arm in arms] == ["lamp/tiny", "short/tiny"]
    found = score(arms, [task], scoring=ONE)
    differences = {one.metric: one for one in found.differences}
    bits = differences["bits_per_byte"]
    assert (bits.model, bits.against, bits.better) == ("short/tiny", "lamp/tiny", "lower")
    assert bits.estimate.low > 0
    assert bits.estimate.n == 3
    assert any("one model" in caution for caution in bits.estimate.cautions)
    values = [estimates(scored)["bits_per_byte"].value for scored in found.scores]
    assert bits.estimate.value == pytest.approx(values[1] - values[0])


def test_runs_are_paired_by_seed():
    from pathlib import Path

    from pilotlight.evals.arms import Arm, Member

    def arm(name, *seeds):
        return Arm(name, tuple(Member(f"seed{seed}", Path(name), "run") for seed in seeds))

    assert pairs(arm("a", 0, 1, 2), arm("b", 2, 1)) == ([1, 2], [1, 0], "")
    assert pairs(arm("a", 0), arm("b", 5)) == ([0], [0], "")
    assert pairs(arm("a", 0), arm("b", 0, 1))[:2] == ([0, 0], [0, 1])
    assert pairs(arm("a", 0, 1), arm("b", 0))[:2] == ([0, 1], [0, 0])
    assert "paired in order" in pairs(arm("a", 0, 1), arm("b", 2, 3))[2]


def test_long_prompts_are_said_to_be_cut(folder, tmp_path):
    rows = [{"question": "long " * 30, "choices": ["a b", "c d"], "answer": n % 2} for n in range(4)]
    said = []
    run = folder / "runs" / "lamp" / "tiny" / "seed0"
    found = score(find([run]), [write_rows(tmp_path / "long.jsonl", rows)], scoring=ONE, watch=said.append)
    assert found.scores[0].cut_prompts == 4
    assert any("4 of 4 prompts" in getattr(event, "text", "") for event in said)


def test_folders_that_hold_no_model_are_refused_in_words(folder, tmp_path):
    with pytest.raises(DataError, match="holds no model"):
        find([tmp_path])
    with pytest.raises(DataError, match="holds a tokens"):
        find([folder / "tokens"])
    with pytest.raises(ConfigError, match="--variant"):
        find([folder / "runs" / "lamp" / "tiny"], ["x"])


def test_a_bare_model_folder_can_be_scored_on_a_file_but_has_no_held_out_text(folder, task, tmp_path):
    alone = shutil.copytree(folder / "runs" / "lamp" / "tiny" / "seed0" / "model", tmp_path / "alone")
    arms = find([alone])
    assert estimates(score(arms, [task], scoring=ONE).scores[0])["accuracy"].value == 1.0
    with pytest.raises(EvidenceError, match="no held-out text"):
        score(arms, scoring=ONE)


def test_a_damaged_model_is_refused(folder, task):
    run = folder / "runs" / "lamp" / "tiny" / "seed0"
    (run / "model" / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(RecordError, match=r"model\.safetensors"):
        score(find([run]), [task], scoring=ONE)
