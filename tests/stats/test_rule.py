import subprocess
import sys

import pytest
from pydantic import ValidationError

from pilotlight.stats.rule import Rule


def test_shares_are_read_as_percent():
    assert Rule.model_validate({"worth": "0.5%", "level": "90%"}) == Rule(worth=0.005, level=0.9)


@pytest.mark.parametrize("wrong", [{"worth": 0}, {"worth": 1}, {"level": 1}, {"level": 0.4}, {"most_seeds": 1}])
def test_a_rule_that_cannot_be_met_is_refused(wrong):
    with pytest.raises(ValidationError):
        Rule(**wrong)


def test_a_rule_loads_without_numpy_or_scipy():
    code = "import sys, pilotlight.stats.rule, pilotlight.stats.verdict; print({'numpy', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
