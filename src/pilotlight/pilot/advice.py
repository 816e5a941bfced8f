"""Rules of thumb the pilot is checked against, and what it did not test, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from pilotlight.pilot.pilot import Pilot, Scale
from pilotlight.record.decision import Target
from pilotlight.record.forecast import Prediction
from pilotlight.record.results import BASELINE, Results
from pilotlight.units import show_count, show_share

_PARTS = {
    "corpus": "the data recipe: filters, deduplication and mixture are as the baseline has them",
    "tokenizer": "the tokenizer: kind and vocabulary",
    "model.mixer": "the mixer: attention, recurrence or convolution",
    "model.feedforward": "the feed-forward",
    "model.norm": "the normalisation",
    "model.position": "the positions",
    "train.optim": "the optimiser and its learning rate",
    "train.schedule": "the schedule",
}
_PROPORTION = 4.0  # width per block, beside the baseline's, from which on the shape is said


def advice(pilot: Pilot, results: Results, prediction: Prediction | None) -> tuple[str, ...]:
    """Return what experience says about this pilot's shape as far as it was trained, each with its reason."""
    found = _ladder(pilot, results)
    for name, setup in ((name, pilot.variants[name]) for name in pilot.variants):
        if len(setup.set) > 1:
            found.append(
                f"{name} changes {len(setup.set)} settings at once; changing one at a time says which one matters."
            )
    ran = {row.scale for row in results.finished()}
    found += odd_shapes(pilot, [scale for scale in pilot.compared if scale.name in ran])
    found += _without_verdict(pilot, results)
    ill = [row for row in results.finished(BASELINE) if row.fit and not row.fit.startswith("ok")]
    found += sorted({f"{row.scale}: {row.fit}" for row in ill})
    if prediction is not None:
        found += [f"Prediction: {caution}" for caution in prediction.cautions]
    return tuple(found)


def odd_shapes(pilot: Pilot, rungs: Sequence[Scale]) -> list[str]:
    """Return a sentence for each variant whose model is of quite another proportion than the baseline's at the same rung.

    Widths go in steps, depths by turns of a pattern: the nearest size may have an odd shape, and the effect is of both.
    """
    found: list[str] = []
    for name in (
        name for name, variant in pilot.variants.items() if not {"model.depth", "model.width"} & set(variant.set)
    ):
        for rung in rungs:
            old, new = pilot.plan(BASELINE, rung, 0).model, pilot.plan(name, rung, 0).model
            ratio = (new.width or 1) * (old.depth or 1) / ((old.width or 1) * (new.depth or 1))
            if not 1 / _PROPORTION <= ratio <= _PROPORTION:
                found.append(
                    f"{name} at {rung.name} has depth {new.depth} and width {new.width}, the baseline {old.depth} and "
                    f"{old.width}: part of the effect may be the shape's. Finer widths (a smaller head_dim) bring them together."
                )
                break
    return found


def _ladder(pilot: Pilot, results: Results) -> list[str]:
    """Return what there is to say about the rungs at which the baseline was trained to the end."""
    finished = {row.scale for row in results.ladder()}
    trained = [scale for scale in pilot.scales if scale.name in finished]
    missing = [scale.name for scale in pilot.scales if scale.name not in finished]
    found: list[str] = []
    if missing:
        found.append(f"The baseline was not trained at {', '.join(missing)}: what follows is judged without.")
    share = max((scale.parameters for scale in trained), default=0.0) / pilot.goal.full_run.parameters
    if 0 < share < 0.1:
        found.append(
            f"The largest rung has {show_share(share, 1)} of the full run's parameters; where it is affordable, 10 to 50 % "
            "makes the prediction safer. The extrapolation factor is printed beside it."
        )
    if len({scale.parameters for scale in trained}) < 3:
        found.append("Fewer than three sizes: a law with a floor cannot be told from one without. Add a rung.")
    if len({round(scale.tokens / scale.parameters, 3) for scale in trained}) == 1:
        found.append(
            "Every rung has the same tokens per parameter, so the effects of size and of data cannot be told apart. "
            "Add a rung with more tokens."
        )
    return found


def _without_verdict(pilot: Pilot, results: Results) -> list[str]:
    found: list[str] = []
    for name in (name for name in pilot.variants if not any(results.finished(name))):
        lost = [row for row in results.lost() if row.variant == name]
        why = f"every trial of it was lost, the first by: {lost[0].error}" if lost else "the budget left it out"
        found.append(f"{name} has no verdict: {why}")
    return found


def not_tested(pilot: Pilot, results: Results, adopted: tuple[str, ...], target: Target) -> tuple[str, ...]:
    """Return what no finished trial of this pilot speaks about."""
    trained = [variant for name, variant in pilot.variants.items() if any(results.finished(name))]
    paths = [path for variant in trained for path in variant.set]
    found = [text for part, text in _PARTS.items() if not any(path.startswith(part) for path in paths)]
    if len(adopted) > 1:
        found.append("the adopted changes were trained one at a time, never together")
    found += [
        f"stability at {show_count(target.parameters)} parameters: spikes grow with size and come late",
        "several accelerators or nodes",
        "bias, toxicity and safety of what the model writes",
    ]
    if not pilot.goal.is_of_task:
        found.append("downstream tasks: the goal is a loss on held-out text (see `pilot score`)")
    return tuple(found)
