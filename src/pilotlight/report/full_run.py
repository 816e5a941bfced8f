"""The full run of a pilot, once it was trained, and whether it is the one that was predicted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, final

from pilotlight.errors import ConfigError, RecordError
from pilotlight.manifest import NAME, Manifest, read_manifest, sha256
from pilotlight.plan_file import read_yaml
from pilotlight.record.commitment import Commitment, Landed, landed, launched_by
from pilotlight.record.ledger import Entry
from pilotlight.record.run import FACTS, KIND, TIMING, RunFacts, Timing
from pilotlight.spec import diff
from pilotlight.tokens.tokens import passages_file

FOLDER = "full/run"
"""Where below the pilot's folder the full run is looked for: ``pilot train OUT/full.yaml`` writes there."""
_FREE = frozenset({"path", "seed", "reseed"})
"""Settings that a full run may have otherwise: the prediction is for the next seed, wherever its text lies."""


@final
@dataclass(frozen=True, slots=True)
class FullRun:
    """What the full run came to, and what sets it apart from the one that was predicted."""

    facts: RunFacts
    unlike: tuple[str, ...] = ()
    """Phrases such as "scored on other held-out text"; where there are any, it does not test the forecast."""
    promise: Commitment | None = None
    """The prediction that stood in the ledger before the run began; None where nothing proves that one did."""
    end: Landed | None = None
    """The run's end in the ledger."""
    seconds: float | None = None
    """What its training steps took, evaluations not counted; None where a killed process took its clock with it."""


def read_full_run(
    out: Path, tokens: Iterable[Manifest], scored_bytes: int | None, entries: Sequence[Entry] = ()
) -> FullRun | None:
    """Return the full run of the pilot in ``out``, or None while there is none.

    Args:
        out: the pilot's folder.
        tokens: manifests of the pilot's own tokens.
        scored_bytes: held-out bytes behind the pilot's own losses, if known.
        entries: of the pilot's ledger, which tell what was predicted before the run began.

    Raises:
        RecordError: its files are damaged.
    """
    folder = out / FOLDER
    if not (folder / NAME).is_file() or not (folder / FACTS).is_file():
        return None
    manifest = read_manifest(folder, KIND)
    try:
        facts = RunFacts.from_json((folder / FACTS).read_bytes())
    except (OSError, ValueError) as error:
        raise RecordError(f"{FOLDER}/{FACTS} is damaged. Train the full run again, or remove the folder.") from error
    own = {text for found in tokens if (text := _held_out(found))}
    other = scored_bytes is not None and facts.scored_bytes != scored_bytes
    unlike = [*_text(own, folder.parent, other), *_plan(out / "full.yaml", manifest.settings)]
    end = landed(entries)
    is_proven = end is not None and end.manifest_sha256 == sha256(folder / NAME)
    promise = launched_by(entries) if is_proven else None
    return FullRun(facts, tuple(unlike), promise, end if is_proven else None, _seconds(folder, facts.steps))


def _seconds(folder: Path, steps: int) -> float | None:
    """Return the seconds of all training steps, or None where not all of them were timed."""
    try:
        timing = Timing.from_json((folder / TIMING).read_bytes())
    except (OSError, ValueError):
        return None
    timed = sum(session.steps for session in timing.sessions)
    return sum(session.seconds for session in timing.sessions) if timed == steps else None


def _held_out(tokens: Manifest) -> str:
    found = tokens.files.get(passages_file("held_out"))
    return found.sha256 if found else ""


def _text(own: set[str], folder: Path, is_other_size: bool) -> list[str]:
    paths = [folder / "tokens" / NAME, *sorted((folder / "tokens").glob(f"*/{NAME}"))]
    found = {_held_out(read_manifest(path.parent)) for path in paths if path.is_file()} - {""}
    if is_other_size or (own and found and not own & found):
        return ["scored on other held-out text"]
    return [] if own & found else ["scored on held-out text of which no record is left"]


def _plan(path: Path, settings: Mapping[str, Any]) -> list[str]:
    try:
        planned, _ = read_yaml(path)  # written whole by the pilot, so no default is missing
    except ConfigError:
        return ["trained by a plan that cannot be compared, because full.yaml cannot be read"]
    trained = dict(settings)
    if planned.get("train", {}).get("precision") == "auto":  # it stands resolved in the run
        trained["train"] = {**trained.get("train", {}), "precision": "auto"}
    changes = diff(_compared(planned), _compared(trained))
    shown = [f"{name} {old} -> {new}" for name, (old, new) in changes.items()]
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return [f"trained by another plan ({', '.join(shown[:3])}{more})"] if shown else []


def _compared(value: Any) -> Any:
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return {name: _compared(item) for name, item in items if name not in _FREE}
    return [_compared(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value
