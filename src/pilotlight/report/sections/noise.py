"""How far two runs of the same set-up lie apart: what every effect has to stand out from."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.record.decision import Decision
from pilotlight.report.block import Block, Cell, Facts, Items, Piece, Plot
from pilotlight.report.chart import Axis, Chart, Region, Rule, Series
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import effect, fixed, how, percent
from pilotlight.report.wording import counted, sentences
from pilotlight.stats.estimate import Estimate


@final
class Noise(Section):
    """Spread over seeds, and the A/A repeats that test it."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 40
    title: ClassVar[str] = "Noise floor"

    def write(self, study: Study) -> Block | None:
        """Return the noise floor, or None while there is no decision."""
        noise = study.decision.noise if study.decision else None
        if study.decision is None or noise is None:
            return None
        sd = noise.sd
        pieces: list[Piece] = [
            Facts((
                ("Spread of one run", Cell(percent(sd.value, 2), f"[{percent(sd.low, 2)}, {percent(sd.high, 2)}]", how(sd))),
                ("A/A pairs", Cell(str(noise.pairs), "baseline again, one random stream reseeded")),
                ("A/A pairs called different", Cell(str(noise.false_alarms), f"of {noise.pairs}",
                                                    tone="open" if noise.false_alarms else "")),
                _pairing(study.decision),
                *_text(noise.text),
            )),
        ]  # fmt: skip
        if noise.a_a:
            pieces.append(Plot(_chart(noise.a_a, sd.value)))
        if sd.cautions:
            pieces.append(Items(sentences(study, sd.cautions), "Cautions"))
        return Block(
            f"Two trainings of the same set-up that differ in their seed lie about {percent(sd.value * 2**0.5, 2)} apart "
            f"(spread of one run {percent(sd.value, 2)}, from {counted(sd.n, 'run')}); single runs cannot show less.",
            tuple(pieces),
        )


def _text(spread: Estimate | None) -> tuple[tuple[str, Cell], ...]:
    if spread is None:
        return ()
    interval = f"[{percent(spread.low, 2)}, {percent(spread.high, 2)}]"
    return (("Spread over training texts", Cell(percent(spread.value, 2), interval, how(spread))),)


def _pairing(decision: Decision) -> tuple[str, Cell]:
    found = [finding.comparison.pairing for finding in decision.findings]
    if not found or any(pairing != found[0] for pairing in found):
        return "Pairing by seed", Cell("differs by variant" if found else "–")
    pairing = found[0]
    text = f"correlation {fixed(pairing.correlation, 2)} over {counted(pairing.n, 'pair')}"
    return "Pairing by seed", Cell(pairing.used, text, "measured over all variants, not assumed")


def _chart(differences: tuple[float, ...], sd: float) -> Chart:
    reach = 2**0.5 * sd
    return Chart(
        "noise",
        "A/A repeats",
        "Each point is the difference between the baseline and the same training with its data in another order. The "
        "band is one standard deviation of such a difference.",
        Axis("relative difference of an A/A pair", percent=True),
        Axis("", names=tuple(f"pair {index + 1}" for index in range(len(differences)))),
        (Series("A/A pairs", differences, tuple(map(float, range(len(differences)))), color=0,
                notes=tuple(f"pair {index + 1}: {effect(value)}" for index, value in enumerate(differences))),),
        (Region("x", -reach, reach, "one standard deviation"),), (Rule("x", 0.0, ""),),
        height=120 + 34 * len(differences), legend=False,
    )  # fmt: skip
