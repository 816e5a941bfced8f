"""Files that somebody else made: nothing in them is run, and nothing outside their folder is read."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from pilotlight.errors import DataError
from pilotlight.model.decoder import Decoder
from pilotlight.model.folding import Weighed
from pilotlight.model.foreign import INDEX, WEIGHTS, read_foreign, write_foreign
from pilotlight.model.weight import initialise

DECODER = Decoder.model_validate({"depth": 1, "width": 16, "mixer": {"kind": "grouped", "head_dim": 8}})


class Trap:
    """Leaves a mark on the disk when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "model"
    found.mkdir()
    model = DECODER.build(31)
    initialise(model, 0)
    write_foreign(found, Weighed(DECODER, model.state_dict()), 31, 32, end=2)
    return found


@pytest.mark.parametrize("name", ["pytorch_model.bin", WEIGHTS, "model-00001-of-00001.safetensors"])
def test_a_pickle_is_refused_whatever_it_is_called_and_never_run(folder, tmp_path, name):
    mark = tmp_path / "mark"
    (folder / WEIGHTS).unlink()
    (folder / name).write_bytes(pickle.dumps(Trap(mark)))
    if name.startswith("model-"):
        (folder / INDEX).write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(DataError, match="safetensors"):
        read_foreign(folder)
    assert not mark.exists()
    pickle.loads((folder / name).read_bytes())
    assert mark.exists(), "the trap itself works"


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/passwd", "..", ".hidden", "a/b.safetensors", 3, None, ""]
)
def test_an_index_cannot_name_what_is_no_file_of_the_folder(folder, name):
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(DataError, match=r"model\.safetensors\.index\.json.*Save the model again"):
        read_foreign(folder)


@pytest.mark.parametrize("index", [{}, {"weight_map": []}, {"weight_map": {}}, [1], "text"])
def test_an_index_without_a_map_is_named(folder, index):
    (folder / INDEX).write_text(json.dumps(index))
    with pytest.raises(DataError, match=r"model\.safetensors\.index\.json.*Save the model again"):
        read_foreign(folder)
