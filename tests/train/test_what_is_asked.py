"""What each objective asks, on text made so that the answer is known, and whole trainings with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from training_examples import ONE, digest, plan_of

from pilotlight.errors import ConfigError
from pilotlight.model.weight import initialise
from pilotlight.spec import discover
from pilotlight.tokens.batches import Batches
from pilotlight.train.asked import Asked
from pilotlight.train.batch import Drawn, examples_of, text_at
from pilotlight.train.events import Saved
from pilotlight.train.examples import Draws, Vocabulary
from pilotlight.train.final import open_model, read_facts
from pilotlight.train.loop import train
from pilotlight.train.objectives import Objective
from pilotlight.train.plan import Plan

KINDS = list(discover(Objective.folder))
END, SIZE = 0, 100
VOCABULARY = Vocabulary(SIZE, END, SIZE)
DRAWS = Draws(1, "objective", 5)


def asked(settings, rows, weights=None, documents=None):
    rows = np.array(rows, dtype=np.int64)
    weights = np.ones((len(rows), rows.shape[1] - 1), dtype=np.float32) if weights is None else weights
    return Objective.choose(settings).examples(rows, weights, documents, DRAWS, VOCABULARY)


def counting(rows: int, length: int) -> np.ndarray:
    return np.arange(1, length + 1) + np.zeros((rows, 1), dtype=np.int64)


def test_most_chosen_tokens_are_masked_some_swapped_some_kept():
    found = asked({"kind": "masked", "rate": 0.5}, counting(200, 81))
    chosen = found.weights > 0
    assert chosen.sum(axis=1).tolist() == [40] * 200
    given, wanted = found.inputs[chosen], found.targets[chosen]
    assert (given == SIZE).mean() == pytest.approx(0.8, abs=0.02)
    assert (given == wanted).mean() == pytest.approx(0.1, abs=0.02)
    assert (found.inputs == found.targets)[~chosen].all()
    assert not found.causal


def test_end_tokens_are_not_masked():
    rows = counting(4, 41)
    rows[:, 5::6] = END
    found = asked({"kind": "masked", "rate": 1.0}, rows)
    assert not found.weights[rows[:, 1:] == END].any()
    assert found.weights[rows[:, 1:] != END].all()


def test_spans_and_gaps_give_the_text_back():
    rows = counting(40, 81)
    found = asked({"kind": "span", "sequential": 0.0}, rows)
    for row in range(40):
        sequence = np.append(found.inputs[row], found.targets[row, -1]).tolist()
        left, cut = sequence[: found.visible[row]], sequence[found.visible[row] :]
        spans: dict[int, list[int]] = {}
        end = max(place for place, id in enumerate(cut) if id > SIZE)
        for id in cut[:end]:
            if id >= SIZE:
                spans[id] = []
            else:
                spans[max(spans)].append(id)
        whole = [word for id in left for word in (spans[id] if id >= SIZE else [id])]
        assert whole == list(range(1, len(whole) + 1))
        assert len(whole) >= 81 - 2 * len(spans) - 2
        assert all(spans.values())
        assert list(spans) == list(range(SIZE, SIZE + len(spans)))
        assert cut[end] == SIZE + len(spans)
        assert 0.1 < sum(map(len, spans.values())) / len(whole) < 0.2
        assert found.weights[row].sum() == end + 1


def test_a_share_of_the_rows_of_span_corruption_is_a_beginning_and_how_it_goes_on():
    found = asked({"kind": "span", "sequential": 0.5}, counting(200, 41))
    plain = (found.targets == counting(200, 41)[:, 1:]).all(axis=1)
    assert plain.mean() == pytest.approx(0.5, abs=0.1)


def test_more_spans_than_sentinels_become_longer_ones():
    found = asked({"kind": "span", "sentinels": 3, "rate": 0.5, "sequential": 0.0}, counting(10, 81))
    assert found.inputs.max() < SIZE + 3
    assert (found.weights.sum(axis=1) > 30).all()


def test_a_beginning_is_visible_and_only_what_follows_is_predicted():
    found = asked("prefix", counting(300, 41))
    assert found.visible.min() >= 1
    assert found.visible.max() <= 40
    assert found.visible.mean() == pytest.approx(20.5, abs=2)
    for row in range(300):
        assert np.flatnonzero(found.weights[row]).tolist() == list(range(found.visible[row] - 1, 40))


def test_the_longest_beginning_can_be_set():
    found = asked({"kind": "prefix", "longest": 0.25}, counting(100, 41))
    assert found.visible.max() == 10


@pytest.mark.parametrize("first", [0.0, 1.0])
def test_the_middle_comes_last_and_markers_are_no_targets(first):
    row = np.concatenate([np.arange(1, 21), [END], np.arange(31, 51), [END], np.arange(61, 80)])
    found = asked({"kind": "fill_in_the_middle", "rate": 1.0, "suffix_first": first}, [row] * 50)
    markers = SIZE + np.arange(3)
    assert not found.weights[found.targets >= SIZE].any()
    assert found.weights[found.targets < SIZE].all()
    for line in np.concatenate([found.inputs, found.targets[:, -1:]], axis=1):
        pieces = np.split(line, np.flatnonzero(line == END) + 1)
        for piece, low in zip(pieces[:2], (1, 31), strict=True):
            words = piece[(piece < SIZE) & (piece != END)]
            assert sorted(words.tolist()) == list(range(low, low + 20))
            assert piece[piece >= SIZE].tolist() == markers.tolist()
            assert piece[-1] == END
            prefix, suffix, middle = (int(np.flatnonzero(piece == marker)[0]) for marker in markers)
            if first:
                assert (prefix, suffix) == (0, 1)
                assert (np.diff(piece[middle + 1 : -1]) == 1).all()  # beginning and middle in one
            else:
                whole = [*piece[prefix + 1 : suffix], *piece[middle + 1 : -1], *piece[suffix + 1 : middle]]
                assert whole == list(range(low, low + 20))


def test_no_marker_leaves_the_text_as_it_is():
    rows = counting(5, 41)
    found = asked({"kind": "fill_in_the_middle", "rate": 0.0}, rows)
    assert (found.inputs == rows[:, :-1]).all()
    assert (found.targets == rows[:, 1:]).all()
    assert found.weights.all()


class Made:
    """Three documents of three, four and two ids, each with its end token, in one row and in pieces."""

    def __init__(self, ids, positions, firsts, padding=()):
        self._ids, self._positions = np.array([ids]), np.array([positions])
        self._counted = np.ones((1, len(ids) - 1), dtype=np.float32)
        self._counted[0, list(padding)] = 0
        self._firsts = firsts

    def at(self, step):
        return self._ids

    def positions_at(self, step):
        return self._positions

    def weights_at(self, step, *, first_tokens=True):
        found = self._counted.copy()
        if not first_tokens:
            found[0, self._firsts] = 0
        return found


def test_a_document_is_read_from_the_end_token_before_it():
    text = text_at(Made([1, 2, 0, 3, 4, 5, 0, 6], [0, 1, 2, 0, 1, 2, 3, 0], [2, 6]), 0, apart=True, end=END)
    assert text.documents.tolist() == [[0, 0, 1, 1, 1, 1, 2, 2]]
    assert text.weights.tolist() == [[1] * 7]


def test_what_stands_first_in_the_rest_of_a_document_is_not_predicted():
    # the second piece is the rest of a document, the third begins one after a piece without its end token
    text = text_at(Made([1, 2, 0, 7, 8, 3, 4, 0], [0, 1, 2, 0, 1, 0, 1, 2], [4]), 0, apart=True, end=END)
    assert text.documents.tolist() == [[0, 0, 0, 1, 1, 2, 2, 2]]
    assert text.weights.tolist() == [[1, 1, 0, 1, 0, 1, 1]]


@pytest.mark.parametrize("packing", ["concat", "best_fit"])
@pytest.mark.parametrize("kind", ["next_token", "masked", "prefix", "fill_in_the_middle"])
def test_separate_documents_do_not_hear_of_each_other(tokens, packing, kind):
    plan = plan_of(rows=2, context=700, packing=packing, documents="separate", objective=kind)
    batches = Batches(tokens.split("train"), 2, 700, 1, packing=packing)
    text = text_at(batches, 0, apart=True, end=tokens.end)
    vocabulary = Vocabulary(tokens.vocabulary, tokens.end, tokens.vocabulary)
    model = plan.model.build(plan.ids(tokens.vocabulary))
    initialise(model, 0)
    found = examples_of(plan, text, 0, vocabulary)
    last = found.documents.max(axis=1, keepdims=True)
    assert last.max() > 0
    other = found._replace(inputs=np.where(found.documents == last, found.inputs, 5))

    def seen(examples):
        asked = Asked.of(examples, "cpu")
        return model.hidden(asked.inputs, asked.rows).detach()

    mine = torch.from_numpy(found.documents == last)
    torch.testing.assert_close(seen(other)[mine], seen(found)[mine], rtol=1e-4, atol=1e-5)
    joined, changed = (seen(one._replace(documents=None))[mine] for one in (found, other))
    assert not torch.allclose(joined, changed, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def runs(tokens, tmp_path_factory):
    folder = tmp_path_factory.mktemp("objectives")
    return {kind: train(_plan(kind), ONE, tokens, folder / kind) for kind in KINDS}


def _plan(kind, **more):
    more = {"documents": "joined" if kind == "span" else "separate", "packing": "best_fit", "context": 48} | more
    plan = plan_of(
        steps=8, objective={"kind": kind, "z_loss": 1e-4}, augmentations=["token_dropout", "infilling"], **more
    )
    return plan.model_copy(update={"model": plan.model.model_copy(update={"dropout": 0.1})})


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_with_any_objective_says_what_it_came_to(runs, tokens, kind):
    run, objective = runs[kind], Objective.choose(kind)
    facts, known = run.facts, read_facts(run.folder)
    assert facts.metric == objective.metric
    expected = {"bits_per_byte", "nats_per_token", "perplexity"} if kind != "masked" else {"masked_nats_per_token"}
    assert set(facts.metrics) == expected
    assert all(expected <= set(line) and not ({"bits_per_byte"} - expected) & set(line) for line in run.evaluations())
    assert (facts.train_bits_per_byte is None) == (kind == "masked")
    assert known.vocabulary == tokens.vocabulary + objective.extra_ids + 2
    assert (known.extra_ids, known.objective, known.metric) == (objective.extra_ids + 2, kind, objective.metric)
    model, _ = open_model(run.folder)
    assert model.embedding.shape[0] == known.vocabulary
    assert facts.total_parameters == sum(parameter.numel() for parameter in model.parameters())
    losses = [line["loss"] for line in run.lines("step")]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", ["masked", "fill_in_the_middle"])
def test_a_killed_run_and_one_in_parts_end_as_the_whole_one(runs, tokens, tmp_path, kind):
    class Enough(Exception):
        pass

    def leave(event):
        if isinstance(event, Saved) and event.step == 3:
            raise Enough

    with pytest.raises(Enough):
        train(_plan(kind), ONE, tokens, tmp_path / "run", watch=leave, checkpoint_seconds=0.0)
    again = train(_plan(kind), ONE, tokens, tmp_path / "run")
    assert digest(again.folder) == digest(runs[kind].folder)
    parts = train(_plan(kind), ONE.model_copy(update={"rows_at_once": 3}), tokens, tmp_path / "parts")
    whole, split = ([line["loss"] for line in one.lines("step")] for one in (runs[kind], parts))
    assert split == pytest.approx(whole, rel=1e-4)


def test_scores_of_a_masked_run_are_of_the_masked_tokens_alone(runs):
    scores = runs["masked"].scores()
    nats, tokens = sum(score.nats for score in scores), sum(score.tokens for score in scores)
    assert nats / tokens == pytest.approx(runs["masked"].facts.metrics["masked_nats_per_token"])
    assert tokens < 0.25 * sum(score.tokens for score in runs["next_token"].scores())


def test_how_text_is_judged_does_not_depend_on_the_seed_of_the_run(tokens):
    windows = np.arange(2 * 25).reshape(2, 25)
    one = Objective.choose({"kind": "masked", "rate": 0.4}).questions(windows, np.ones((2, 24), dtype=bool), VOCABULARY)
    two = Objective.choose("masked").questions(windows, np.ones((2, 24), dtype=bool), VOCABULARY)
    assert (one.inputs == two.inputs).all()


def test_a_mixer_that_cannot_look_both_ways_is_refused(tmp_path):
    model = "{depth: 1, width: 64, pattern: [grouped, gated_convolution]}"
    plan = f"corpus: {{}}\ntokenizer: bytes\nmodel: {model}\nsteps: 3\ntrain: {{objective: OBJECTIVE}}\n"
    for kind in KINDS:
        file = tmp_path / f"{kind}.yaml"
        file.write_text(plan.replace("OBJECTIVE", kind))
        if kind in ("next_token", "fill_in_the_middle"):
            assert Plan.load(file).train.objective.kind == kind
        else:
            with pytest.raises(ConfigError, match="gated_convolution cannot do; choose a mixer that can"):
                Plan.load(file)


def test_spans_cannot_be_moved_past_separate_documents():
    with pytest.raises(ValidationError, match="set documents to joined"):
        plan_of(objective="span", documents="separate")


def test_defaults_are_what_plans_were_before_there_was_a_choice():
    found = plan_of().identity()["train"]
    assert found["objective"] == {"kind": "next_token"}
    assert not {"documents", "augmentations"} & set(found)
    for more in (
        {"documents": "separate"},
        {"augmentations": ["infilling"]},
        {"objective": {"kind": "next_token", "z_loss": 0.1}},
    ):
        assert plan_of(**more).identity() != plan_of().identity()


def test_every_stream_of_a_training_can_be_reseeded_alone(tokens):
    plan = _plan("masked")
    text = Drawn(np.tile(np.arange(49), (4, 1)) % 250, np.ones((4, 48), dtype=np.float32))
    vocabulary = Vocabulary(tokens.vocabulary, tokens.end, tokens.vocabulary)
    first = examples_of(plan, text, 3, vocabulary)
    objective, augmentations = (
        examples_of(plan.model_copy(update={"reseed": {name: 9}}), text, 3, vocabulary)
        for name in ("objective", "augmentations")
    )
    assert (objective.weights != first.weights).any()
    assert (augmentations.weights == first.weights).all()
    assert (augmentations.inputs != first.inputs).any()
