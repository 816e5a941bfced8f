"""Results of a pilot that nobody trained: losses from a law, effects and noise as the test wants them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pilotlight.corpus.facts import Amount, CorpusFacts
from pilotlight.pilot.analyse import analyse, top_rung, winners
from pilotlight.pilot.decide import decide
from pilotlight.pilot.observed import Observed
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.trials import Trial, confirmation, wanted
from pilotlight.randomness import stream
from pilotlight.record.decision import Decision
from pilotlight.record.results import BASELINE, Results, Row
from pilotlight.spec import fingerprint
from tiny_pilot import calibration_of

TEXT = CorpusFacts(
    records=1000, train=Amount(documents=960, bytes=9_000_000), held_out=Amount(documents=20, bytes=200_000), dropped={"exact":
    {"seen before": Amount(documents=18, bytes=20_000)}}, quarantined={"wrong encoding": 2}, edited={}, sources={},
)  # fmt: skip
LADDER: tuple[dict[str, Any], ...] = (
    {"parameters": "100k", "tokens": "1M"},
    {"parameters": "100k", "tokens": "4M"},
    {"parameters": "300k", "tokens": "3M"},
    {"parameters": "300k", "tokens": "9M"},
    {"parameters": "1M", "tokens": "10M"},
)


def pilot_of(**changes: Any) -> Pilot:
    """Return a pilot with a ladder of five rungs and two variants, on Python's own text (which is never read)."""
    settings: dict[str, Any] = {
        "question": "Which of these goes in?",
        "goal": {"target": 1.6, "full_run": {"parameters": "3M", "tokens": "30M"}, **changes.pop("goal", {})},
        "tokenizer": "bytes",
        "model": {"mixer": {"kind": "grouped", "head_dim": 16}},
        "train": {"rows": 8, "context": 64},
        "scales": list(LADDER),
        "seeds": 3,
        "variants": {
            "half_lr": {"set": {"train.optim.lr": "x0.5"}},
            "gelu": {"set": {"model.feedforward.kind": "gelu"}},
        },
        "rule": {"worth": "0.5%"},
    }
    return Pilot.model_validate(settings | changes)


@dataclass(frozen=True)
class World:
    """How the made-up trainings turn out."""

    effects: Mapping[str, float] = field(default_factory=dict)
    """Relative effect of each variant; those not named have none."""
    fresh: Mapping[str, float] = field(default_factory=dict)
    """Relative effect on the fresh seeds, where it is another."""
    noise: float = 0.001
    epochs_per_token: float = 1e-8
    at_scale: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Relative effect of a variant at one rung, where it is another."""
    lost: tuple[str, ...] = ()
    """Names of trials that failed."""
    killed: tuple[str, ...] = ()
    """Names of trials that were killed from outside."""
    incidents: Mapping[str, int] = field(default_factory=dict)


def loss(parameters: float, tokens: float) -> float:
    return 0.8 + 5.0 / parameters**0.2 + 8.0 / tokens**0.2


def row_of(pilot: Pilot, trial: Trial, world: World) -> Row:
    scale = pilot.scale(trial.scale)
    told: dict[str, Any] = {
        "name": trial.name, "variant": trial.variant, "scale": trial.scale, "seed": trial.seed, "repeat": trial.repeat,
        "round": trial.round, "fingerprint": "0" * 16,
    }  # fmt: skip
    if trial.name in world.lost:
        return Row(**told, status="failed", error="the loss was not finite")
    if trial.name in world.killed:
        return Row(**told, status="killed", error="signal 9")
    effects = world.fresh if trial.round == "confirmation" and world.fresh else world.effects
    shared = stream(trial.seed, "shared", trial.scale, trial.repeat).normal() * world.noise
    own = stream(trial.seed, "own", trial.scale, trial.variant).normal() * world.noise / 3
    effect = world.at_scale.get((trial.variant, trial.scale), effects.get(trial.variant, 0.0))
    value = loss(scale.parameters, scale.tokens) * math.exp(shared + own) * (1 + effect)
    return Row(
        **told, status="finished", manifest_sha256="0" * 64, parameters=scale.parameters, tokens=scale.tokens,
        total_parameters=scale.parameters * 1.1, flops=6.6 * scale.parameters * scale.tokens, fit="ok: it is",
        epochs=scale.tokens * world.epochs_per_token, incidents=world.incidents.get(trial.name, 0),
        metrics={"bits_per_byte": value, "nats_per_token": value * 0.7, "perplexity": math.exp(value * 0.7)},
    )  # fmt: skip


def results_of(pilot: Pilot, world: World = World()) -> Results:
    """Return the results after the main round and the confirmation round."""
    rows = [row_of(pilot, trial, world) for trial in wanted(pilot)]
    main = Results(rows=tuple(sorted(rows, key=lambda row: row.name)))
    rung = top_rung(main, pilot)
    fresh = confirmation(pilot, calibration_of(pilot), winners(main, pilot), rung, math.inf) if rung else []
    rows += [row_of(pilot, trial, world) for trial in fresh]
    return Results(rows=tuple(sorted(rows, key=lambda row: row.name)))


def decision_of(pilot: Pilot, world: World = World(), results: Results | None = None, **observed: Any) -> Decision:
    """Return the decision in a made-up world; ``observed`` is what the folder tells beside the results."""
    results = results_of(pilot, world) if results is None else results
    sizes = {fingerprint(pilot.variant(name).tokenizer): 257 for name in (BASELINE, *pilot.variants)}
    planned = {"planned": len(wanted(pilot)), "left out": 0}
    texts = dict.fromkeys((BASELINE, *pilot.variants), TEXT)
    told: dict[str, Any] = {"planned": planned, "vocabularies": sizes, "texts": texts} | observed
    return decide(pilot, results, analyse(results, pilot), calibration_of(pilot), Observed(**told))
