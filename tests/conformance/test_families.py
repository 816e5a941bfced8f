"""Every family of published models keeps these promises; what the library computes: tests/model/test_published_models.py."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from pilotlight.errors import ConfigError, DataError
from pilotlight.model.decoder import Decoder
from pilotlight.model.families import Family
from pilotlight.model.families._links import give, take
from pilotlight.model.folding import Weighed
from pilotlight.model.foreign import families, fitting, read_foreign, shapes, write_foreign
from pilotlight.model.weight import initialise
from pilotlight.spec import discover, plain

pytestmark = pytest.mark.parametrize("name", discover(Family.folder))
IDS, LONGEST = 61, 32
SMALL = Decoder.model_validate(
    {"depth": 3, "width": 32, "mixer": {"kind": "grouped", "head_dim": 8, "queries_per_kv": 2}}
)


def nearest(name: str) -> Decoder:
    family = families()[name]
    return family.decoder(family.config(SMALL, IDS, LONGEST))


def model_of(name: str, seed: int = 0) -> Weighed:
    decoder = nearest(name)
    model = decoder.build(IDS)
    initialise(model, seed)
    draw = torch.Generator().manual_seed(seed)
    tensors = {key: value + 0.1 * torch.randn(value.shape, generator=draw) for key, value in model.state_dict().items()}
    return Weighed(decoder, tensors)


def logits(model: Weighed, ids: torch.Tensor) -> torch.Tensor:
    built = model.decoder.build(IDS)
    built.load_state_dict(model.tensors)
    return built.logits(ids).detach()


def written(name, folder, **more):
    folder.mkdir()
    model = model_of(name)
    causal = families()[name].causal
    assert write_foreign(folder, model, IDS, LONGEST, end=2, family=name, causal=causal, **more) == name
    return model


def test_a_config_of_its_own_survives_the_way_there_and_back(name):
    family = families()[name]
    config = family.config(nearest(name), IDS, LONGEST)
    assert family.decoder(json.loads(json.dumps(config))) == nearest(name)
    assert fitting(nearest(name), IDS, LONGEST, family.causal)[name] == []


@pytest.mark.parametrize("tied", [False, True])
def test_every_parameter_has_one_name_there(name, tied):
    decoder = nearest(name).model_copy(update={"tied": tied})
    links = families()[name].links(decoder)
    ours = [one for link in links for one in link.ours]
    assert sorted(ours) == sorted(shapes(decoder, IDS))
    assert len({link.theirs for link in links}) == len(links)
    assert all(link.theirs.startswith(families()[name].prefix) for link in links if "blocks.0." in link.ours[0])


def test_names_lead_there_and_back(name):
    model = model_of(name)
    links = families()[name].links(model.decoder)
    again = take(links, give(links, model.tensors), shapes(model.decoder, IDS))
    assert all(torch.equal(again[key], value) for key, value in model.tensors.items())


def test_a_written_model_is_read_as_it_was(name, tmp_path):
    model = written(name, tmp_path / "model")
    again = read_foreign(tmp_path / "model")
    ids = torch.randint(3, IDS, (2, 9), generator=torch.Generator().manual_seed(1))
    assert again.vocabulary == IDS
    assert torch.equal(logits(again.model, ids), logits(model, ids))


def test_a_model_saved_without_its_first_name_is_read_alike(name, tmp_path):
    written(name, tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    prefix = families()[name].prefix
    whole = load_file(file)
    save_file({key.removeprefix(prefix): value for key, value in whole.items()}, file)
    if any(not key.startswith(prefix) and key != families()[name].output for key in whole):
        with pytest.raises(DataError):  # a head with tensors of its own has to keep its name
            read_foreign(tmp_path / "model")
    else:
        assert read_foreign(tmp_path / "model").vocabulary == IDS


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda found, key: found.pop(key), "is missing"),
        (lambda found, key: found.update({"something.else": torch.zeros(1)}), "something.else .* no place"),
        (lambda found, key: found.update({key: torch.zeros(3, 3)}), "expected"),
    ],
)
def test_tensors_that_do_not_fit_are_named(name, spoil, words, tmp_path):
    written(name, tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    tensors = load_file(file)
    spoil(tensors, next(key for key in sorted(tensors) if tensors[key].ndim == 2))
    save_file(tensors, file)
    with pytest.raises(DataError, match=words):
        read_foreign(tmp_path / "model")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"mixer": {"kind": "linear", "head_dim": 16}}, "model.mixer"),
        ({"softcap": 30.0}, "model.softcap"),
        ({"feedforward": "relu_squared"}, "model.feedforward"),
        ({"residual": "parallel"}, "model.residual"),
        ({"position": "alibi"}, "model.position"),
    ],
)
def test_a_part_that_it_does_not_have_is_named(name, part, words, tmp_path):
    decoder = Decoder.model_validate({**plain(nearest(name)), **part})
    model, causal = decoder.build(IDS), families()[name].causal
    with pytest.raises(ConfigError, match=words):
        write_foreign(tmp_path, Weighed(decoder, model.state_dict()), IDS, LONGEST, end=2, family=name, causal=causal)
    assert list(tmp_path.iterdir()) == []


def test_code_of_its_own_and_quantised_weights_are_refused(name, tmp_path):
    written(name, tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text())
    for more, words in (({"auto_map": {}}, "auto_map"), ({"quantization_config": {}}, "quantised")):
        path.write_text(json.dumps(config | more))
        with pytest.raises(ConfigError, match=words):
            read_foreign(tmp_path / "model")
