"""The documents say what is so: their code runs, their commands and files exist, their reference is current."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pilotlight.errors import PilotlightError
from tiny_pilot import environment

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name)
def test_the_python_of_a_page_runs(page, tmp_path):
    """All blocks of a page run as one program, from the root of the repository."""
    program = "\n\n".join(blocks(page, "python"))
    ast.parse(program)
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=250,
        env=environment(PAGES_OUT=str(tmp_path), PYTHONPATH=str(ROOT / "src")),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_readme_has_an_example_in_python():
    assert blocks(ROOT / "README.md", "python")


def test_ci_runs_the_very_command_that_the_readme_gives_for_the_tests():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines()]
    tests = [line for line in commands if line.rstrip().endswith("make test")]
    assert len(tests) == 1
    assert re.search(r"^make test$", script, flags=re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test: setup\b.*\n\tpython -m pytest ", makefile, flags=re.MULTILINE)


def test_the_readme_s_first_command_installs_and_runs_a_plan_that_is_there():
    first = blocks(ROOT / "README.md", "sh")[0]
    assert "pip install -c constraints.txt -e ." in first
    plan = re.search(r"pilot run (\S+\.yaml)", first)
    assert plan
    assert (ROOT / plan[1]).is_file()


def test_the_command_line_reference_is_current():
    from pilotlight.cli.reference import reference

    fresh = subprocess.run(
        [sys.executable, "-m", "pilotlight.cli.reference"], capture_output=True, text=True, check=True, env=environment()
    )  # fmt: skip
    assert fresh.stdout == reference()
    found = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert found == fresh.stdout, "run: python -m pilotlight.cli.reference > docs/cli.md"


def commands() -> set[str]:
    reference = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    return set(re.findall(r"^## (pilot.*)$", reference, flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_a_page_speaks_of_exists(page):
    known = commands()
    spoken = re.findall(
        r"(?:^|[`;|&]|\s\s)\s?pilot ([a-z]+)(?: ([a-z]+))?\b", page.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    for first, second in spoken:
        assert f"pilot {first}" in known, f"{name(page)} speaks of 'pilot {first}'"
        if first in ("corpus", "tokens") and second:
            assert f"pilot {first} {second}" in known


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_a_page_points_to_exists(page):
    text = page.read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    paths = re.findall(r"`((?:src|tests|docs|bench|pilots)/[\w./-]+)`", text)
    missing = [target for target in links if not (page.parent / target).exists()]
    missing += [target for target in paths if not (ROOT / target).exists()]
    assert missing == []


def test_the_map_shows_every_room():
    text = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    rooms = [path.name for path in (ROOT / "src" / "pilotlight").iterdir() if (path / "__init__.py").is_file()]
    assert [room for room in rooms if f"`{room}/`" not in text] == []


def test_the_guide_to_adding_names_every_extension_point():
    from pilotlight.spec import Part

    text = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src" / "pilotlight").rglob("*.py")]
    folders = {found for source in sources for found in re.findall(r'folder: ClassVar\[str\] = "([\w.]+)"', source)}
    assert len(folders) > 10
    assert [folder for folder in folders if f"`src/{folder.replace('.', '/')}/`" not in text] == []
    assert Part.__name__ in text


def test_the_list_of_errors_is_the_tree_of_errors():
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    kinds = {cls.__name__: cls.exit_code for cls in PilotlightError.__subclasses__()}
    for kind, code in kinds.items():
        assert re.search(rf"\| `{kind}` \| {code} \|", text), kind


def test_the_list_of_formats_names_every_field_that_is_written():
    from pilotlight.manifest import Manifest
    from pilotlight.pilot.calibration import Calibration
    from pilotlight.record.decision import Check, Decision
    from pilotlight.record.ledger import Entry
    from pilotlight.record.receipt import Receipt
    from pilotlight.record.results import Row
    from pilotlight.record.run import Score
    from pilotlight.stats.estimate import Estimate
    from pilotlight.train.machine import Machine

    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    written = (Manifest, Entry, Row, Decision, Check, Estimate, Receipt, Score, Machine, Calibration)
    undocumented = {"rungs", "full_batch_tokens"}
    missing = [
        f"{kind.__name__}.{field}" for kind in written for field in kind.model_fields if f"`{field}`" not in text
    ]
    assert [field for field in missing if field.rpartition(".")[2] not in undocumented] == []
