"""Where and how a plan is computed. Nothing here may change the weights beyond rounding."""

from __future__ import annotations

from typing import Literal, final

from pydantic import Field

from pilotlight.spec import Spec


def default_device() -> str:
    """Return the device that ``auto`` means on this computer: ``cuda`` where there is one, else ``cpu``."""
    from pilotlight.train.hardware import resolve

    return resolve(Machine()).device


@final
class Machine(Spec):
    """Settings of the computer, not of the model: results agree between machines within rounding.

    Bit-identity is promised between runs on one resolved machine, which every run records in ``machine.json``.
    """

    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """``cpu``, ``cuda``, ``cuda:1``, or ``auto``: the accelerator where there is one."""
    threads: int | Literal["auto"] = "auto"
    """Threads of one training on the CPU; ``auto`` is every core this process may use."""
    compile: bool | Literal["auto"] = "auto"
    """Compile the losses with torch.compile; ``auto`` does so on an accelerator with a C compiler at hand."""
    rows_at_once: int | None = Field(default=None, ge=1)
    """Rows of a batch that are in memory at once; gradients of the parts are summed exactly."""
    together: int | Literal["auto"] = "auto"
    """Trainings of one shape that are computed in one program (``train.together``), the empty places filled up; ``auto`` is as
    many as fit, at most 16, on an accelerator, and 1 on the CPU. A training by itself is 1."""
    keep: int = Field(default=2, ge=1)
    """Checkpoints kept while training; the older ones are the fallback if the newest is damaged."""
    milestone_every: int | None = Field(default=None, ge=1)
    """Steps between checkpoints that are kept for ever, to branch off from; null: none."""
    probe_every: int | None = Field(default=None, ge=0)
    """Steps between looks at single layers (activations, gradients, updates); null: at evaluations, 0: never."""

    def is_milestone(self, step: int) -> bool:
        """Return whether a checkpoint is made after ``step`` updates and kept for ever."""
        return self.milestone_every is not None and step % self.milestone_every == 0

    def resolve(self) -> Machine:
        """Return the machine with every ``auto`` replaced by what this computer has.

        Raises:
            ConfigError: the device is not there, or the number of threads is below 1.
        """
        from pilotlight.train.hardware import resolve

        return resolve(self)
