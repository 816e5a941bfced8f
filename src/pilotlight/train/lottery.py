"""The lottery ticket: whether a sparse part of a trained model, from its early weights, learns what random ones cannot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, final

import torch
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor

from pilotlight.errors import ConfigError, RecordError
from pilotlight.events import Progress, Watcher, silent
from pilotlight.manifest import write_atomic
from pilotlight.randomness import seed_for
from pilotlight.record.run import Run
from pilotlight.spec import Record, fingerprint, plain
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import critical, mean, products
from pilotlight.tokens.tokens import Tokens
from pilotlight.train import checkpoint
from pilotlight.train.loop import train
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan
from pilotlight.train.sparsity._pruner import prunable
from pilotlight.train.tickets import Tickets

RECORD = "lottery.json"
MASKS = "masks.safetensors"
_LEVEL = 0.95
Verdict = Literal["ticket better than control", "control better than ticket", "undecided", "one seed: no interval"]


@final
class Round(Record):
    """One round of pruning: the ticket and its control, by seed."""

    round: int
    zero_share: float
    """Share of zeros among the weights of the matrices inside blocks."""
    tickets: tuple[float, ...]
    """Held-out loss in ``Lottery.metric``: the weights of the early step under the mask, trained on."""
    controls: tuple[float, ...]
    """The same mask over fresh random weights, trained from the first step to the last."""
    effect: Estimate | None
    """Relative difference of the ticket from the control; None with one seed."""
    verdict: Verdict


@final
class Lottery(Record):
    """What a search for tickets came to."""

    fingerprint: str
    """Of the plan, the tokens and the settings of the search."""
    metric: str
    """What losses are in."""
    steps: int
    rewind_step: int
    """Step of the dense training whose state tickets begin from; 0: the start."""
    seeds: tuple[int, ...]
    dense: tuple[float, ...]
    """Loss of the dense training, by seed."""
    rounds: tuple[Round, ...]
    flops: float
    """Of all trainings, as dense hardware computes them."""


def lottery(
    plan: Plan, machine: Machine, tokens: Tokens, out: Path, settings: Tickets, *, watch: Watcher = silent
) -> Lottery:
    """Return what tickets and controls of ``plan`` reach; killed and started again it goes on.

    Every training is a run folder of its own below ``out``, beside the masks of its round; ``out/lottery.json`` keeps the
    result.

    Raises:
        ConfigError: the plan is sparse already, or goes on from another run.
        ConfigError, DataError, RecordError, ResourceError, RunError: as ``train`` does.
    """
    if plan.train.sparsity is not None:
        raise ConfigError("the plan has train.sparsity already; take it away, since tickets bring masks of their own.")
    if plan.train.start.kind == "branch":
        raise ConfigError("the plan goes on from another run (train.start: branch); give one that starts by itself.")
    search = _Search(plan, machine, tokens, out, settings, watch)
    seeds = tuple(plan.seed + number for number in range(settings.seeds))
    found = [search.with_seed(seed) for seed in seeds]
    resolved = plan.resolved(machine.resolve().device)
    result = Lottery(
        fingerprint=fingerprint(resolved.identity(), tokens.fingerprint, plain(settings)),
        metric=plan.train.objective.metric, steps=plan.steps, rewind_step=search.step, seeds=seeds,
        dense=tuple(runs[0].loss for runs in found),
        rounds=tuple(
            _round([runs[number] for runs in found], number, settings) for number in range(1, settings.rounds + 1)
        ),
        flops=math.fsum(one.flops for runs in found for one in runs),
    )  # fmt: skip
    write_atomic(out / RECORD, result.to_json() + "\n")
    return result


@final
class _Drawn(Record):
    """What one round gave with one seed; round 0 is the dense training and its own control."""

    loss: float
    control: float
    zero_share: float
    flops: float


@final
class _Search:
    """The trainings of a search and where they stand."""

    def __init__(
        self, plan: Plan, machine: Machine, tokens: Tokens, out: Path, settings: Tickets, watch: Watcher
    ) -> None:
        self.plan, self.machine, self.tokens, self.out = plan, machine, tokens, out
        self.settings, self.watch = settings, watch
        self.step = settings.rewind_step(plan.steps)
        self.done = 0

    def with_seed(self, seed: int) -> list[_Drawn]:
        """Return the dense training and the rounds of one seed."""
        plan, folder = self.plan.model_copy(update={"seed": seed}), self.out / f"seed-{seed}"
        run = dense = self._dense(plan, folder / "dense")
        loss = _loss(run)
        found = [_Drawn(loss=loss, control=loss, zero_share=0.0, flops=run.facts.flops)]
        masks = whole_masks(plan, self.tokens)
        for number in range(1, self.settings.rounds + 1):
            place = folder / f"round-{number}"
            masks = pruned(load_file(run.model / "model.safetensors"), masks, self.settings.prune)
            _keep(place / MASKS, masks)
            run = self._train(self._ticket(plan, dense, place / MASKS), place / "ticket", f"ticket {number}")
            control = self._train(_control(plan, place / MASKS), place / "control", f"control {number}")
            kept, whole = (sum(f(mask) for mask in masks.values()) for f in (lambda m: int(m.sum()), Tensor.numel))
            found.append(_Drawn(loss=_loss(run), control=_loss(control), zero_share=1 - kept / whole,
                                flops=run.facts.flops + control.facts.flops))  # fmt: skip
        return found

    def _dense(self, plan: Plan, folder: Path) -> Run:
        """Return the dense training, of whose checkpoints the one to rewind to is kept."""
        machine = self.machine.model_copy(update={"milestone_every": self.step or None})
        run = self._train(plan, folder, "dense", machine)
        checkpoint.prune(folder / "checkpoints", 1, None, (self.step,))
        return run

    def _train(self, plan: Plan, folder: Path, name: str, machine: Machine | None = None) -> Run:
        def tell(share: float) -> None:
            total = self.settings.trainings()
            self.watch(Progress("lottery", self.done + share, total, "trainings", f"seed {plan.seed}, {name}"))

        def relay(event: Any) -> None:
            if not isinstance(event, Progress):
                self.watch(event)
            elif event.task == "training" and event.total and event.done < event.total:
                tell(event.done / event.total)

        run = train(plan, machine or self.machine, self.tokens, folder, watch=relay)
        self.done += 1
        tell(0.0)
        return run

    def _ticket(self, plan: Plan, dense: Run, masks: Path) -> Plan:
        start = {"kind": "branch", "path": str(dense.folder.absolute()), "step": self.step}
        return _changed(plan, {"sparsity": _fixed(masks)} | ({"start": start} if self.step else {}))


def whole_masks(plan: Plan, tokens: Tokens) -> dict[str, Tensor]:
    """Return masks that keep every weight of the matrices inside blocks."""
    with torch.device("meta"):
        model = plan.model.build(plan.ids(tokens.vocabulary))
    return {name: torch.ones(value.shape, dtype=torch.bool) for name, value in prunable(model).items()}


def pruned(weights: Mapping[str, Tensor], masks: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Return the masks without ``share`` of the weights they keep: the smallest, over all matrices together."""
    kept = sum(int(mask.sum()) for mask in masks.values())
    sizes = torch.cat([weights[name].float().abs().masked_fill(~mask, -1.0).flatten() for name, mask in masks.items()])
    order = sizes.argsort(descending=True, stable=True)[: max(1, round((1 - share) * kept))]
    flat = torch.zeros_like(sizes, dtype=torch.bool).index_fill_(0, order, True)
    parts = flat.split([mask.numel() for mask in masks.values()])
    return {name: part.view(mask.shape).clone() for (name, mask), part in zip(masks.items(), parts, strict=True)}


def _keep(path: Path, masks: dict[str, Tensor]) -> None:
    """Write masks that are not there yet."""
    content = to_bytes(masks)
    if not path.is_file():
        write_atomic(path, content)
    elif path.read_bytes() != content:
        raise RecordError(f"{path} holds the masks of another search, or was changed. Choose another --out.")


def _control(plan: Plan, masks: Path) -> Plan:
    """Return the training of fresh random weights under the masks, all steps long."""
    fresh = seed_for(plan.seed_of("weights"), "lottery control") & 0x7FFFFFFF
    changed = _changed(plan, {"sparsity": _fixed(masks), "start": {"kind": "random"}})
    return changed.model_copy(update={"reseed": plan.reseed | {"weights": fresh}})


def _fixed(masks: Path) -> dict[str, str]:
    return {"kind": "fixed", "path": str(masks.absolute())}


def _changed(plan: Plan, training: dict[str, Any]) -> Plan:
    data = plain(plan)
    return Plan.model_validate(data | {"train": data["train"] | training})


def _loss(run: Run) -> float:
    return run.facts.metrics[run.facts.metric]


def _round(drawn: list[_Drawn], number: int, settings: Tickets) -> Round:
    tickets, controls = tuple(one.loss for one in drawn), tuple(one.control for one in drawn)
    effect = effect_of(tickets, controls, settings.rounds)
    return Round(
        round=number, zero_share=drawn[0].zero_share, tickets=tickets, controls=controls, effect=effect,
        verdict=verdict(effect),
    )  # fmt: skip


def effect_of(tickets: tuple[float, ...], controls: tuple[float, ...], rounds: int) -> Estimate | None:
    """Return the relative difference of tickets from controls that share their seeds; None with one seed.

    The rounds of a search stand on the same dense trainings, so no round borrows noise from another; the level is
    corrected for their number (Bonferroni).
    """
    gaps = [math.log(ticket / control) for ticket, control in zip(tickets, controls, strict=True)]
    count = len(gaps)
    if count < 2:
        return None
    level = 1 - (1 - _LEVEL) / rounds
    half = critical(level, count - 1) * math.sqrt(products(gaps, gaps) / (count - 1) / count)
    low, value, high = (math.expm1(min(300.0, mean(gaps) + shift)) for shift in (-half, 0.0, half))
    return Estimate(
        value=value, low=low, high=high, level=level, unit="relative", n=count,
        method=f"paired t over seeds, level corrected for {rounds} rounds" if rounds > 1 else "paired t over seeds",
    )  # fmt: skip


def verdict(effect: Estimate | None) -> Verdict:
    """Return what an effect says in words: better or worse only where its interval lies wholly on that side of zero."""
    if effect is None:
        return "one seed: no interval"
    if effect.high < 0:
        return "ticket better than control"
    return "control better than ticket" if effect.low > 0 else "undecided"
