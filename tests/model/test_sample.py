import pytest
import torch

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.sample import generate
from pilotlight.model.weight import initialise


@pytest.fixture
def model():
    model = Decoder(depth=1, width=64).build(40)
    initialise(model, 0)
    return model


PROMPT = torch.tensor([[1, 2, 3], [4, 5, 6]])


def test_a_sample_continues_the_prompt_and_repeats_with_its_seed(model):
    first = generate(model, PROMPT, 5, seed=3)
    assert first.shape == (2, 8)
    assert torch.equal(first[:, :3], PROMPT)
    assert torch.equal(first, generate(model, PROMPT, 5, seed=3))
    assert not torch.equal(first, generate(model, PROMPT, 5, seed=4))


def test_temperature_0_and_a_single_candidate_take_the_most_likely_token(model):
    greedy = generate(model, PROMPT, 4, temperature=0)
    assert torch.equal(greedy, generate(model, PROMPT, 4, top_k=1))
    assert torch.equal(greedy[:, 3], model.logits(PROMPT)[:, -1].argmax(-1))


@pytest.mark.parametrize("wrong", [{"temperature": -1.0}, {"top_k": 0}])
def test_impossible_settings_are_refused(model, wrong):
    with pytest.raises(ConfigError, match="expected at least"):
        generate(model, PROMPT, 1, **wrong)


def test_an_empty_prompt_is_refused(model):
    with pytest.raises(ConfigError, match="empty"):
        generate(model, PROMPT[:, :0], 1)
