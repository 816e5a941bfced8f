"""How much wall-clock failures and checkpoints take, by formula.

Devices fail independently and each failure stops the whole job, so the time between failures is exponential with mean
1 / (devices x rate). After a failure the job restarts (detection, a spare, loading, warming up) and repeats what was done
since the last checkpoint. A failure may also fall into a checkpoint or a restart. All times in one unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64] | float

FAILURES_PER_DEVICE_HOUR = (1.2e-5, 2.0e-5, 7.5e-5)
"""P10, P50, P90 of unexpected interruptions per accelerator and hour, from reports of real trainings: Meta's RSC-2 cluster
1.2e-5 (2.34 per 1,000 node-days of 8; Kokolis et al. 2025), Llama 3 405B 2.0e-5 (419 in 54 days on 16,384 H100; Grattafiori
et al. 2024), OPT-175B 7.5e-5 (35 manual and 70 automatic restarts in about 59 days on 992 A100; Zhang et al. 2022)."""
FAILURES_SOURCE = (
    "per accelerator and hour: Meta RSC-2 1.2e-5, Llama 3 2.0e-5 (419 in 54 days on 16,384 H100), OPT-175B 7.5e-5"
)
_MOST = 50.0  # e^50 times the work is never, and no overflow


def young(write: float, between: float) -> float:
    """Return the checkpoint interval of Young 1974: the square root of 2 x write x time between failures."""
    return (2 * write * between) ** 0.5


def daly(write: float, between: float) -> float:
    """Return the optimal work between checkpoints by Daly 2006 (eq. 37): of higher order than Young's.

    ``write`` is how long a checkpoint holds the training up, ``between`` the mean time between failures of the whole job.
    """
    if write >= 2 * between:
        return between
    small = (write / (2 * between)) ** 0.5
    return young(write, between) * (1 + small / 3 + small**2 / 9) - write


def stretch(interval: Floats, write: Floats, restart: Floats, between: Floats) -> Floats:
    """Return expected wall-clock divided by work (Daly 2006, eq. 20): M e^(R/M) (e^((T+w)/M) - 1) / T.

    ``interval`` is the work between checkpoints T, ``write`` w what one holds up, ``restart`` R and ``between`` M.
    """
    import numpy as np

    segment = np.minimum((interval + write) / between, _MOST)
    return between * np.exp(np.minimum(restart / between, _MOST)) * np.expm1(segment) / interval
