"""Finished is what has a manifest: whatever kills or starves the writer, there is all of it or nothing."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotlight import manifest
from pilotlight.errors import RecordError, ResourceError
from pilotlight.manifest import building, finished, read_manifest, sha256, write_atomic

SETTINGS = {"seeds": 3, "rule": {"worth": 0.5}}


def build(folder: Path, mark: str = "a" * 16, text: str = "hello", **settings) -> None:
    with building(folder, kind="corpus", fingerprint=mark, settings=SETTINGS | settings, inputs={"text": "b"}) as draft:
        (draft.folder / "deep").mkdir()
        (draft.folder / "deep" / "data.txt").write_text(text, encoding="utf-8")
        draft.facts["documents"] = 1


def test_a_finished_folder_holds_its_files_and_what_they_are(tmp_path):
    build(tmp_path / "out")
    found = read_manifest(tmp_path / "out", "corpus", verify=True)
    assert list(found.files) == ["deep/data.txt"]
    assert found.files["deep/data.txt"].bytes == 5
    assert found.files["deep/data.txt"].sha256 == sha256(tmp_path / "out" / "deep" / "data.txt")
    assert (found.facts, found.settings, found.inputs) == ({"documents": 1}, SETTINGS, {"text": "b"})
    assert "python" in found.versions
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def fail_in_the_middle(folder: Path) -> None:
    with building(folder, kind="k", fingerprint="f", settings={}) as draft:
        (draft.folder / "half").write_text("half", encoding="utf-8")
        raise ZeroDivisionError


def test_an_error_inside_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        fail_in_the_middle(tmp_path / "x" / "out")
    assert list((tmp_path / "x").iterdir()) == []
    assert finished(tmp_path / "x" / "out") is None


def test_an_error_while_building_anew_keeps_the_old(tmp_path):
    build(tmp_path / "out")
    with pytest.raises(ZeroDivisionError):
        fail_in_the_middle(tmp_path / "out")
    assert read_manifest(tmp_path / "out", "corpus", verify=True).fingerprint == "a" * 16


KILLED = """
import os, signal, sys
from pathlib import Path
from pilotlight import manifest
number = int(sys.argv[2])
left = {"calls": number}
def counted(real):
    def call(*arguments, **named):
        left["calls"] -= 1
        if left["calls"] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call
for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
with manifest.building(Path(sys.argv[1]), kind="corpus", fingerprint="n" * 16, settings={}) as draft:
    (draft.folder / "data.txt").write_text("new")
    (draft.folder / "more.txt").write_text("new")
"""


@pytest.mark.fault
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
@pytest.mark.parametrize("is_there", [False, True])
def test_killed_at_any_operation_there_is_all_or_nothing(is_there, tmp_path):
    for number in range(1, 60):
        folder = tmp_path / str(number) / "out"
        if is_there:
            build(folder)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(folder), str(number)], capture_output=True, check=False
        )
        found = finished(folder)
        if found is not None:
            read_manifest(folder, verify=True)
            assert found.fingerprint in ("a" * 16, "n" * 16)
        if done.returncode == 0:
            assert found is not None
            assert found.fingerprint == "n" * 16
            break
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        build(folder, "z" * 16)
        assert read_manifest(folder, verify=True).fingerprint == "z" * 16
        assert [path.name for path in folder.parent.iterdir()] == ["out"], "what the killed writer left is tidied up"
    else:
        pytest.fail("the writer never came to its end")
    assert number > 5


@pytest.mark.parametrize("damage", ["change", "cut", "remove", "same size"])
def test_a_damaged_file_is_found(damage, tmp_path):
    build(tmp_path / "out")
    path = tmp_path / "out" / "deep" / "data.txt"
    if damage == "remove":
        path.unlink()
    else:
        path.write_text({"change": "hello!", "cut": "hel", "same size": "hellO"}[damage], encoding="utf-8")
    read_manifest(tmp_path / "out")
    with pytest.raises(RecordError, match=r"data.txt is missing or differs.*Remove .* and run again"):
        read_manifest(tmp_path / "out", verify=True)


@given(st.binary(max_size=60))
def test_a_damaged_manifest_is_no_manifest(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(RecordError, match="damaged"):
        read_manifest(folder)


def test_what_is_not_finished_or_of_another_kind_is_said(tmp_path):
    build(tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match=r"none does not exist. Expected a finished corpus"):
        read_manifest(tmp_path / "none", "corpus")
    with pytest.raises(RecordError, match="empty is unfinished: it has no manifest"):
        read_manifest(tmp_path / "empty")
    with pytest.raises(RecordError, match="holds a corpus, expected a run"):
        read_manifest(tmp_path / "out", "run")


def test_a_folder_of_other_settings_shows_what_differs(tmp_path):
    build(tmp_path / "out")
    assert finished(tmp_path / "none", "a" * 16) is None
    assert finished(tmp_path / "out", "a" * 16) is not None
    with pytest.raises(RecordError) as caught:
        finished(tmp_path / "out", "c" * 16, {"seeds": 5, "rule": {"worth": 0.5}})
    assert "seeds: 3 -> 5" in str(caught.value)
    assert "rule.worth" not in str(caught.value)
    assert "another --out" in str(caught.value)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "file.json"
    write_atomic(path, "old")
    write_atomic(path, b"bytes too")
    assert path.read_bytes() == b"bytes too"

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        write_atomic(path, "new")
    assert path.read_bytes() == b"bytes too"
    assert list(path.parent.iterdir()) == [path]


LIMITED = """
import resource, sys
from pathlib import Path
from pilotlight.errors import ResourceError
from pilotlight.manifest import building, write_atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
out = Path(sys.argv[1])
try:
    if sys.argv[2] == "file":
        write_atomic(out, "x" * 5000)
    else:
        with building(out, kind="k", fingerprint="f", settings={}) as draft:
            (draft.folder / "data").write_text("x" * int(sys.argv[3]))
            draft.facts["long"] = "x" * 2000  # or the manifest itself does not fit
except ResourceError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX systems")
@pytest.mark.parametrize("words", [["file", "0"], ["folder", "5000"], ["folder", "5"]])
def test_without_room_there_is_a_sentence_and_nothing_half_written(words, tmp_path):
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "out"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "no space left to write" in done.stdout
    assert "free some space" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space left"), (errno.EDQUOT, "no space left"), (errno.EFBIG, "no space left"),
        (errno.EACCES, "cannot be written"), (errno.EROFS, "cannot be written"), (errno.EPERM, "cannot be written"),
    ],
)  # fmt: skip
def test_errors_of_the_disk_are_told_in_plain_words(number, words, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(ResourceError, match=words):
        write_atomic(tmp_path / "file", "text")
    with pytest.raises(ResourceError, match=words):
        build(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_is_written_last(tmp_path, monkeypatch):
    order: list[str] = []
    real = manifest.write_atomic

    def note(path, content, **more):
        order.append(path.name)
        assert (path.parent / "deep" / "data.txt").is_file()
        real(path, content, **more)

    monkeypatch.setattr(manifest, "write_atomic", note)
    build(tmp_path / "out")
    assert order == ["manifest.json"]


def test_the_same_content_gives_the_same_manifest(tmp_path):
    build(tmp_path / "a")
    build(tmp_path / "b")
    texts = {(tmp_path / name / "manifest.json").read_text(encoding="utf-8") for name in "ab"}
    assert len(texts) == 1
    assert json.loads(texts.pop())["kind"] == "corpus"


def test_two_processes_do_not_write_one_folder_and_the_first_is_left_alone(tmp_path):
    writing = """
import sys, time
from pathlib import Path
from pilotlight.manifest import building
with building(Path(sys.argv[1]), kind="k", fingerprint="f", settings={}):
    print(flush=True)
    time.sleep(60)
"""
    command = [sys.executable, "-c", writing, str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        try:
            assert first.stdout is not None
            first.stdout.readline()
            draft = tmp_path / f".out.{first.pid}.partial"
            assert draft.is_dir()
            with pytest.raises(RecordError, match=f"written by process {first.pid}.*another --out"):
                build(tmp_path / "out")
            assert list(tmp_path.iterdir()) == [draft]
            build(tmp_path / "other")
        finally:
            first.kill()
    build(tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"out", "other"}


def test_the_drafts_of_other_folders_are_left_alone(tmp_path):
    dead = 2**22 + 1  # no process has such a number
    for name in (f".out.{dead}.partial", f".out.b.{dead}.partial", f".out.json.{dead}.partial"):
        (tmp_path / name).mkdir()
    build(tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"out", f".out.b.{dead}.partial", f".out.json.{dead}.partial"}
