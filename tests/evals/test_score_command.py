from __future__ import annotations

import json
import shutil

import pytest
import typer
from eval_examples import planted
from typer.testing import CliRunner

from pilotlight.cli.score import read_settings, score
from pilotlight.errors import ConfigError, DataError
from pilotlight.manifest import sha256
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import TRIAL, Row
from pilotlight.record.run import Run
from pilotlight.spec import plain


def _run(*words):
    app = typer.Typer()
    app.command()(score)
    return CliRunner().invoke(app, [*words, "--set", "device=cpu", "--set", "threads=1"])


@pytest.fixture
def pilot(trained, tmp_path):
    """A pilot's folder: the trained runs with a ledger."""
    out = shutil.copytree(trained, tmp_path / "pilot")
    (out / "runs" / "short").rename(out / "runs" / "baseline")
    ledger = Ledger(out / "ledger.jsonl")
    names = ["baseline/tiny/seed0", *(f"lamp/tiny/seed{seed}" for seed in range(3))]
    for name in names:
        variant, scale, seed = name.split("/")
        folder = out / "runs" / name
        row = Row(
            name=name, variant=variant, scale=scale, seed=int(seed[4:]), status="finished", parameters=10, tokens=10,
            fingerprint=Run.open(folder).fingerprint, manifest_sha256=sha256(folder / "manifest.json"),
        )  # fmt: skip
        ledger.append(TRIAL, **plain(row))
    return out


def test_a_pilot_is_scored_over_items_and_seeds_for_people_and_programs(pilot, tmp_path):
    task = str(planted(tmp_path / "planted.jsonl"))
    told = _run(str(pilot), task, "--quiet")
    assert told.exit_code == 0, told.output
    for word in ("baseline/tiny", "lamp/tiny", "accuracy", "bits_per_byte", "3 runs", "minus baseline/tiny"):
        assert word in told.stdout
    written = json.loads(_run(str(pilot), task, "--json", "--variant", "lamp").stdout)
    [scored] = written["scores"]
    assert scored["runs"] == ["seed0", "seed1", "seed2"]
    assert scored["measures"][0]["estimate"]["n"] == 3
    assert written["differences"] == []


def test_an_unknown_variant_or_scale_is_named_with_the_nearest(pilot):
    for words in (("--variant", "lamb"), ("--scale", "tin")):
        found = _run(str(pilot), *words)
        assert isinstance(found.exception, ConfigError)
        assert "Did you mean" in str(found.exception)


def test_settings_are_read_from_words():
    scoring, task = read_settings(["items=5", "labels= no, yes", "prompt=a\\nb=c"])
    assert scoring.items == 5
    assert task == {"labels": ("no", "yes"), "prompt": "a\nb=c"}
    with pytest.raises(ConfigError, match="items=many"):
        read_settings(["items=many"])
    with pytest.raises(ConfigError, match="name=value"):
        read_settings(["items"])


def test_paths_that_are_missing_or_no_folder_are_refused(tmp_path):
    assert isinstance(_run(str(tmp_path / "nothing")).exception, DataError)
    (tmp_path / "t.jsonl").write_text("{}")
    found = _run(str(tmp_path / "t.jsonl"))
    assert "give first the folder" in str(found.exception)
