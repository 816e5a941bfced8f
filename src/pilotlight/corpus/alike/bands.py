"""How many hashes have to agree for two texts to be compared: derived from the similarity and the recall asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

_MOST_ROWS = 32
_MOST_BANDS = 1000
_HASH, _BAND, _PAIR = 0.1, 0.4, 5.0
_RELATIVES, _STEPS = 10, 50
_STRANGERS, _STRANGENESS = 1e7, 1e-3


@final
@dataclass(frozen=True, slots=True)
class Bands:
    """A sketch of ``bands * rows`` hashes: two texts are compared if all rows of at least one band agree.

    Source: Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4.
    """

    bands: int
    rows: int

    @property
    def hashes(self) -> int:
        """Hashes in a sketch."""
        return self.bands * self.rows

    def chance(self, similarity: float) -> float:
        """Return the probability that two texts of this Jaccard similarity are compared."""
        return 1.0 - (1.0 - similarity**self.rows) ** self.bands

    def curve(self) -> dict[str, float]:
        """Return the probability of being compared for similarities from 0.1 to 1."""
        return {f"{step / 20:.2f}": round(self.chance(step / 20), 6) for step in range(2, 21)}

    def show(self) -> str:
        """Return the curve as a sentence."""
        points = ", ".join(f"{step / 10:.1f}: {100 * self.chance(step / 10):.1f} %" for step in range(3, 11))
        return f"{self.bands} bands of {self.rows} hashes; chance to be compared by similarity: {points}."


def derive(similarity: float, recall: float) -> Bands:
    """Return the cheapest bands that compare a pair of this similarity with a probability of at least ``recall``.

    The cost of a text is that of its hashes, of its bands in the join, and of the pairs to verify in vain: ten
    others are taken to be like it, with similarities spread evenly from 0 to ``similarity``, as texts from one mould
    are, and ten million to have a thousandth in common. Costs are in microseconds, measured on one core.
    """
    best: tuple[float, Bands] | None = None
    for rows in range(1, _MOST_ROWS + 1):
        counts = range(1, _MOST_BANDS + 1)
        bands = next((count for count in counts if Bands(count, rows).chance(similarity) >= recall), 0)
        if not bands:
            break
        found = Bands(bands, rows)
        vain = sum(found.chance(similarity * (step + 0.5) / _STEPS) for step in range(_STEPS)) / _STEPS
        pairs = _RELATIVES * vain + _STRANGERS * found.chance(_STRANGENESS)
        cost = found.hashes * _HASH + bands * _BAND + pairs * _PAIR
        if best is None or cost < best[0]:
            best = (cost, found)
    return best[1] if best else Bands(_MOST_BANDS, 1)
