"""Loss curves of runs under known schedules, from a law or from a model that is none of the laws."""

from __future__ import annotations

import numpy as np

from pilotlight.scaling.curve import Curve

SCHEDULES = {
    "constant": lambda share: 1.0,
    "cosine": lambda share: 0.55 + 0.45 * np.cos(np.pi * share),
    "linear": lambda share: 1.0 - 0.99 * share,
    "late": lambda share: min(1.0, 1.0 - 0.9 * (share - 0.8) / 0.2),
    "drop": lambda share: 1.0 if share < 0.4 else 0.3,
}


def quadratic(name, steps=2000, *, noise=0.0005, seed=0, every=20, peak=0.8):
    """Return the expected loss of SGD on a noisy quadratic with a power-law spectrum, which no law describes exactly."""
    spectrum = np.arange(1, 201.0) ** -1.3
    error = np.arange(1, 201.0) ** -0.61
    rates, losses, at = [], [], []
    for step in range(1, steps + 1):
        rate = peak * min(1.0, step / 50) * SCHEDULES[name](step / steps)
        error = (1 - rate * spectrum) ** 2 * error + 0.15 * rate**2 * spectrum
        if step % every == 0:
            at.append(step)
            rates.append(rate)
            losses.append(2.0 + 0.5 * float(spectrum @ error))
    drawn = np.random.default_rng([seed, steps, len(name)]).standard_normal(len(losses))
    return Curve(name, np.array(at, float), np.array(losses) * np.exp(noise * drawn), np.array(rates))


def schedule(name, steps=2000, every=20):
    """Return a run without losses: its steps and its learning rates."""
    at = np.arange(every, steps + 1, every, dtype=float)
    rates = np.array([min(1.0, step / 50) * SCHEDULES[name](step / steps) for step in at])
    return Curve(name, at, np.full(len(at), np.nan), rates)
