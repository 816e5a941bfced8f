"""Which models are scored: runs of one set-up together, set-ups and reference models beside each other."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, final

from pilotlight.errors import ConfigError, DataError, RecordError, nearest
from pilotlight.manifest import NAME, read_manifest, sha256
from pilotlight.record.results import BASELINE, Results, Row
from pilotlight.record.run import KIND as RUN
from pilotlight.record.run import Run
from pilotlight.spec import canonical, fingerprint

MODEL = "model"
_RANDOM = ("seed", "reseed")


@final
@dataclass(frozen=True)
class Member:
    """One model that is scored."""

    name: str
    """Tells it from the others of its arm: the seed, where there are several."""
    folder: Path
    kind: Literal["run", "model", "reference"]

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the weights and what else decides the scores."""
        if self.kind != "reference":
            return fingerprint(read_manifest(self.folder / MODEL if self.kind == RUN else self.folder, MODEL).files)
        files = sorted(path for path in self.folder.iterdir() if path.suffix in (".safetensors", ".json"))
        return fingerprint({path.name: sha256(path) for path in files})

    @cached_property
    def writes(self) -> bool:
        """Whether it predicts the next token, and so gives a text a likelihood; a masked model does not."""
        if self.kind == "reference":
            return True
        path = (self.folder / MODEL if self.kind == RUN else self.folder) / "model.json"
        try:
            return json.loads(path.read_bytes()).get("metric", "bits_per_byte") == "bits_per_byte"
        except (OSError, ValueError) as error:
            raise RecordError(f"{path} is missing or damaged. Train the model again.") from error

    def place(self, out: Path | None) -> Path:
        """Return the folder below which its scores are written: beside the run; a reference model is left as it is."""
        if out is not None:
            return out / f"{self.folder.name}-{self.fingerprint}"
        if self.kind == "reference":
            return Path("out") / "reference" / f"{self.folder.name}-{self.fingerprint}"
        return self.folder


@final
@dataclass(frozen=True)
class Arm:
    """Runs that differ in their seed alone, or one reference model."""

    name: str
    members: tuple[Member, ...]


def find(paths: Sequence[Path], variants: Sequence[str] = (), scale: str = "") -> list[Arm]:
    """Return the arms in ``paths``, in the order given: runs, folders of `pilot run` or `pilot train`, Hugging Face models.

    Runs whose plans differ in the seed alone are one arm. Of a pilot, the variants asked for (all by default) at one
    scale (the largest by default), without its A/A repeats and confirmations.

    Raises:
        DataError: a folder holds no model.
        RecordError: a run is unfinished or damaged.
        ConfigError: the pilot has no such variant or scale.
    """
    arms: dict[str, list[Member]] = {}
    names: dict[str, str] = {}
    pilots = False
    for path in paths:
        if (path / "ledger.jsonl").is_file():
            pilots = True
            for row in _rows(path, variants, scale):
                key = f"{path} {row.variant}/{row.scale}"
                names[key] = f"{row.variant}/{row.scale}"
                arms.setdefault(key, []).append(Member(f"seed{row.seed}", path / "runs" / row.name, "run"))
        else:
            for key, name, member in _single(path):
                names.setdefault(key, name)
                arms.setdefault(key, []).append(member)
    if (variants or scale) and not pilots:
        raise ConfigError(
            "--variant and --scale choose among the runs of a pilot; give the output folder of `pilot run`."
        )
    return [Arm(name, _unique(arms[key])) for key, name in _told_apart(names).items()]


def _told_apart(names: dict[str, str]) -> dict[str, str]:
    """Return a name of its own for every key: where two are the same, with a number."""
    counts: dict[str, int] = {}
    found: dict[str, str] = {}
    for key, name in names.items():
        counts[name] = counts.get(name, 0) + 1
        found[key] = name if counts[name] == 1 else f"{name} ({counts[name]})"
    return found


def _unique(members: list[Member]) -> tuple[Member, ...]:
    found = {member.folder.resolve(): member for member in members}
    taken: set[str] = set()
    unique: list[Member] = []
    for member in found.values():
        # Two repeats of one seed are two runs: each keeps its folder's name.
        name = member.name if member.name not in taken else str(member.folder)
        taken.add(name)
        unique.append(Member(name, member.folder, member.kind))
    return tuple(unique)


def _rows(out: Path, variants: Sequence[str], scale: str) -> list[Row]:
    rows = [row for row in Results.open(out).finished() if not row.repeat and row.round == "main"]
    if not rows:
        raise RecordError(f"{out} holds no finished run yet. Go on with `pilot run`.")
    known = sorted({row.variant for row in rows}, key=lambda name: (name != BASELINE, name))
    for name in variants:
        if name not in known:
            raise ConfigError(f"{out} has no finished run of variant {name!r}; it has {', '.join(known)}."
                              f"{nearest(name, known)}")  # fmt: skip
    wanted = list(variants) or known
    kept = [row for row in rows if row.variant in wanted]
    # The largest scale at which all of them were trained, so that every set-up is in the table.
    sizes = {row.scale: (row.parameters * row.tokens, row.scale) for row in kept}
    shared = [name for name in sizes if all(any(r.scale == name and r.variant == v for r in kept) for v in wanted)]
    if scale and scale not in sizes:
        raise ConfigError(
            f"{out} has no finished run at scale {scale!r}; it has {', '.join(sizes)}.{nearest(scale, sizes)}"
        )
    chosen = scale or max(shared or sizes, key=lambda name: sizes[name])
    order = {name: place for place, name in enumerate(wanted)}
    return sorted((row for row in kept if row.scale == chosen), key=lambda row: (order[row.variant], row.seed))


def _single(path: Path) -> list[tuple[str, str, Member]]:
    """Return key of the arm, its name, and the member, of a folder that is no pilot."""
    if (path / NAME).is_file() and not (path / "config.json").is_file():  # what `pilot model export` wrote has both
        kind = read_manifest(path).kind
        if kind == MODEL and (path.parent / NAME).is_file():
            return _single(path.parent)
        if kind == RUN:
            return [_run(path)]
        if kind == MODEL:
            return [(str(path.resolve()), str(path), Member("model", path, "model"))]
        raise DataError(
            f"{path} holds a {kind}, expected a run. Give the folder of a run, a pilot or a Hugging Face model."
        )
    if (path / "config.json").is_file():
        return [(str(path.resolve()), _name(path), Member("reference", path, "reference"))]
    if (path / "run" / NAME).is_file():
        return [_run(path / "run")]
    below = sorted(inner.parent for inner in path.glob(f"*/{NAME}") if read_manifest(inner.parent).kind == RUN)
    if below:
        return [_run(folder) for folder in below]
    started = "it is a run that is not finished" if (path / "plan.json").is_file() else "it has no manifest.json"
    raise DataError(
        f"{path} holds no model: {started}, nor a Hugging Face config.json. Give the folder of a run, the output folder "
        "of `pilot run` or `pilot train`, or a local Hugging Face folder."
    )


def _run(folder: Path) -> tuple[str, str, Member]:
    run = Run.open(folder)
    plan: dict[str, Any] = {key: value for key, value in run.plan.items() if key not in _RANDOM}
    key = fingerprint(canonical(plan), run.manifest.inputs)
    seed = f"seed{run.plan.get('seed', 0)}"
    reseed = run.plan.get("reseed") or {}
    name = f"{seed}-{json.dumps(reseed, sort_keys=True)}" if reseed else seed
    return key, _name(folder), Member(name, folder, "run")


def _name(folder: Path) -> str:
    """Return what people call the model: variant/scale where the folder is a seed's, the plan where it is ``run``."""
    parts = Path(os.path.abspath(folder)).parts  # noqa: PTH100 - links keep the name they were given
    if parts[-1].startswith("seed"):
        return "/".join(parts[-3:-1])
    return parts[-2] if parts[-1] == "run" else parts[-1]
