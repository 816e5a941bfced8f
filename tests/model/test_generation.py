from __future__ import annotations

import numpy as np
import pytest
import torch

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.layer import Rows
from pilotlight.model.mixers import Mixer
from pilotlight.model.sample import generate, stream_ids, stream_text
from pilotlight.model.sampling import Sampling
from pilotlight.model.weight import initialise
from pilotlight.spec import discover
from pilotlight.tokens.tokenizer import Encoder

VOCABULARY = 30
GREEDY = Sampling(temperature=0, tokens=12)
PROMPTS = [[3, 4, 5], [7], [9, 8, 7, 6, 5, 4, 3]]


def make(**settings):
    decoder = Decoder.model_validate({
        "depth": 2, "width": 32, "mixer": {"kind": "grouped", "head_dim": 8}, "embedding_std": 0.5, "tied": False,
    } | settings)  # fmt: skip
    model = decoder.build(VOCABULARY)
    initialise(model, 0)
    return model


def mixer_of(kind):
    found = discover(Mixer.folder)[kind](head_dim=8)
    return found if found.width_step <= 32 else discover(Mixer.folder)[kind](head_dim=8, queries_per_kv=1)


def without_memory(model, prompt, tokens):
    """Return the likeliest ids after ``prompt``, each by a pass over all before it."""
    ids = list(prompt)
    for _ in range(tokens):
        with torch.no_grad():
            ids.append(int(model.logits(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


@pytest.mark.parametrize("kind", discover(Mixer.folder))
def test_every_mixer_goes_on_as_a_full_pass_does(kind):
    model = make(mixer=mixer_of(kind), repeats=2)
    ids = torch.randint(VOCABULARY, (2, 41), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole, memories, parts, low = model.logits(ids), model.new_memories(), [], 0
        for high in (7, 8, 9, 20, 40, 41):
            parts.append(model.logits(ids[:, low:high], Rows(first=low), memories))
            low = high
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=2e-4, rtol=1e-3)
    assert generate(model, PROMPTS[:1], GREEDY) == [without_memory(model, PROMPTS[0], 12)]


@pytest.mark.parametrize(
    "settings",
    [
        {"position": "learned"},
        {"position": "alibi"},
        {"position": "none", "residual": "parallel"},
        {"feedforward": "experts", "softcap": 5.0},
        {"pattern": [{"kind": "grouped", "head_dim": 8}, {"kind": "grouped", "head_dim": 8, "queries_per_kv": 2}]},
        {"dropout": 0.5},
    ],
)
def test_prompts_of_any_length_go_on_beside_each_other_as_alone(settings):
    model = make(**settings)
    assert generate(model, PROMPTS, GREEDY) == [without_memory(model, prompt, 12) for prompt in PROMPTS]


def test_a_draw_follows_from_seed_and_number_alone():
    model, sampling = make(), Sampling(tokens=12, seed=3)
    found = generate(model, PROMPTS, sampling)
    assert found == generate(model, PROMPTS, sampling)
    assert found[:1] == generate(model, PROMPTS[:1], sampling)
    assert found != generate(model, PROMPTS, Sampling(tokens=12, seed=4))
    twice = generate(model, [PROMPTS[0]] * 2, sampling)
    assert twice[0] == found[0] != twice[1]


def shares_of(sampling, count=4000):
    """Return how often each id follows one prompt, and what the model gives it."""
    model = make(embedding_std=0.1)
    with torch.no_grad():
        expected = model.logits(torch.tensor([PROMPTS[0]]))[0, -1].double().softmax(-1).numpy()
    found = generate(model, [PROMPTS[0]] * count, sampling)
    return np.bincount([ids[0] for ids in found], minlength=VOCABULARY) / count, expected


def assert_close_shares(found, expected):
    assert (np.abs(found - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 4000) + 1e-3).all()


def test_ids_come_as_often_as_the_model_says():
    found, expected = shares_of(Sampling(tokens=1))
    assert_close_shares(found, expected)
    assert (found > 0).sum() > 20


def test_a_temperature_sharpens():
    found, expected = shares_of(Sampling(tokens=1, temperature=0.5))
    sharp = expected**2 / (expected**2).sum()
    assert_close_shares(found, sharp)


def test_top_k_leaves_the_likeliest():
    found, expected = shares_of(Sampling(tokens=1, top_k=3), 500)
    assert set(np.flatnonzero(found)) == set(np.argsort(-expected)[:3])


def test_top_p_leaves_the_fewest_that_reach_it():
    found, expected = shares_of(Sampling(tokens=1, top_p=0.3), 500)
    order = np.argsort(-expected)
    enough = int(np.searchsorted(np.cumsum(expected[order]), 0.3)) + 1
    assert set(np.flatnonzero(found)) == set(order[:enough])
    alone, _ = shares_of(Sampling(tokens=1, top_p=1e-9), 50)
    assert np.flatnonzero(alone).tolist() == [order[0]]


def test_an_end_token_ends_a_text_and_is_not_part_of_it():
    model = make()
    free = generate(model, PROMPTS, GREEDY)
    end = free[0][4]
    bounded = generate(model, PROMPTS, GREEDY, end=end)
    assert bounded == [ids[: ids.index(end)] if end in ids else ids for ids in free]
    assert len(bounded[0]) <= 4


def test_ids_beyond_those_of_the_tokenizer_never_come():
    found = generate(make(), PROMPTS * 20, Sampling(tokens=5, temperature=5.0), below=4)
    assert {token for ids in found for token in ids} == {0, 1, 2, 3}


def test_past_the_context_the_model_reads_the_later_half_again():
    model = make(position={"kind": "learned", "longest": 8})
    found = generate(model, [PROMPTS[0]], Sampling(temperature=0, tokens=20), context=8)[0]
    ids, start = list(PROMPTS[0]), 0
    for _ in range(20):
        if len(ids) - start > 8:
            start = len(ids) - 4
        with torch.no_grad():
            ids.append(int(model.logits(torch.tensor([ids[start:]]))[0, -1].argmax()))
    assert found == ids[3:]


def test_ids_are_given_out_as_they_come():
    going = stream_ids(make(), [PROMPTS[0]], GREEDY)
    first = next(going)
    assert [first, *going] == [(0, token) for token in generate(make(), [PROMPTS[0]], GREEDY)[0]]


class Bytes(Encoder):
    """Ids 0 to 25 are pieces of UTF-8."""

    vocabulary, end = 26, 25
    pieces = (b"\xc3", b"\xa9", b"a", b"b", b" ", *(bytes([97 + number]) for number in range(5, 25)))

    def encode_batch(self, texts):
        return [np.array([self.pieces.index(bytes([one])) for one in text.encode()], np.uint32) for text in texts]

    def decode(self, ids):
        return b"".join(self.pieces[one] for one in ids if one != self.end).decode(errors="replace")


def test_text_comes_in_whole_characters_and_none_is_lost(monkeypatch):
    """The ids 0 and 1 are the two halves of one letter; the last text ends within it."""
    told = {}

    def scripted(model, prompts, sampling, **told_too):
        told.update(prompts=prompts, **told_too)
        yield from ((0, token) for token in (2, 0, 1, 4, 0, 1, 0, 1, 3, 0))

    monkeypatch.setattr("pilotlight.model.sample.stream_ids", scripted)
    pieces = list(stream_text(make(), Bytes(), "\u00e9b", GREEDY, context=9))
    assert told == {"prompts": [[25, 0, 1, 3]], "end": 25, "context": 9, "below": 26}
    assert [piece for piece in pieces if piece] == ["a", "\u00e9", " ", "\u00e9", "\u00e9", "b", "\ufffd"]


def test_text_is_that_of_the_ids():
    model, encoder = make(), Bytes()
    ids = generate(model, [[25, 2, 3]], GREEDY, end=25, below=26)[0]
    assert len(ids) > 0
    assert "".join(stream_text(model, encoder, "ab", GREEDY)) == encoder.decode([2, 3, *ids])[2:]


@pytest.mark.parametrize(
    ("prompts", "word"), [([], "no prompt"), ([[1], []], "prompt 1 has no token"), ([[99]], "0 to 29")]
)
def test_what_cannot_go_on_is_refused(prompts, word):
    with pytest.raises(ConfigError, match=word):
        generate(make(), prompts, GREEDY)
