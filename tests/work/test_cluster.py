from __future__ import annotations

import importlib.util
import sys

import pytest

from pilotlight.errors import ConfigError, DataError
from pilotlight.manifest import read_manifest
from pilotlight.work.cluster import Cluster
from pilotlight.work.flow import Flow, Task

HAS_RAY = importlib.util.find_spec("ray") is not None


@pytest.mark.skipif(HAS_RAY, reason="ray is installed")
def test_without_ray_the_error_names_the_extra_and_the_other_way():
    with pytest.raises(ConfigError, match=r"extra 'cluster'.*--worker i/n"), Cluster("local"):
        pass


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="needs the extra 'cluster' (ray)")
@pytest.mark.filterwarnings("ignore")
def test_units_on_a_cluster_give_what_they_give_here(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    with Cluster("local") as cluster:
        flow = Flow(tmp_path, cluster)
        units = flow.run("first", [Task("flow_examples:add", (), {"number": number}) for number in range(5)])
        assert [read_manifest(unit).facts["sum"] for unit in units] == list(range(5))
        with pytest.raises(DataError, match="seven is no number"):
            flow.run("second", [Task("flow_examples:refuse", (), {"what": "seven"})])
