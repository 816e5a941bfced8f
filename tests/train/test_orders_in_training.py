"""Orders and packing in a training: padding counts nowhere, and a killed run ends as one that was not."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import torch
from training_examples import ONE, Text, digest, plan_of

from pilotlight.record.run import Run
from pilotlight.tokens.pack import pack
from pilotlight.tokens.tokenizers.bytes import Bytes
from pilotlight.train.events import Saved
from pilotlight.train.loop import train

ADAPTIVE = {"kind": "adaptive", "every": 3, "even": 0.2}


class TwoSources:
    """Letters in any order, which stay hard, and one word again and again, which is soon learnt."""

    fingerprint = "2" * 16

    def documents(self, split):
        for number in range(40 if split == "train" else 6):
            draw = np.random.Generator(np.random.Philox(key=number + 100 * len(split)))
            hard = number % 2 == 0
            text = "".join(draw.choice(list("abcdefghijklmnop"), 150 + number)) if hard else "word " * (20 + number)
            id = hashlib.md5(f"{split}{number}".encode()).hexdigest()
            yield Text(text, id, "hard" if hard else "easy")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return pack(TwoSources(), Bytes(), tmp_path_factory.mktemp("two") / "tokens")


def killed_and_gone_on(plan, tokens, out, saves):
    class Killed(BaseException):
        pass

    for _ in range(saves):

        def die(event, seen=[0]):  # noqa: B006  a fresh function and list each time
            seen[0] += isinstance(event, Saved)
            if seen[0] == 2:
                raise Killed

        with pytest.raises(Killed):
            train(plan, ONE, tokens, out, watch=die, checkpoint_seconds=0.0)
    return train(plan, ONE, tokens, out, checkpoint_seconds=0.0)


@pytest.mark.parametrize(
    ("order", "packing"),
    [
        (ADAPTIVE, "concat"),
        (ADAPTIVE, "best_fit"),
        ({"kind": "mixture", "shares": {"easy": 1, "hard": 3}}, "concat"),
        ({"kind": "curriculum", "levels": 3}, "best_fit"),
    ],
)
def test_a_killed_run_ends_as_one_that_was_not(two, tmp_path, order, packing):
    plan = plan_of(order=order, packing=packing)
    whole = train(plan, ONE, two, tmp_path / "whole", checkpoint_seconds=0.0)
    again = killed_and_gone_on(plan, two, tmp_path / "again", 3)
    assert digest(again.folder) == digest(whole.folder)


def test_shares_follow_the_losses_and_are_written_down(two, tmp_path):
    run = train(plan_of(order=ADAPTIVE, steps=40, optim={"kind": "adamw", "lr": 0.01}), ONE, two, tmp_path / "run")
    lines = run.lines("shares")
    assert [line["step"] for line in lines] == list(range(3, 40, 3))
    assert lines[-1]["losses"]["hard"] > lines[-1]["losses"]["easy"]
    assert lines[-1]["shares"]["hard"] > 0.55
    assert all(sum(line["shares"].values()) == pytest.approx(1) for line in lines)
    assert set(run.evaluations()[-1]["epochs"]) == {"easy", "hard"}


def test_a_skipped_batch_and_changed_shares_live_in_one_journal(two, tmp_path):
    from training_examples import Poisoned

    from pilotlight.tokens.batches import Batches
    from pilotlight.tokens.order import Length
    from pilotlight.tokens.orders import Order

    plan = plan_of(order=ADAPTIVE)
    mix = Order.choose(ADAPTIVE).mix(two.split("train"), Length(plan.steps, 4, 24))
    first = Batches(two.split("train"), 4, 24, plan.seed_of("batches"), mix=mix)
    spoilt = plan_of(order=ADAPTIVE, objective=Poisoned(sums=(int(first.at(1).sum()),)))
    whole = train(spoilt, ONE, two, tmp_path / "whole")
    assert [line["step"] for line in whole.lines("skip")] == [1]
    again = killed_and_gone_on(spoilt, two, tmp_path / "again", 2)
    assert digest(again.folder) == digest(whole.folder)


def test_padding_counts_neither_in_the_loss_nor_in_the_tokens(two, tmp_path):
    plan = plan_of(packing="best_fit", steps=6, context=90)
    run = train(plan, ONE, two, tmp_path / "run")
    from pilotlight.tokens.batches import Batches

    batches = Batches(two.split("train"), 4, 90, plan.seed_of("batches"), packing="best_fit")
    counts = [batches.counted(step) for step in range(6)]
    assert run.facts.tokens == sum(counts) < plan.tokens
    assert [line["tokens"] for line in run.lines("step")] == np.cumsum(counts).tolist()
    from pilotlight.model.weight import initialise

    model = plan.model.build(two.vocabulary)
    initialise(model, plan.seed_of("weights"))
    weights = batches.weights_at(0)
    assert counts[0] < weights.size
    rows = torch.from_numpy(batches.at(0))
    with torch.no_grad():
        nats = model.losses(rows[:, :-1], rows[:, 1:]).numpy()
    assert run.lines("step")[0]["loss"] == pytest.approx((nats * weights).sum() / weights.sum(), rel=1e-5)


def test_rows_at_once_changes_nothing_with_padding_either(two, tmp_path):
    whole = train(plan_of(packing="best_fit", steps=3), ONE, two, tmp_path / "whole")
    parts = ONE.model_copy(update={"rows_at_once": 3})
    split = train(plan_of(packing="best_fit", steps=3), parts, two, tmp_path / "parts")
    assert [line["loss"] for line in split.lines("step")] == pytest.approx(
        [line["loss"] for line in whole.lines("step")], rel=1e-4
    )


def test_order_and_packing_are_part_of_what_decides_the_run(two):
    plain = plan_of().identity()
    assert "order" not in plain["train"]
    assert "packing" not in plain["train"]
    assert plan_of(order="mixture").identity() != plain
    assert plan_of(packing="best_fit").identity() != plain


def test_the_default_is_what_runs_did_before_there_was_a_choice(tokens, tmp_path):
    one = train(plan_of(steps=3), ONE, tokens, tmp_path / "one")
    two = train(plan_of(steps=3, order="shuffled", packing="concat"), ONE, tokens, tmp_path / "two")
    assert one.fingerprint == two.fingerprint
    assert Run.open(one.folder).facts.tokens == 3 * 4 * 24


def test_a_run_begun_before_there_was_a_choice_goes_on(tokens, tmp_path):
    class Killed(BaseException):
        pass

    def die(event):
        if isinstance(event, Saved):
            raise Killed

    with pytest.raises(Killed):
        train(plan_of(), ONE, tokens, tmp_path / "old", watch=die, checkpoint_seconds=0.0)
    path = tmp_path / "old" / "plan.json"
    plan = json.loads(path.read_text())
    del plan["train"]["order"], plan["train"]["packing"]
    path.write_text(json.dumps(plan))
    old = train(plan_of(), ONE, tokens, tmp_path / "old")
    new = train(plan_of(), ONE, tokens, tmp_path / "new")
    assert digest(old.folder)["model/model.safetensors"] == digest(new.folder)["model/model.safetensors"]
