"""The ledger: what was appended is there, and what was changed shows."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.errors import RecordError
from pilotlight.record.ledger import FIRST, Ledger

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FACTS = st.dictionaries(st.text(), VALUES, max_size=4)
KINDS = st.text(min_size=1, max_size=8)


def filled(folder, count=5) -> Ledger:
    ledger = Ledger(Path(folder) / "ledger.jsonl")
    for number in range(count):
        ledger.append("trial", number=number, even=number % 2 == 0)
    return ledger


def lines_of(ledger) -> list[bytes]:
    return ledger.path.read_bytes().splitlines(keepends=True)


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.tuples(KINDS, FACTS), max_size=5))
def test_what_was_appended_is_read_back_the_same(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        written = [Ledger(path).append(kind, **facts) for kind, facts in rows]
        again = Ledger(path)
        again.verify()
        assert again.entries() == written
        assert [(entry.kind, entry.facts) for entry in again.entries()] == rows
        assert [entry.index for entry in written] == list(range(len(rows)))


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(KINDS, FACTS), min_size=1, max_size=4), data=st.data())
def test_a_ledger_torn_at_any_byte_keeps_every_finished_entry_and_goes_on(rows, data):
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.jsonl")
        written = [ledger.append(kind, **facts) for kind, facts in rows]
        *whole, last = lines_of(ledger)
        kept = data.draw(st.integers(0, len(last) - 1))
        ledger.path.write_bytes(b"".join(whole) + last[:kept])
        notes: list = []
        again = Ledger(ledger.path, watch=notes.append)
        is_whole = kept == len(last) - 1  # nothing but the line end was lost
        expected = written if is_whole else written[:-1]
        assert again.entries() == expected
        assert len(notes) == (0 if is_whole or kept == 0 else 1)
        again.append("after", fine=True)
        final = Ledger(ledger.path)
        assert final.entries()[:-1] == expected
        assert final.entries()[-1].kind == "after"
        torn = ledger.path.with_name("ledger.jsonl.torn")
        assert (torn.read_bytes().rstrip(b"\n") == last[:kept]) if notes else not torn.exists()


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_changed_byte_shows_unless_it_changes_no_meaning(data):
    with tempfile.TemporaryDirectory() as folder:
        ledger = filled(folder, 3)
        content = bytearray(ledger.path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 2))
        byte = data.draw(st.integers(32, 126).filter(lambda byte: byte != content[place]))
        before = ledger.entries()
        content[place] = byte
        ledger.path.write_bytes(content)
        again = Ledger(ledger.path)
        try:
            again.verify()
        except RecordError:
            return
        assert [entry.model_copy(update={"at": ""}) for entry in again.entries()] == [
            entry.model_copy(update={"at": ""}) for entry in before
        ]


@pytest.mark.parametrize(
    ("tamper", "place"),
    [
        (lambda lines: [*lines[:2], lines[2].replace(b'"number": 2', b'"number": 9'), *lines[3:]], 2),
        (lambda lines: [*lines[:2], *lines[3:]], 2),
        (lambda lines: lines[1:], 0),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 1),
        (lambda lines: [*lines[:3], lines[1], *lines[3:]], 3),
        (lambda lines: [*lines[:4], b"nonsense\n"], 4),
        (lambda lines: [*lines[:1], b"\n", *lines[1:]], 1),
        (lambda lines: [*lines[:1], b'{"index": ' + b"[" * 100_000 + b"\n", *lines[1:]], 1),
    ],
    ids=["edited", "deleted", "first deleted", "reordered", "repeated", "overwritten", "blank", "deep"],
)
def test_a_tampered_ledger_is_named_at_its_first_wrong_entry(tamper, place, tmp_path):
    ledger = filled(tmp_path)
    ledger.path.write_bytes(b"".join(tamper(lines_of(ledger))))
    again = Ledger(ledger.path)
    with pytest.raises(RecordError, match=f"line {place + 1}: entry {place} "):
        again.verify()
    with pytest.raises(RecordError):
        again.entries()
    with pytest.raises(RecordError):
        again.append("trial", number=5)
    assert again.entries(trusted=False)  # a page can still show it, and say that it is void


def test_an_entry_rewritten_with_a_hash_of_its_own_breaks_the_next(tmp_path):
    ledger = filled(tmp_path)
    other = Ledger(tmp_path / "other.jsonl")
    for number in (0, 1, 99):
        other.append("trial", number=number, even=number % 2 == 0)
    lines = lines_of(ledger)
    lines[2] = lines_of(other)[2]
    ledger.path.write_bytes(b"".join(lines))
    with pytest.raises(RecordError, match="entry 3 does not follow"):
        Ledger(ledger.path).verify()


def test_a_ledger_cut_short_shows_to_who_noted_its_head(tmp_path):
    ledger = filled(tmp_path)
    head, earlier = ledger.head, ledger.entries()[1].hash
    ledger.path.write_bytes(b"".join(lines_of(ledger)[:3]))
    cut = Ledger(ledger.path)
    cut.verify()
    cut.verify(head=earlier)
    with pytest.raises(RecordError, match="cut short"):
        cut.verify(head=head)
    ledger.path.unlink()
    with pytest.raises(RecordError, match="cut short"):
        Ledger(ledger.path).verify(head=head)


def test_a_missing_file_is_an_empty_ledger(tmp_path):
    ledger = Ledger(tmp_path / "study" / "ledger.jsonl")
    assert (len(ledger), ledger.entries(), ledger.head) == (0, [], FIRST)
    ledger.verify(head=FIRST)
    ledger.append("start")
    assert len(Ledger(ledger.path)) == 1


def test_entries_are_found_by_kind(tmp_path):
    ledger = filled(tmp_path)
    ledger.append("calibration", seconds=1.5, kind="facts may have any name")
    assert len(ledger.entries("calibration")) == 1
    assert ledger.entries("nothing") == []


def test_the_time_of_writing_is_outside_the_hash(tmp_path):
    first, second = filled(tmp_path / "first"), filled(tmp_path / "second")
    assert first.head == second.head
    line = json.loads(lines_of(first)[0])
    changed = json.dumps({**line, "at": "2001-01-01T00:00:00+00:00"}).encode() + b"\n"
    first.path.write_bytes(changed + b"".join(lines_of(first)[1:]))
    Ledger(first.path).verify()


@pytest.mark.parametrize(
    "fact", [float("nan"), float("inf"), object(), {1, 2}], ids=["NaN", "infinity", "object", "set"]
)
def test_a_fact_that_is_no_json_is_refused_and_nothing_is_written(fact, tmp_path):
    ledger = filled(tmp_path)
    before = ledger.path.read_bytes()
    with pytest.raises(RecordError, match="'trial' cannot be recorded"):
        ledger.append("trial", fact=fact)
    assert ledger.path.read_bytes() == before


def test_appending_to_a_file_that_somebody_else_changed_is_refused(tmp_path):
    first, second = Ledger(tmp_path / "ledger.jsonl"), Ledger(tmp_path / "ledger.jsonl")
    first.append("trial", number=0)
    with pytest.raises(RecordError, match="another process"):
        second.append("trial", number=1)
    assert len(Ledger(first.path)) == 1


def test_reading_a_ledger_never_changes_its_file(tmp_path):
    ledger = filled(tmp_path)
    torn = ledger.path.read_bytes()[:-5]
    ledger.path.write_bytes(torn)
    assert len(Ledger(ledger.path).entries()) == 4
    assert ledger.path.read_bytes() == torn
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.jsonl"]


WRITER = """
import sys
from pathlib import Path
from pilotlight.record.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
while True:
    entry = ledger.append("trial", number=len(ledger), text="x" * 3000)
    print(entry.index, flush=True)
"""


@pytest.mark.fault
def test_twenty_kills_while_appending_lose_no_entry_that_was_acknowledged(tmp_path):
    path = tmp_path / "ledger.jsonl"
    acknowledged = -1
    for kill in range(20):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged = int(writer.stdout.readline())
            time.sleep(0.002 * (kill % 7))
            writer.kill()
            acknowledged = max([acknowledged, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        ledger = Ledger(path)
        ledger.verify()
        assert len(ledger) > acknowledged
        assert [entry.facts["number"] for entry in ledger.entries()] == list(range(len(ledger)))
