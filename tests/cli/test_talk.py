"""What people are told: progress with the time left on standard error, results on standard output, nothing else."""

from __future__ import annotations

import io
import json
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.cli.talk import Talk, clean
from pilotlight.events import Note, Progress
from pilotlight.spec import Record


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


@given(st.text())
def test_no_text_can_steer_a_terminal(text):
    shown = clean(text)
    assert len(shown) == len(text)
    assert all(mark.isprintable() or mark in "\n\t" for mark in shown)


def test_escape_sequences_of_a_corpus_are_harmless(capsys):
    Talk().say("\x1b[2Jgone \u202e reversed \x07")
    Talk().table("t\x1b[31m", ["a"], [["\x1b]0;title\x07"]])
    Talk().watch(Note("\x1b[1mbold"))
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\u202e" not in said.out


def test_off_a_terminal_progress_is_a_line_now_and_then(capsys):
    talk = Talk()
    for done in range(1, 1001):
        talk.watch(Progress("reading", done, 1000, "files"))
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["reading: 1/1k files", "reading: 1k/1k files"]


def test_the_time_left_is_told_once_it_can_be_known(capsys, monkeypatch):
    clock = {"now": 100.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["now"])
    talk = Talk()
    talk.watch(Progress("trials", 0, 100, "s"))
    clock["now"] += 20
    talk.watch(Progress("trials", 25, 100, "s", note="3 of 12"))
    assert capsys.readouterr().err.splitlines()[-1] == "trials: 25/100 s, about 1 min left (3 of 12)"


def test_on_a_terminal_progress_stays_on_one_line(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    talk = Talk()
    talk.watch(Progress("reading", 1, 3))
    talk.watch(Note("a word", "warning"))
    talk.watch(Progress("reading", 3, 3))
    text = terminal.getvalue()
    assert text.startswith("\r\x1b[2Kreading: 1/3")
    assert "\r\x1b[2Kwarning: a word\n" in text
    assert text.endswith("reading: 3/3\n")


def test_progress_without_an_end_has_no_time_left(capsys):
    Talk().watch(Progress("reading", 5, None, "documents"))
    assert capsys.readouterr().err == "reading: 5 documents\n"


def test_quiet_keeps_warnings_and_results(capsys):
    talk = Talk(quiet=True)
    talk.watch(Progress("reading", 1, 3))
    talk.watch(Note("by the way"))
    talk.watch(Note("look out", "warning"))
    talk.say("the result")
    said = capsys.readouterr()
    assert said.err == "warning: look out\n"
    assert said.out == "the result\n"


class Sample(Record):
    value: float
    name: str


def test_json_leaves_nothing_but_json_on_standard_output(capsys):
    talk = Talk(json=True)
    talk.say("words")
    talk.table("t", ["a"], [["b"]])
    talk.watch(Progress("reading", 1, 3))
    talk.data(Sample(value=1.5, name="é\x1b"))
    said = capsys.readouterr()
    assert json.loads(said.out) == {"value": 1.5, "name": "é\x1b"}
    assert said.err == ""


def test_unknown_events_are_passed_over(capsys):
    Talk().watch(object())
    Talk().watch({"event": "somebody:Else"})
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("width", ["", "40"])
def test_tables_wrap_and_lose_nothing(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", width or "80")
    word = "x" * 300
    Talk().table("title", ["a", "b"], [["one", word]])
    assert capsys.readouterr().out.count("x") == 300
