"""Checkpoints that are whole or absent: written aside, hashed, published by a rename, never rewritten.

Reading checks every byte against the manifest. A damaged checkpoint is moved to ``quarantine`` and the newest valid
one is used; where some were made and none is valid, the run refuses to start over by itself.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple, final

import torch
from torch import nn

from pilotlight.errors import RecordError, RunError
from pilotlight.manifest import building, read_manifest
from pilotlight.record.incident import Incident
from pilotlight.train.state import State

_KIND = "checkpoint"
_MASKS = "masks.safetensors"


@final
class Checkpoint(NamedTuple):
    """A valid checkpoint on disk: its folder and the facts of its ``state.json``."""

    folder: Path
    facts: dict[str, Any]


def _named_state(state: State) -> dict[str, torch.Tensor]:
    """Return the optimiser's tensors by ``parameter name/what``."""
    found: dict[str, torch.Tensor] = {}
    for name, parameter in state.model.named_parameters():
        for what, value in state.optimiser.state.get(parameter, {}).items():
            if value is not None:
                found[f"{name}/{what}"] = value.detach().cpu().contiguous()
    return found


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return the model's tensors by name, on the CPU."""
    return {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}


def save(checkpoints: Path, state: State, fingerprint: str) -> Path:
    """Return the folder of a new, published checkpoint of ``state``.

    Raises:
        ResourceError: the disk is full; earlier checkpoints are untouched.
    """
    from safetensors.torch import save as to_bytes

    facts = {**state.facts(), "metrics_bytes": state.log.sync()}
    folder = _new_name(checkpoints, state.step)
    with building(folder, kind=_KIND, fingerprint=fingerprint, settings={}) as draft:
        (draft.folder / "model.safetensors").write_bytes(to_bytes(weights(state.model)))
        (draft.folder / "optim.safetensors").write_bytes(to_bytes(_named_state(state)))
        if state.pruner is not None:
            (draft.folder / _MASKS).write_bytes(to_bytes(state.pruner.state()))
        (draft.folder / "state.json").write_text(json.dumps(facts, allow_nan=False), encoding="utf-8")
        draft.facts["step"] = state.step
    return folder


def _new_name(checkpoints: Path, step: int) -> Path:
    folder, number = checkpoints / f"step-{step:08d}", 1
    while folder.exists():
        number += 1
        folder = checkpoints / f"step-{step:08d}-{number}"
    return folder


def _found(checkpoints: Path) -> list[Path]:
    """Return checkpoint folders, newest first: by step, then by how often that step was saved."""

    def order(folder: Path) -> tuple[int, int]:
        step, _, number = folder.name.removeprefix("step-").partition("-")
        return int(step), int(number or 1)

    return sorted((path for path in checkpoints.glob("step-[0-9]*") if path.is_dir()), key=order, reverse=True)


def newest(checkpoints: Path, fingerprint: str) -> tuple[Checkpoint | None, list[Incident]]:
    """Return the newest valid checkpoint, None if none was ever made, and what was found damaged.

    Damaged ones are moved to ``quarantine`` beside ``checkpoints``; what a killed save left is removed.

    Raises:
        RunError: checkpoints were made, but none is valid.
        RecordError: the checkpoint was made from other tokens.
    """
    for left_over in checkpoints.glob(".*.partial"):
        shutil.rmtree(left_over, ignore_errors=True)
    found, incidents = _first_valid(_found(checkpoints), fingerprint)
    if found is not None:
        return found, incidents
    quarantine = checkpoints.with_name("quarantine")
    if quarantine.is_dir() and any(quarantine.iterdir()):
        raise RunError(f"no checkpoint in {checkpoints} is valid; the damaged ones are in {quarantine}. Restore one "
                       f"from a copy, or remove {checkpoints.parent} to train again from the start.")  # fmt: skip
    return None, incidents


def anchor(checkpoints: Path, fingerprint: str, step: int, every: int) -> tuple[Checkpoint | None, list[Incident]]:
    """Return the newest valid checkpoint of a multiple of ``every`` steps up to ``step``, and what was found damaged."""
    return _first_valid([path for path in _found(checkpoints) if (at := _step(path)) <= step and at % every == 0],
                        fingerprint)  # fmt: skip


def _first_valid(folders: list[Path], fingerprint: str) -> tuple[Checkpoint | None, list[Incident]]:
    incidents: list[Incident] = []
    for folder in folders:
        try:
            manifest = read_manifest(folder, _KIND, verify=True)
            facts = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        except (RecordError, OSError, ValueError) as error:
            incidents.append(_quarantine(folder, str(error)))
            continue
        if manifest.fingerprint != fingerprint:
            raise RecordError(f"{folder} was made by the same plan from other tokens. Choose another folder for "
                              "this run, or remove that one.")  # fmt: skip
        return Checkpoint(folder, facts), incidents
    return None, incidents


def _quarantine(folder: Path, why: str) -> Incident:
    home = folder.parent.with_name("quarantine")
    home.mkdir(exist_ok=True)
    target, number = home / folder.name, 1
    while target.exists():
        number += 1
        target = home / f"{folder.name}.{number}"
    folder.rename(target)
    return Incident(
        kind="damaged_checkpoint",
        step=_step(target),
        seen=why,
        action=f"moved to {target}; an earlier checkpoint is used",
    )


def restore(checkpoint: Checkpoint, state: State) -> None:
    """Fill ``state``, made from the same plan, with a checkpoint: the training goes on bit for bit."""
    from safetensors.torch import load_file

    state.restore(checkpoint.facts)
    state.model.load_state_dict(load_file(checkpoint.folder / "model.safetensors"))
    tensors = load_file(checkpoint.folder / "optim.safetensors")
    names = {parameter: name for name, parameter in state.model.named_parameters()}
    groups = state.optimiser.param_groups
    ordered = [names[parameter] for group in groups for parameter in group["params"]]
    by_name: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        name, _, what = key.rpartition("/")
        by_name.setdefault(name, {})[what] = tensor
    filled = {index: by_name[name] for index, name in enumerate(ordered) if name in by_name}
    state.optimiser.load_state_dict({"state": filled, "param_groups": state.optimiser.state_dict()["param_groups"]})
    if state.pruner is not None:
        masks = checkpoint.folder / _MASKS
        state.pruner.restore(load_file(masks) if masks.is_file() else None, state.optimiser)


def prune(checkpoints: Path, keep: int, milestone_every: int | None, kept: Collection[int] = ()) -> None:
    """Remove all but the ``keep`` newest checkpoints, those of the steps ``kept`` and multiples of ``milestone_every``.

    Called right after a save, so that the newest is known to be whole.
    """
    for folder in _found(checkpoints)[keep:]:
        step = _step(folder)
        if step not in kept and not (milestone_every and step % milestone_every == 0):
            shutil.rmtree(folder, ignore_errors=True)


def abandon(checkpoints: Path, after: int) -> None:
    """Remove the checkpoints of steps beyond ``after``: of a way that the training has left.

    Each is renamed first, so that one that is half removed is never taken for a damaged one.
    """
    for folder in _found(checkpoints):
        if _step(folder) > after:
            shutil.rmtree(folder.rename(folder.with_name(f".{folder.name}.abandoned.partial")), ignore_errors=True)


def _step(folder: Path) -> int:
    return int(folder.name.split("-")[1].partition(".")[0])
