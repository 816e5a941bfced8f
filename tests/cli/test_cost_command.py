"""`pilot cost`: every option reaches the calculator, and what it says can be read by people and by programs."""

from __future__ import annotations

import json

import pytest

from pilotlight.cli.cost import FIGURES
from pilotlight.pilot.cost_question import CostQuestion
from pilotlight.pilot.full import counted
from pilotlight.pilot.pilot import Pilot
from pilotlight.spec import fingerprint

RUN = ("cost", "--parameters", "7B", "--tokens", "2T", "--hardware", "H100", "--count", 256)


def test_every_option_is_a_field_of_the_question_and_every_field_an_option():
    assert set(FIGURES) == set(CostQuestion.model_fields)


def test_it_says_time_money_energy_memory_and_where_each_figure_comes_from(command):
    said = command(*map(str, RUN))
    assert said.code == 0, said.err
    for words in ("wall-clock", "money", "energy", "goodput", "P10", "P90", "memory:", "optimizer states", "assumed",
                  "catalogue", "data sheet", "published", "nothing was measured on this hardware"):  # fmt: skip
        assert words in said.out, words
    assert "half the devices" not in said.out
    short = command(*map(str, RUN), "--quiet")
    assert "What went in" not in short.out
    assert "wall-clock" in short.out


def test_json_holds_the_whole_cost_and_alternatives_when_asked_for(command):
    plain = json.loads(command(*map(str, RUN), "--json").out)
    assert plain["alternatives"] == []
    found = json.loads(command(*map(str, RUN), "--json", "--compare", "--spot-discount", "60%").out)
    assert found["seconds"] == plain["seconds"]
    ways = {item["name"]: item for item in found["alternatives"]}
    assert {"as planned", "half the devices", "spot price", "20 % fewer tokens", "half the model",
            "continue from existing weights", "fine-tune instead"} <= set(ways)  # fmt: skip
    assert "60 % off" in ways["spot price"]["change"]


@pytest.mark.parametrize(("option", "value", "figure", "expected"), [
    ("--price", "2.5", "price", 2.5), ("--pue", "1.1", "PUE", 1.1), ("--failures", "0.024", "failures", 0.001),
    ("--restart", "5 min", "restart", 300), ("--checkpoint-seconds", "12 s", "checkpoint", 12),
    ("--checkpoint-every", "1 h", "between checkpoints", 3600), ("--power", "650", "power", 650),
])  # fmt: skip
def test_a_figure_of_ones_own_goes_before_ours(command, option, value, figure, expected):
    found = json.loads(command(*map(str, RUN), option, value, "--json").out)
    (item,) = (item for item in found["figures"] if item["name"] == figure)
    assert (item["origin"], item["value"]["value"]) == ("given", pytest.approx(expected))


def test_a_pilot_file_brings_its_full_run_and_hardware(command, plan):
    path = plan(goal={"hardware": {"accelerator": "A100", "count": 2, "price_per_hour": 1.5}})
    found = json.loads(command("cost", "--plan", path, "--json").out)
    assert found["hardware"] == "2 x A100"
    pilot = Pilot.load(path)
    full = counted(pilot.full_plan(), {fingerprint(pilot.tokenizer): 257})
    assert found["flops"] == full.flops, "counted as a pilot counts, with the ids of its tokenizer"
    twice = json.loads(command("cost", "--plan", path, "--tokens", "40k", "--json").out)
    assert twice["flops"] == pytest.approx(2 * found["flops"], rel=0.05)
    command("cost", "--plan", path, "--parameters", "1M").refuses("--parameters and --plan")


def test_what_is_missing_or_wrong_is_one_sentence(command, tmp_path):
    command("cost").refuses("--parameters and --tokens")
    command("cost", "--parameters", "7B", "--tokens", "2T", "--hardware", "H10").refuses("Did you mean 'H100'")
    command(*map(str, RUN), "--utilisation", "4").refuses("utilisation")
    command(*map(str, RUN), "--table", tmp_path / "none.yaml").refuses("none.yaml")
    command(*map(str, RUN), "--runs", tmp_path / "none.csv").refuses("none.csv")
