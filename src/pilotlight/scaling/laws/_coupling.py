"""Size and tokens joined under one power, as Kaplan et al. 2020, equation 1.5, join them: for the laws that do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EXPONENTS = ("q", "p", "r")
FEWEST = 5
"""Least number of distinct cells: the three exponents are too free for fewer."""
SHAPE = "({w:.3g}/N^{p:.3f} + 1/D)^{q:.3f}"
"""The joined term as text, with w for the square of r."""


def joined(logs: Floats, exponents: Floats) -> Floats:
    """Return (r^2/N^p + 1/D)^q [settings, points] for logarithms [points, 4] and exponents q, p, r [settings, 3]."""
    import numpy as np

    q, p, r = (exponents[:, index : index + 1] for index in range(3))
    return np.exp(q * np.logaddexp(2 * np.log(r) - p * logs[None, :, 0], -logs[None, :, 1]))


def unreferenced(exponents: Sequence[float], reference: Floats) -> tuple[dict[str, float], float]:
    """Return q, p, r for logarithms from which no ``reference`` [4] was subtracted, and the factor of the joined term."""
    q, p, r = exponents
    size, tokens = float(reference[0]), float(reference[1])
    return {"q": q, "p": p, "r": r * math.exp((p * size - tokens) / 2)}, math.exp(q * tokens)
