"""What goes into the full run together."""

from __future__ import annotations

import pytest
from made_up_results import World, decision_of, pilot_of

from pilotlight.pilot.adoption import compatible

LR = {"train.optim.lr": "x0.5"}


def left_out(first: dict[str, object], second: dict[str, object]) -> dict[str, str]:
    """Return which of two winners, the first the better one, cannot go in beside the other."""
    pilot = pilot_of(variants={"one": {"set": first}, "two": {"set": second}})
    findings = decision_of(pilot, World(effects={"one": -0.04, "two": -0.02})).findings
    assert {str(finding.verdict) for finding in findings} == {"ADOPT"}
    found, backwards = compatible(pilot, findings), compatible(pilot, findings[::-1])
    assert found.names == backwards.names
    assert found.names[0] == "one"
    return found.left_out


@pytest.mark.parametrize(("first", "second"), [
    (LR, {"train.optim.lr": "x0.2"}),
    ({"model.feedforward.kind": "gelu"}, {"model.feedforward.kind": "relu_squared"}),
    ({"model.position": {"kind": "none"}}, {"model.position.period": "x10"}),
    ({"model.position.period": "x10"}, {"model.position": {"kind": "none"}}),
    ({"model.position.kind": "none"}, {"model.position.period": "x10"}),
    ({"model.position.period": "x10"}, {"model.position.kind": "none"}),
    ({"model.pattern": ["linear", "grouped"]}, {"model.mixer.kind": "linear"}),
    ({"model.mixer.kind": "linear", "model.mixer.head_dim": 16}, {"model.pattern": ["linear", "grouped"]}),
    ({"train.rows": "x2", "train.optim.lr": "x0.5"}, {"train.optim.eps": 1e-6, "train.optim.lr": "x0.2"}),
])  # fmt: skip
def test_changes_of_the_same_setting_or_part_exclude_each_other(first, second):
    (reason,) = left_out(first, second).values()
    assert reason.startswith("two won too, but is left out")
    assert "one" in reason


@pytest.mark.parametrize(("first", "second"), [
    (LR, {"model.feedforward.kind": "gelu"}), (LR, {"train.optim.eps": 1e-6}),
    ({"model.position.period": "x10"}, {"model.feedforward.kind": "gelu"}),
])  # fmt: skip
def test_changes_of_different_settings_go_in_together(first, second):
    assert left_out(first, second) == {}


def test_what_cannot_be_built_together_is_left_out_too():
    head = {"model.mixer.head_dim": 64}
    width = {"model.width": 160, "model.depth": 9}
    (reason,) = left_out(head, width).values()
    assert "cannot be built together with one" in reason


def test_the_page_does_not_send_both_into_the_full_run():
    from pilotlight.report.sections.variants import _lead

    pilot = pilot_of(variants={"half": {"set": LR}, "fifth": {"set": {"train.optim.lr": "x0.2"}}})
    text = _lead(decision_of(pilot, World(effects={"half": -0.02, "fifth": -0.04})))
    assert text == "fifth goes into the full run; half won too, but cannot go in beside what won by more."
