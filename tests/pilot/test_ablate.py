from __future__ import annotations

import pytest
from typer.testing import CliRunner

from pilotlight.cli import main
from pilotlight.errors import ConfigError
from pilotlight.pilot.ablate import PARTS, ablations, write_ablation
from pilotlight.pilot.pilot import Pilot, Setup

PLAN = """\
question: Is it good?
goal: {target: 2.0, full_run: {parameters: 1M, tokens: 20M}, hardware: {accelerator: this machine}}
corpus: {sources: [python_docs], steps: [unicode, exact, {kind: c4, only_annotate: true}]}
model: {mixer: {kind: grouped, head_dim: 16}, dropout: 0.1}
scales: [{parameters: 20k, tokens: 100k}, {parameters: 60k, tokens: 300k, baseline_only: true}]
"""


def test_every_part_that_is_there_is_taken_away_once_and_none_that_is_not(tmp_path):
    found = ablations(Setup.model_validate({"model": {"dropout": 0.1}, "corpus": {"steps": ["unicode", "exact"]}}))
    assert {"without_qk_norm", "without_gate", "without_position", "without_dropout", "without_clipping"} <= set(found)
    assert {"without_unicode", "without_exact"} <= set(found)
    assert not {"without_softcap", "without_experts", "without_pattern", "without_shared_heads"} & set(found)
    assert [step["kind"] for step in found["without_unicode"].set["corpus.steps"]] == ["exact"]


RICH = {
    "model": {
        "mixer": {"kind": "grouped", "head_dim": 16}, "pattern": [{"kind": "window", "queries_per_kv": 2}, {"kind": "grouped"}],
        "feedforward": "experts", "residual": "sandwich", "tied": False, "repeats": 2, "dropout": 0.1, "softcap": 30,
    },
    "train": {
        "optim": "lion", "objective": {"kind": "next_token", "z_loss": 1e-4}, "augmentations": ["token_dropout"],
        "order": "curriculum", "packing": "best_fit", "documents": "separate", "rows_warmup": {"start": 4},
        "sparsity": "rigl",
    },
}  # fmt: skip


def test_every_part_of_the_list_can_be_there_and_is_gone_in_its_variant(tmp_path):
    setups = [Setup.model_validate(RICH), Setup.model_validate({"model": {"mixer": "window"}})]
    found = {name for setup in setups for name in ablations(setup)}
    assert {f"without_{part.name}" for part in PARTS} <= found
    for setup in setups:
        for name, variant in ablations(setup).items():
            pilot = Pilot.model_validate({
                "question": "Why?", "goal": {"target": 2.0, "full_run": {"parameters": "1M", "tokens": "20M"}},
                "scales": [{"parameters": "20k", "tokens": "1M"}], "variants": {name: variant}, **setup.model_dump(),
            })  # fmt: skip
            assert name not in ablations(pilot.variant(name))


def test_with_a_pattern_its_mixers_lose_the_part_and_not_the_mixer_that_is_not_used():
    pattern = [{"kind": "window", "head_dim": 16}, {"kind": "grouped", "head_dim": 16, "queries_per_kv": 2},
               {"kind": "lstm", "head_dim": 16}]  # fmt: skip
    found = ablations(Setup.model_validate({"model": {"mixer": "latent", "pattern": pattern}}))
    assert "without_mixer" not in found
    without = found["without_qk_norm"].set["model.pattern"]
    assert [mixer.get("qk_norm") for mixer in without] == [False, False, None]
    assert [mixer.get("queries_per_kv") for mixer in found["without_shared_heads"].set["model.pattern"]] == [1, 1, None]
    plain = ablations(Setup.model_validate({"model": {"pattern": [{"kind": "lstm"}]}}))
    assert "without_qk_norm" not in plain
    assert "without_shared_heads" not in plain


def test_a_rate_that_does_not_fall_rises_as_before():
    found = ablations(Setup.model_validate({"train": {"schedule": {"kind": "cosine", "warmup": 0.02}}}))
    assert found["without_decay"].set == {"train.schedule": {"kind": "constant", "warmup": 0.02}}


def test_the_command_writes_a_pilot_that_can_be_run(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN)
    main.register()
    done = CliRunner().invoke(main.app, ["ablate", str(plan), "--only", "gate", "--only", "exact"])
    assert done.exit_code == 0, done.output
    pilot = Pilot.load(tmp_path / "plan-ablation.yaml")
    assert list(pilot.variants) == ["without_gate", "without_exact"]
    assert pilot.variant("without_gate").model.feedforward.kind == "gelu"
    with pytest.raises(ConfigError, match="is there already"):
        write_ablation(plan, tmp_path / "plan-ablation.yaml")
    with pytest.raises(ConfigError, match=r"no part without_gat to take away; it has .*without_gate"):
        write_ablation(plan, tmp_path / "b.yaml", ("gat",))
    with pytest.raises(ConfigError, match="another folder"):
        write_ablation(plan, tmp_path / "deeper" / "b.yaml")
