"""`pilot new`: a plan that fits the text, or a sentence why there is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.errors import ConfigError, DataError
from pilotlight.events import silent
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.prepare import MOST_EPOCHS
from pilotlight.pilot.template import BATCH, BYTES_PER_TOKEN, _ladder, _round, write_template
from pilotlight.units import read_count
from tiny_pilot import sentence, write_text


def test_the_plan_loads_and_its_ladder_fits_the_text(tmp_path, tiny_text):
    said = write_template(tmp_path / "my.yaml", tiny_text, force=False, watch=silent)
    pilot = Pilot.load(tmp_path / "my.yaml")
    size = (tiny_text / "made_up.jsonl").stat().st_size
    assert max(scale.tokens for scale in pilot.scales) <= MOST_EPOCHS * size / BYTES_PER_TOKEN
    assert len({scale.parameters for scale in pilot.scales}) == 3
    assert max(scale.parameters for scale in pilot.scales) <= pilot.goal.full_run.parameters
    assert any("little text" in item for item in said)


@pytest.mark.parametrize("name", ["my texts", 'the "law"', "llei d'aigües", "#1", "back\\slash"])
def test_any_name_of_a_folder_survives(name, tmp_path):
    write_text(tmp_path / name)
    write_template(tmp_path / "my.yaml", tmp_path / name, force=False, watch=silent)
    assert Pilot.load(tmp_path / "my.yaml").corpus.sources[0].path == tmp_path / name  # type: ignore[attr-defined]


def test_one_file_of_any_kind_is_read_by_its_ending(tmp_path, tiny_text):
    texts = [json.loads(line)["text"] for line in (tiny_text / "made_up.jsonl").read_text().splitlines()]
    (tmp_path / "laws.JSON").write_text(json.dumps([{"text": text} for text in texts]), encoding="utf-8")
    quoted = "".join('"' + text.replace('"', '""') + '"\n' for text in texts)
    (tmp_path / "laws.csv").write_text(f"text\n{quoted}", encoding="utf-8")
    for name, kind in {"laws.JSON": "folder", "laws.csv": "csv"}.items():
        write_template(tmp_path / f"{kind}.yaml", tmp_path / name, force=False, watch=silent)
        assert Pilot.load(tmp_path / f"{kind}.yaml").corpus.sources[0].kind == kind


def test_one_file_is_as_good_as_a_folder(tmp_path, tiny_text):
    write_template(tmp_path / "lines.yaml", tiny_text / "made_up.jsonl", force=False, watch=silent)
    assert Pilot.load(tmp_path / "lines.yaml").corpus.sources[0].kind == "jsonl"
    texts = [json.loads(line)["text"] for line in (tiny_text / "made_up.jsonl").read_text().splitlines()]
    (tmp_path / "book.txt").write_text("\n\n".join(texts), encoding="utf-8")
    write_template(tmp_path / "book.yaml", tmp_path / "book.txt", force=False, watch=silent)
    assert Pilot.load(tmp_path / "book.yaml").corpus.sources[0].kind == "text"


def test_too_little_text_for_any_pilot_is_refused_with_how_much_would_do(tmp_path):
    import random

    (tmp_path / "texts").mkdir()
    for number in range(30):
        (tmp_path / "texts" / f"{number}.txt").write_text(sentence(random.Random(number)) * 2, encoding="utf-8")
    with pytest.raises(DataError, match=r"too little for any pilot\. Give at least about .* kB"):
        write_template(tmp_path / "my.yaml", tmp_path / "texts", force=False, watch=silent)
    assert not (tmp_path / "my.yaml").exists()


def test_a_plan_that_is_there_is_kept(tmp_path, tiny_text):
    (tmp_path / "my.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="exists already"):
        write_template(tmp_path / "my.yaml", tiny_text, force=False, watch=silent)


@given(st.floats(6e5, 1e12), st.floats(1e3, 1e12))
def test_every_ladder_climbs_and_stays_below_the_full_run(full, most):
    rungs = _ladder(full, BATCH, most)
    assert max(length for _, length, _ in rungs) <= most * 1.001
    shown = [(read_count(_round(size)), read_count(_round(length))) for size, length, _ in rungs]
    assert len(set(shown)) == 4
    assert max(size for size, _ in shown) <= full
