"""``pilot lottery``: from a pilot file or a plan to a table of tickets and controls, with one command."""

from __future__ import annotations

import json

import yaml

from pilotlight.pilot.pilot import Pilot
from pilotlight.spec import plain
from tiny_pilot import write_plan

FEW = (
    "--rounds",
    "1",
    "--prune",
    "50%",
    "--set",
    "machine.threads=1",
    "--set",
    "machine.device=cpu",
    "--set",
    "steps=4",
)


def test_a_pilot_s_baseline_at_its_lowest_rung_is_searched_and_the_table_says_what_came_of_it(
    command, tiny_text, tmp_path
):
    file = write_plan(tmp_path / "pilot.yaml", tiny_text)
    done = command("lottery", file, "--out", tmp_path / "out", *FEW, "--rewind", "25%")
    assert done.code == 0, done.err
    assert "50.0 %" in done.out
    assert "one seed: no interval" in done.out
    assert "tickets begin from step 1 of 4" in done.out
    record = json.loads((tmp_path / "out" / "runs" / "lottery.json").read_text())
    ticket = json.loads((tmp_path / "out" / "runs" / "seed-0" / "round-1" / "ticket" / "run.json").read_text())
    assert record["rounds"][0]["tickets"] == [ticket["metrics"]["bits_per_byte"]]
    lowest = Pilot.load(file).plan("baseline", "2k-2k", 0)
    assert ticket["parameters"] < 10_000
    plan = json.loads((tmp_path / "out" / "runs" / "seed-0" / "dense" / "plan.json").read_text())
    assert plan["model"] == plain(lowest)["model"]

    again = command("lottery", file, "--out", tmp_path / "out", *FEW, "--rewind", "25%", "--json")
    assert json.loads(again.out) == record

    single = tmp_path / "full.yaml"
    single.write_text(yaml.safe_dump(plain(lowest)), encoding="utf-8")
    same = command("lottery", single, "--out", tmp_path / "out", *FEW, "--rewind", "25%", "--json")
    assert json.loads(same.out) == record


def test_shares_that_are_none_are_refused_before_anything_is_read(command, tmp_path):
    said = command("lottery", tmp_path / "none.yaml", "--prune", "120%")
    said.refuses("prune", "120%")
    said = command("lottery", tmp_path / "none.yaml")
    said.refuses("none.yaml", "does not exist")
    said = command("lottery", tmp_path / "none.yaml", "--set", "machine.thread=1")
    said.refuses("thread", "Did you mean 'threads'")
