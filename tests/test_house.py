"""The rules of the house, each checked by code: sizes, names, classes, imports, docstrings, words."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from abc import ABC
from enum import Enum
from functools import cache
from pathlib import Path

import pytest

import pilotlight
from pilotlight.errors import PilotlightError
from pilotlight.spec import Part, Record, Spec

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "pilotlight"
MODULES = sorted(SOURCE.rglob("*.py"))
PYTHON = sorted([*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")])

MOST_LINES = 400
MOST_FUNCTION_LINES = 50
MOST_ARGUMENTS = 8
VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "core", "manager", "misc"}
WITHOUT_TORCH = ("stats", "work", "record", "corpus", "scaling", "report")
HEAVY = ("torch", "numpy", "scipy", "plotly", "matplotlib", "tokenizers", "transformers", "pyarrow", "zstandard")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def at(path: Path, line: int = 0) -> str:
    return f"{path.relative_to(ROOT)}" + (f":{line}" if line else "")


def functions(path: Path):
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


@cache
def everything() -> tuple[object, ...]:
    """Every module of the package, imported."""
    names = [module.name for module in pkgutil.walk_packages(pilotlight.__path__, "pilotlight.")]
    return tuple(importlib.import_module(name) for name in names)


@cache
def classes() -> tuple[type, ...]:
    found = {
        item for module in everything() for item in vars(module).values()
        if inspect.isclass(item) and item.__module__ == module.__name__
    }  # fmt: skip
    return tuple(sorted(found, key=lambda item: (item.__module__, item.__qualname__)))


def imported_after(statements: str, *names: str) -> set[str]:
    """Which of the modules ``names`` a fresh interpreter has loaded after ``statements``."""
    ask = f"\nimport sys\nsys.__stdout__.write('\\n@' + ' '.join(name for name in {names!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", statements + ask], capture_output=True, text=True, check=False, cwd=ROOT, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("@")[2].split())


def test_files_are_short():
    long = [f"{at(path)} has {count}" for path in PYTHON if (count := path.read_bytes().count(b"\n")) > MOST_LINES]
    assert long == []


def test_functions_are_short():
    long = [
        f"{at(path, node.lineno)} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in PYTHON for node in functions(path) if node.end_lineno - node.lineno + 1 > MOST_FUNCTION_LINES
    ]  # fmt: skip
    assert long == []


def test_functions_take_few_arguments():
    def count(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        names = [item.arg for item in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        return len([name for name in names if name not in ("self", "cls")])

    many = [
        f"{at(path, node.lineno)} {node.name} takes {count(node)}"
        for path in MODULES for node in functions(path) if count(node) > MOST_ARGUMENTS
    ]  # fmt: skip
    assert many == []


def test_no_file_has_a_name_that_says_nothing():
    vague = [
        at(path) for path in PYTHON if VAGUE_NAMES & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
    ]
    assert vague == []


def test_only_the_command_line_prints():
    def prints(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"

    found = [
        at(path, node.lineno) for path in MODULES if "cli" not in path.relative_to(SOURCE).parts
        for node in ast.walk(tree(path)) if prints(node)
    ]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "NotImplementedError", "import pickle", "torch.load("])
def test_nothing_is_a_stub_and_nothing_is_pickled(word):
    assert [at(path) for path in MODULES if word in path.read_text(encoding="utf-8")] == []


def public(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")


def test_every_public_thing_says_what_it_is():
    bare: list[str] = []
    for path in MODULES:
        if ast.get_docstring(tree(path)) is None:
            bare.append(at(path))
        for node in filter(public, tree(path).body):
            members = [item for item in node.body if public(item)] if isinstance(node, ast.ClassDef) else []
            private = isinstance(node, ast.ClassDef) and node.name.startswith("_")
            bare += [
                f"{at(path, item.lineno)} {item.name}" for item in [node, *members]
                if not private and ast.get_docstring(item) is None
            ]  # fmt: skip
    assert bare == []


def is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "pilotlight"


def is_open(cls: type) -> bool:
    """Whether a class may be inherited from: a root, an abstract class, or a kind of error."""
    protocol = getattr(cls, "_is_protocol", False)
    return cls in (Spec, Part, Record) or inspect.isabstract(cls) or protocol or issubclass(cls, PilotlightError)


def test_every_class_is_abstract_or_final():
    wrong = [
        f"{cls.__module__}.{cls.__qualname__} inherits from {base.__qualname__}, which is concrete"
        for cls in classes() for base in cls.__bases__ if is_ours(base) and not is_open(base)
    ]  # fmt: skip
    assert wrong == []


def test_inheritance_is_one_step_deep():
    def above(cls: type) -> list[type]:
        return [base for base in cls.__mro__[1:] if is_ours(base) and base not in (Spec, Part, Record, ABC, Enum)]

    deep = [
        f"{cls.__module__}.{cls.__qualname__}" for cls in classes()
        if len(above(cls)) > 1 and not issubclass(cls, PilotlightError)
    ]  # fmt: skip
    assert deep == []


def extension_points() -> list[type[Part]]:
    return [cls for cls in classes() if issubclass(cls, Part) and "folder" in cls.__dict__]


def test_every_extension_folder_has_a_conformance_suite():
    points = extension_points()
    assert len(points) >= 10, "the extension points were not found"
    suites = {path.stem.removeprefix("test_"): path for path in (ROOT / "tests" / "conformance").glob("test_*.py")}
    bare = [point.folder for point in points if point.folder.rpartition(".")[2] not in suites]
    assert bare == []
    silent = [
        point.folder for point in points
        if not re.search(rf"discover\(|{point.__name__}\.folder", suites[point.folder.rpartition(".")[2]].read_text())
    ]  # fmt: skip
    assert silent == [], "a suite runs over the whole folder, so that a new file is tested without a new test"


def test_every_folder_of_tests_mirrors_a_folder_of_the_package():
    others = {"bench", "conformance", "stories", "faults", "docs", "reference"}
    ours = {path.name for path in SOURCE.iterdir() if path.is_dir()}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert folders <= ours | others


def settings_modules() -> list[str]:
    """The modules that define settings: a class below Spec, found by following names from file to file."""
    bases: dict[str, set[str]] = {}
    homes: dict[str, list[Path]] = {}
    for path in MODULES:
        for node in (node for node in tree(path).body if isinstance(node, ast.ClassDef)):
            bases.setdefault(node.name, set()).update(base.id for base in node.bases if isinstance(base, ast.Name))
            homes.setdefault(node.name, []).append(path)
    known = {"Spec"}
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    return sorted({module_name(path) for name in known for path in homes[name]})


def test_settings_never_import_torch():
    names = settings_modules()
    assert len(names) > 30
    loaded = imported_after("\n".join(f"import {name}" for name in names), "torch", "scipy", "plotly", "matplotlib")
    assert loaded == set()


@pytest.mark.parametrize("folder", WITHOUT_TORCH)
def test_these_floors_never_import_torch(folder):
    names = [module_name(path) for path in sorted((SOURCE / folder).rglob("*.py")) if path.name != "__main__.py"]
    assert imported_after("\n".join(f"import {name}" for name in names), "torch") == set()


def test_importing_the_package_loads_next_to_nothing():
    assert imported_after("import pilotlight", *HEAVY, "pydantic", "rich", "typer", "yaml") == set()


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["corpus", "--help"]])
def test_help_loads_neither_torch_nor_numbers_nor_settings(words):
    """Typer itself validates the arguments of a command with pydantic, so only the first page does without it."""
    ask = f"""
import sys
sys.argv = ["pilot", *{words!r}]
from pilotlight.cli.main import main
try:
    main()
except SystemExit as end:
    assert end.code in (0, None), end.code
"""
    settings = ["pydantic.main"] if words == ["--help"] else []
    assert imported_after(ask, *HEAVY, *settings, "rich", "yaml", "jinja2", "pilotlight.spec") == set()


def test_reading_a_plan_needs_no_numbers():
    ask = (
        "from pathlib import Path\nfrom pilotlight.pilot.pilot import Pilot\nPilot.load(Path('pilots/quickstart.yaml'))"
    )
    heavy = [name for name in HEAVY if name != "zstandard"]
    assert imported_after(ask, *heavy) == set()


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_tracked_file_speaks_of_the_place_it_was_written_in():
    places = re.compile(
        r"(?<![\w.~}*)-])/(?:work|root)(?:/|\b)|\bCONTRACT\.md\b|\bhelper (?:session|agent)|\b(?:index-url|trusted-host)\b"
    )
    found: list[str] = []
    for path in tracked():
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if places.search(line):
                found.append(f"{at(path, number)}: {line.strip()[:100]}")
    assert found == []
