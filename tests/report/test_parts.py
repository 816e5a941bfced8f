from __future__ import annotations

from study_folder import Wish, write_study

from pilotlight.report.sections.parts import Parts
from pilotlight.report.study import Study


def test_parts_stand_in_the_order_of_what_is_lost_without_them(tmp_path):
    variants = {"without_gate": (0.02, "no gate"), "without_warmup": (-0.03, "no warmup"), "swiglu": (-0.02, "why")}
    block = Parts().write(Study.read(write_study(tmp_path / "out", Wish(variants=variants))))
    rows = block.pieces[0].rows
    assert [row[0].text for row in rows] == ["gate", "warmup"]
    assert rows[0][1].text.startswith("+")
    assert rows[1][1].text.startswith("−")
    assert rows[0][2].text == "keep"
    assert rows[1][2].text in ("drop", "not known")


def test_a_pilot_without_ablations_has_no_such_section(tmp_path):
    assert Parts().write(Study.read(write_study(tmp_path / "out", Wish()))) is None
