"""Off another run: its weights, optimiser, steps and stream of batches, and another schedule from there on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from pydantic import Field

from pilotlight.errors import RecordError
from pilotlight.train.starts import Start
from pilotlight.train.starts._content import fingerprint_of_checkpoint

if TYPE_CHECKING:
    from pilotlight.model.decoder_layer import DecoderModel
    from pilotlight.tokens.tokens import Tokens
    from pilotlight.train.checkpoint import Checkpoint
    from pilotlight.train.plan import Plan


@final
class Branch(Start):
    """The whole state of another run at one of its checkpoints, such as for a cool-down (``schedule: {kind: cooldown}``).

    Steps count on from there: the plan's ``steps`` are the length of trunk and branch together. The run has to stay until the
    branch is finished.
    """

    path: Path
    """Folder of the run, or the output folder of `pilot train`."""
    step: int | None = Field(default=None, ge=1)
    """Step of the checkpoint (kept with ``machine.milestone_every``); null: the last one there is."""

    def fill(self, model: DecoderModel, plan: Plan, tokens: Tokens) -> None:
        """Fill every parameter from the checkpoint."""
        from safetensors.torch import load_file

        found = self.checkpoint(plan, tokens)
        model.load_state_dict(load_file(found.folder / "model.safetensors"))

    def checkpoint(self, plan: Plan, tokens: Tokens) -> Checkpoint:
        """Return the run's checkpoint, once it is known that the plan continues the run and nothing is damaged."""
        from pilotlight.train.trunk import branched

        return branched(self._run(), self.place(), plan, tokens)

    def inputs(self) -> dict[str, str]:
        """Return the fingerprint of the checkpoint."""
        return {"start": fingerprint_of_checkpoint(self.place())}

    def identity(self) -> dict[str, Any]:
        """Return the content of the checkpoint."""
        return {"kind": self.kind, "source": fingerprint_of_checkpoint(self.place())}

    def _run(self) -> Path:
        return self.path / "run" if (self.path / "run" / "plan.json").is_file() else self.path

    def place(self) -> Path:
        """Return the folder of the checkpoint.

        Raises:
            RecordError: the run has none of that step.
        """
        checkpoints = self._run() / "checkpoints"
        wanted = "*" if self.step is None else f"{self.step:08d}"
        found = [*checkpoints.glob(f"step-{wanted}"), *checkpoints.glob(f"step-{wanted}-*")]
        if not found:
            steps = sorted({int(folder.name.split("-")[1]) for folder in checkpoints.glob("step-[0-9]*")})
            there = f"those of steps {', '.join(map(str, steps))}" if steps else "none"
            raise RecordError(f"{checkpoints} has no checkpoint of step {self.step or 'any'}; there are {there}. Choose one of "
                              "them, or train the run with machine.milestone_every.")  # fmt: skip
        return max(found, key=_order)


def _order(folder: Path) -> tuple[int, int]:
    step, _, number = folder.name.removeprefix("step-").partition("-")
    return int(step), int(number or 1)
