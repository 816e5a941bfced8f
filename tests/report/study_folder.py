"""A small output folder as `pilot run` leaves it, made up but consistent: records by the real writers, no training."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilotlight.manifest import building, sha256, write_atomic
from pilotlight.pilot.cost import cost_of
from pilotlight.pilot.memory import Arithmetic, shape_of
from pilotlight.pilot.ranges import Range, exactly
from pilotlight.pilot.scenario import Scenario
from pilotlight.randomness import stream
from pilotlight.record.commitment import LANDED, LAUNCHED, Landed, Track, commit
from pilotlight.record.decision import Check, Cost, CrossValidation, Decision, Finding, Launch, Target
from pilotlight.record.forecast import Prediction
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import BASELINE, Results, Row
from pilotlight.record.run import RunFacts
from pilotlight.scaling.points import Point
from pilotlight.scaling.predict import Study as Ladder
from pilotlight.spec import fingerprint, plain
from pilotlight.stats.arms import Observation
from pilotlight.stats.comparison import compare
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.folds import apart, k_fold
from pilotlight.stats.rule import Rule
from pilotlight.stats.shards import Shards, over_shards
from pilotlight.stats.verdict import Verdict, judge
from pilotlight.tokens.tokens import passages_file
from pilotlight.train.plan import Plan

SCALES = {"100k-2M": (1.0e5, 2.0e6), "300k-6M": (3.0e5, 6.0e6), "1M-20M": (1.0e6, 2.0e7)}
FULL = (3.0e6, 6.0e7)
FULL_PLAN = {
    "corpus": {"sources": [{"kind": "folder", "path": "texts"}]}, "tokenizer": {"kind": "bpe", "vocabulary": 4096},
    "model": {"depth": 4, "width": 256}, "steps": 29297,
}  # fmt: skip
TARGET = 1.462
ADVICE = (
    "The full run reads its text 5.5 times over, the largest rung 1.8 times: text repeated more than 4 times is "
    "worth less, and the pilot has not seen that.",
    "The largest rung has 33 % of the full run's parameters; inside the usual 10 to 50 %.",
)
TEXT = '{"text": "held out"}\n'
QUESTION = "Which of these changes goes into the full run, and will it reach its target?"


@dataclass
class Wish:
    """What the folder should look like; names and texts may be as hostile as a test wants."""

    question: str = QUESTION
    variants: Mapping[str, tuple[float, str]] = field(
        default_factory=lambda: {
            "swiglu": (-0.021, "Shazeer 2020: gated units at equal parameters"),
            "double_lr": (0.017, "is the default too cautious at this size?"),
            "untied": (-0.0035, "a separate output matrix"),
            "long_warmup": (-0.0004, "steadier start"),
        }
    )
    """Name: true relative effect, why."""
    seeds: int = 3
    folds: tuple[float, ...] = (1.66, 1.69, 1.64, 1.68, 1.67)
    """Bits per byte with each part of the text held out; the first is that of the comparison."""
    decided: bool = True
    source: str = "library"
    full_text: str = TEXT
    """Held-out text that the full run was scored on."""
    full_settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the full run was trained with in place of ``full.yaml``."""
    proven: bool = True
    """Whether the full run was begun and ended by `pilot train`, which enters both in the ledger."""
    earlier: Track = field(default_factory=lambda: Track(predictions=4, inside=3))
    error: str = "the loss was not finite at step 212 after 4 skipped batches"


def write_study(out: Path, wish: Wish | None = None, full_run: float | None = None) -> Path:
    """Return ``out``, filled as a pilot leaves it; ``full_run`` is what the full run reached, if it was trained."""
    wish = wish or Wish()
    pilot = _pilot(wish)
    criteria = fingerprint(pilot)
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / "pilot.json", json.dumps(pilot, indent=1))
    ledger = Ledger(out / "ledger.jsonl")
    ledger.append("criteria", criteria=criteria, pilot=pilot)
    ledger.append("started", versions={"python": "3.11.9", "pilotlight": "0.1.0", "torch": "2.13.0+cpu"})
    machine = {"processor": "Example CPU 2.1 GHz", "cores": 2, "system": "Linux", "torch": "2.13.0+cpu"}
    ledger.append("calibration", machine=machine, workers=2)
    _texts(out, wish)
    for row in _rows(out, wish):
        ledger.append("trial", **plain(row))
    if wish.decided:
        write_atomic(
            out / "full.yaml", json.dumps(plain(Plan.model_validate(FULL_PLAN | {"train": {"precision": "auto"}})))
        )
        decision = _decision(wish, criteria, Results.open(out))
        text = decision.to_json() + "\n"
        write_atomic(out / "decision.json", text)
        commit(ledger, decision, text)
    if full_run is not None:
        plan = plain(Plan.load(out / "full.yaml").resolved("cpu")) | {"seed": 5} | dict(wish.full_settings)
        _tokens(out / "full" / "tokens", wish, wish.full_text)
        if wish.proven:
            ledger.append(LAUNCHED, decision=sha256(out / "decision.json"), plan=fingerprint(plan))
        facts = _run(out / "full" / "run", plan, FULL, full_run, 0)
        if wish.proven:
            found = Landed(decision=sha256(out / "decision.json"), metrics=facts.metrics, earlier=wish.earlier,
                           manifest_sha256=sha256(out / "full" / "run" / "manifest.json"))  # fmt: skip
            ledger.append(LANDED, **plain(found))
    return out


def _pilot(wish: Wish) -> dict[str, Any]:
    return {
        "question": wish.question,
        "goal": {
            "metric": "bits_per_byte", "target": TARGET, "confidence": 0.8,
            "full_run": {"parameters": FULL[0], "tokens": FULL[1]},
            "hardware": {"accelerator": "this machine", "count": 1, "price_per_hour": 0.4, "receipt": None},
            "limits": {"cost": 5.0, "time": 7200.0},
        },
        "tokenizer": {"kind": "bpe", "vocabulary": 4096},
        "scales": [{"parameters": p, "tokens": t} for p, t in SCALES.values()],
        "seeds": wish.seeds,
        "variants": {
            name: {"set": {"model.feedforward.kind": name}, "why": why} for name, (_, why) in wish.variants.items()
        },
        "rule": {"worth": 0.005, "level": 0.95, "power": 0.8, "most_seeds": 8},
        "budget": {"time": 480.0, "flops": None},
    }  # fmt: skip


def _value(name: str, scale: str, seed: int, effect: float, repeat: str) -> float:
    parameters, tokens = SCALES[scale]
    bend = 0.004 * math.sin(3 * math.log(parameters))  # what no law says: hold-outs must not be perfect
    clean = 0.9 + 6.1 / parameters**0.19 + 9.5 / tokens**0.21 + bend
    shared = stream(seed, "seed", scale, repeat).normal() * 0.0022
    own = stream(seed, "own", name, scale, repeat).normal() * 0.0009
    return float(clean * math.exp(shared + own) * (1 + effect))


def _rows(out: Path, wish: Wish) -> list[Row]:
    rows: list[Row] = []
    arms = {BASELINE: (0.0, ""), **wish.variants}
    for name, (effect, _) in arms.items():
        for scale in SCALES:
            rows += [_row(out, name, scale, seed, effect) for seed in range(wish.seeds)]
    rows += [_row(out, BASELINE, "100k-2M", seed, 0.0, repeat="batches") for seed in range(2)]
    for seed in (1000, 1001):
        for name in (BASELINE, *list(wish.variants)[:1]):
            rows.append(_row(out, name, "1M-20M", seed, arms[name][0], confirmation=True))
    last = list(wish.variants)[-1]
    rows.append(
        Row(name=f"{last}/1M-20M/seed9", variant=last, scale="1M-20M", seed=9, status="failed", fingerprint="0" * 16,
            error=wish.error)
    )  # fmt: skip
    return rows


def _row(
    out: Path, variant: str, scale: str, seed: int, effect: float, repeat: str = "", confirmation: bool = False
) -> Row:
    value = _value(variant, scale, seed, effect, repeat)
    name = f"{variant}/{scale}/seed{seed}" + (f"-{repeat}" if repeat else "")
    plan = {"variant": variant, "scale": scale, "seed": seed, "repeat": repeat}
    parameters, tokens = SCALES[scale]
    facts = _run(out / "runs" / name, plan, SCALES[scale], value, seed)
    return Row(
        name=name, variant=variant, scale=scale, seed=seed, repeat=repeat,
        round="confirmation" if confirmation else "main", status="finished", fingerprint=fingerprint(plan),
        manifest_sha256=sha256(out / "runs" / name / "manifest.json"), parameters=parameters,
        total_parameters=parameters * 1.8, tokens=tokens, flops=facts.flops, epochs=facts.epochs, metrics=facts.metrics,
        fit="underfit: still falling 1.2 % per tenth of the run" if scale == "100k-2M" and seed == 0 else "ok",
    )  # fmt: skip


def _run(folder: Path, plan: dict[str, Any], size: tuple[float, float], value: float, seed: int) -> RunFacts:
    parameters, tokens = size
    metrics = {"bits_per_byte": value, "nats_per_token": value * 2.4, "perplexity": math.exp(value * 2.4)}
    with building(folder, kind="run", fingerprint=fingerprint(plan), settings=plan) as draft:
        lines = [json.dumps(line) for line in _lines(value, tokens, seed)]
        write_atomic(draft.folder / "metrics.jsonl", "\n".join(lines) + "\n")
        facts = RunFacts(
            status="finished", fingerprint=fingerprint(plan), metrics=metrics, train_bits_per_byte=value - 0.03,
            gap=0.03, parameters=int(parameters), total_parameters=int(parameters * 1.8), tokens=int(tokens),
            epochs=tokens / 1.1e7, steps=int(tokens / 4096), flops=7.2 * parameters * tokens, bytes_per_token=3.4,
            scored_bytes=400_000, fit="ok", why="", precision="float32", versions={"torch": "2.13.0+cpu"},
        )  # fmt: skip
        write_atomic(draft.folder / "run.json", facts.to_json())
    return facts


def _lines(value: float, tokens: float, seed: int) -> list[dict[str, Any]]:
    shake = stream(seed, "steps")
    lines: list[dict[str, Any]] = []
    for index in range(1, 41):
        share = index / 40
        lines.append({"kind": "step", "step": index, "tokens": int(tokens * share), "epoch": share,
                      "loss": value * 2.4 * (1 + 0.5 * (1 - share) ** 3) + float(shake.normal()) * 0.04, "lr": 0.003,
                      "gradient_norm": 0.6})  # fmt: skip
    for index in range(1, 11):
        share = index / 10
        loss = value * (1 + 0.55 * (1 - share) ** 3 * (1.1 - share))
        lines.append(
            {
                "kind": "evaluation",
                "step": index * 4,
                "tokens": int(tokens * share),
                "epoch": share,
                "bits_per_byte": loss,
                "nats_per_token": loss * 2.4,
                "perplexity": math.exp(loss * 2.4),
            }
        )
    return lines


def _texts(out: Path, wish: Wish) -> None:
    def much(documents: int, size: int) -> dict[str, int]:
        return {"documents": documents, "bytes": size}

    sources = {
        wish.source: {
            "kind": "python_library", "files": 2412, "passed_over": {".so": 71}, "read": much(2410, 38_000_000),
            "train": much(2204, 33_900_000), "held_out": much(24, 410_000), "dropped": much(182, 3_100_000),
            "quarantined": {"wrong encoding": 2},
        },
        "docs": {
            "kind": "python_docs", "files": 310, "passed_over": {}, "read": much(5120, 4_100_000),
            "train": much(4470, 3_600_000), "held_out": much(50, 41_000), "dropped": much(600, 300_000), "quarantined": {},
        },
    }  # fmt: skip
    facts = {
        "records": 7532, "train": much(6674, 37_500_000), "held_out": much(74, 451_000),
        "dropped": {"exact": {"seen before": much(540, 2_100_000)}, "length": {"shorter than 200": much(242, 1_300_000)}},
        "quarantined": {"wrong encoding": 2}, "edited": {"unicode": 31}, "sources": sources,
    }  # fmt: skip
    with building(
        out / "corpus" / "c0ffee0123456789", kind="corpus", fingerprint="c0ffee0123456789", settings={}
    ) as draft:
        draft.facts |= facts
    _tokens(out / "tokens" / "70ce0123456789ab", wish, TEXT)


def _tokens(folder: Path, wish: Wish, held_out: str) -> None:
    def split(documents: int, tokens: int, size: int) -> dict[str, Any]:
        return {"documents": documents, "tokens": tokens, "bytes": size, "bytes_per_token": size / tokens}

    train = {**split(6674, 11_000_000, 37_500_000), "changed": 0, "sources": {
        wish.source: split(2204, 10_000_000, 33_900_000), "docs": split(4470, 1_000_000, 3_600_000)}}  # fmt: skip
    settings = {"tokenizer": {"kind": "bpe", "vocabulary": 4096}}
    with building(folder, kind="tokens", fingerprint="70ce0123456789ab", settings=settings) as draft:
        write_atomic(draft.folder / passages_file("held_out"), held_out)
        draft.facts |= {"vocabulary": 4096, "end": 4095, "dtype": "<u2", "splits": {
            "train": train, "held_out": {**split(74, 136_000, 451_000), "changed": 0, "sources": {}}}}  # fmt: skip


def _folds(scores: tuple[float, ...]) -> CrossValidation:
    return CrossValidation(rung="100k-2M", scores=scores, score=k_fold(scores, unit="bits/byte"), first=apart(scores))


def _decision(wish: Wish, criteria: str, results: Results) -> Decision:
    rule = Rule(worth=0.005)
    compared = compare(
        [
            Observation(
                variant=row.variant,
                scale=row.scale,
                size=row.flops,
                seed=row.seed,
                repeat=row.repeat,
                value=row.metrics["bits_per_byte"],
            )
            for row in results.finished()
        ],
        BASELINE,
        rule,
    )
    findings = [_finding(wish, item, rule) for item in compared.comparisons]
    findings.sort(key=lambda finding: list(wish.variants).index(finding.variant))
    forecast = Ladder.of(
        Point(row.parameters, row.tokens, row.metrics["bits_per_byte"], row.flops, str(row.seed))
        for row in results.ladder()
    ).predict(*FULL, level=0.9)
    return Decision(
        question=wish.question, criteria=criteria, worth=0.005, deviations=(), launch=Launch.GO_WITH_CHANGES,
        because=(
            "With swiglu the full run is predicted to reach its target with the confidence asked for.",
            "As declared, without the change, it would more likely miss it; time and cost are within their limits.",
        ),
        would_change=(
            "A measured throughput on the target hardware below 4,100 tokens per second would break the time limit.",
            "A fourth rung at 2M parameters that lands above the band would lower the chance below 80 %.",
        ),
        target=_target(forecast),
        checks=_checks(),
        findings=tuple(findings),
        adopted=tuple(item.variant for item in findings if item.verdict is Verdict.ADOPT),
        noise=compared.noise, cross_validation=_folds(wish.folds), forecast=forecast,
        cost=_cost(),
        trials={"planned": 54, "finished": 51, "failed": 1, "killed": 0, "left out": 2},
        advice=ADVICE,
        not_tested=(
            "Stability at the full size: no rung came near the learning rate at which it diverges.",
            "Downstream tasks: only the loss on held-out text was measured.",
        ),
        versions={"python": "3.11.9", "pilotlight": "0.1.0", "torch": "2.13.0+cpu"},
    )  # fmt: skip


def _target(forecast: Prediction) -> Target:
    return Target(
        metric="bits_per_byte", unit="bits/byte", threshold=TARGET, parameters=FULL[0], tokens=FULL[1],
        prediction=forecast.loss.scaled(1 - 0.019, forecast.loss.unit),
        probability=forecast.probability_below(TARGET / (1 - 0.019)), baseline=forecast.loss,
        baseline_probability=forecast.probability_below(TARGET),
    )  # fmt: skip


def _finding(wish: Wish, item: Any, rule: Rule) -> Finding:
    judgement = judge(item, rule)
    first = item.variant == next(iter(wish.variants))
    return Finding(
        variant=item.variant, why=wish.variants[item.variant][1],
        changes={"model.feedforward.kind": ("relu_squared", item.variant), "train.optim.lr": (0.003, 0.006)},
        verdict=judgement.verdict, because=judgement.because, next=judgement.next, comparison=item,
        confirmation=item.by_scale["1M-20M"] if first else None, held_out=_on_shards(item),
    )  # fmt: skip


def _on_shards(item: Any) -> Shards:
    """Return the effect on ten shards that differ by a third of a percent."""
    found, shifts = item.by_scale[item.scale], stream(0, "shards", item.variant).normal(0, 0.0033, 10)
    return over_shards(item, [
        found.model_copy(update={name: getattr(found, name) + shift for name in ("value", "low", "high")})
        for shift in shifts.tolist()
    ])  # fmt: skip


def _estimate(value: float, low: float, high: float, unit: str, method: str) -> Estimate:
    return Estimate(value=value, low=low, high=high, level=0.8, unit=unit, n=40, method=method)


def _checks() -> tuple[Check, ...]:
    return (
    Check(name="chance of the target", threshold="at least 80 %", found="86 %", status="pass",
          because="Predicted with model error from hold-outs of the ladder."),
    Check(name="cost", threshold="P90 at most $5.00", found="$1.31", status="pass", because="Measured throughput."),
    Check(name="power of adopted changes", threshold="at least 80 %", found="97 %", status="pass",
          because="swiglu was confirmed on two fresh seeds."),
    Check(name="open questions", threshold="none", found="1", status="unknown",
          because="untied could not be decided.", way_out="train five more seeds of untied"),
)  # fmt: skip


def _cost() -> Cost:
    pace = Range("training steps", 5.8e-12, 6.4e-12, 8.1e-12, "s per FLOP", "measured", "40 measured steps", 40)
    scenario = Scenario(
        shape=shape_of(FULL[0], 256, 4096, tied=True), arithmetic=Arithmetic("float32"), tokens=FULL[1],
        flops=7.2 * FULL[0] * FULL[1], devices=1, hardware="Example CPU 2.1 GHz", pace=pace, basis="measured",
        because="steps of the full shape measured on this machine on 2026-11-20",
        price=exactly("price", 0.4, "USD per device and hour", "given", "price from the plan"),
        power=exactly("power", 120, "W a device", "given", "power from the plan"),
        pilots=exactly("pilots", 3240, "s", "measured", "the pilot's FLOPs at the calibrated rate of this machine"),
    )  # fmt: skip

    def foretell(parameters: float, tokens: float, flops: float) -> tuple[Estimate, str]:
        value = 1.12 * (FULL[0] * FULL[1] / parameters / tokens) ** 0.05 * (flops / scenario.flops) ** 0.01
        return _estimate(value, value - 0.04, value + 0.04, "bits/byte", "made up"), "made up"

    rest = cost_of(scenario, 7.2e14, foretell)
    return rest.model_copy(update={
        "seconds": _estimate(9000, 8200, 11800, "s", "40 measured steps, times 29297 steps"),
        "money": _estimate(1.0, 0.91, 1.31, "USD", "0.4 USD per hour and device (price from the plan)"),
    })  # fmt: skip
