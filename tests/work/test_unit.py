"""Units and outcomes: what may be asked for, and that both survive being written down."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pilotlight.work.unit import Outcome, Unit


def test_units_and_outcomes_are_the_same_after_a_round_trip():
    unit = Unit(key="trial", call="package.module:run", arguments={"plan": {"steps": 3}}, cost=12.5)
    outcome = Outcome(unit=unit, status="finished", result={"loss": 2.25}, attempts=1)
    assert Unit.from_json(unit.to_json()) == unit
    assert Outcome.from_json(outcome.to_json()) == outcome


@pytest.mark.parametrize("call", ["os.system", "module:", ":run", "a b:run", "module:run()"])
def test_a_call_is_a_module_and_a_function(call):
    with pytest.raises(ValidationError):
        Unit(key="trial", call=call)


def test_the_silence_allowed_grows_with_the_cost_and_is_unlimited_without_one():
    cheap, dear = Unit(key="a", call="m:f", cost=1.0), Unit(key="b", call="m:f", cost=100.0)
    assert cheap.limit is not None
    assert dear.limit is not None
    assert cheap.limit < dear.limit
    assert dear.limit > 10 * dear.cost
    assert Unit(key="c", call="m:f").limit is None
    assert Unit(key="d", call="m:f", cost=100.0, timeout=5).limit == 5
