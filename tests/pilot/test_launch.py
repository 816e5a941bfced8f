"""The rule of the launch, over every combination of what its criteria can be."""

from __future__ import annotations

from itertools import product

import pytest

from pilotlight.pilot.launch import launch
from pilotlight.record.decision import Check, Evidence, Launch

STATES = ("pass", "fail", "unknown with evidence", "unknown without")
NAMES = ("target", "cost", "fidelity", "stability")


def check(name: str, state: str) -> Check:
    status = state.partition(" ")[0]
    evidence = Evidence(what="one more rung") if state == "unknown with evidence" else None
    return Check.model_validate(
        {"name": name, "threshold": "", "found": "", "status": status, "because": "", "evidence": evidence}
    )


@pytest.mark.parametrize(("states", "changed", "word"), [
    (("pass",), False, Launch.GO),
    (("pass",), True, Launch.GO_WITH_CHANGES),
    (("fail",), False, Launch.NO_GO),
    (("fail",), True, Launch.NO_GO),
    (("unknown with evidence",), False, Launch.MORE_EVIDENCE),
    (("unknown with evidence",), True, Launch.MORE_EVIDENCE),
    (("unknown without",), False, Launch.NO_GO),
    (("pass", "unknown with evidence"), False, Launch.MORE_EVIDENCE),
    (("fail", "unknown with evidence"), False, Launch.NO_GO),
    (("unknown with evidence", "unknown without"), False, Launch.NO_GO),
])  # fmt: skip
def test_the_rule(states, changed, word):
    found = [check(name, state) for name, state in zip(NAMES, states, strict=False)]
    assert launch(found, changed=changed) is word


@pytest.mark.parametrize("changed", [False, True])
def test_every_combination_of_four_criteria_follows_the_sentence(changed):
    counts = dict.fromkeys(Launch, 0)
    for states in product(STATES, repeat=len(NAMES)):
        word = launch([check(*pair) for pair in zip(NAMES, states, strict=True)], changed=changed)
        counts[word] += 1
        if set(states) == {"pass"}:
            assert word is (Launch.GO_WITH_CHANGES if changed else Launch.GO)
        elif "fail" in states or "unknown without" in states:
            assert word is Launch.NO_GO
        else:
            assert word is Launch.MORE_EVIDENCE
    assert sum(counts.values()) == 256
    assert counts[Launch.MORE_EVIDENCE] == 15


def test_the_order_of_the_criteria_does_not_matter():
    for states in product(STATES, repeat=3):
        found = [check(*pair) for pair in zip(NAMES, states, strict=False)]
        assert launch(found, changed=False) is launch(found[::-1], changed=False)
