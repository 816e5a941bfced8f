"""The docstrings and built-in help topics of the running interpreter: prose that every machine has."""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Iterator
from typing import final

from pilotlight.corpus.source import Cut, Input, Raw, Source, Unreadable
from pilotlight.corpus.standard_library import TOPICS, library_files, source_text

_BLOCKS = ("body", "handlers", "orelse", "finalbody")
_Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _parsed(text: str) -> ast.Module | Unreadable:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some modules hold escapes that newer Pythons warn of
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        return Unreadable("1", "no Python", str(error)[:200])


def _entries(node: ast.AST, prefix: str) -> Iterator[str]:
    """Yield ``name: docstring`` of every class and function below a node, in the order of the file."""
    statements = [item for name in _BLOCKS for item in getattr(node, name, ())]
    for child in statements:
        if isinstance(child, _Documented):
            name = f"{prefix}{child.name}"
            if (text := ast.get_docstring(child)) is not None:
                called = "" if isinstance(child, ast.ClassDef) else f"({', '.join(_arguments(child.args))})"
                yield f"{name}{called}\n\n{text}"
            yield from _entries(child, f"{name}.")
        else:
            yield from _entries(child, prefix)


def _arguments(given: ast.arguments) -> list[str]:
    names = [item.arg for item in (*given.posonlyargs, *given.args)]
    names += [f"*{given.vararg.arg}"] if given.vararg else []
    names += [item.arg for item in given.kwonlyargs]
    return names + ([f"**{given.kwarg.arg}"] if given.kwarg else [])


def docstrings(module: ast.Module, name: str) -> str:
    """Return the documentation of a module as one text: its own docstring, then those of its classes and functions."""
    own = ast.get_docstring(module)
    return "\n\n\n".join([*([f"{name}\n\n{own}"] if own else []), *_entries(module, f"{name}.")])


def _topics(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the name and text of every help topic: the one dictionary literal of the file."""
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            topics: dict[str, str] = ast.literal_eval(node.value)
            yield from sorted(topics.items())


@final
class PythonDocs(Source):
    """One document of prose for every documented module, and one for every help topic; nothing is imported.

    The docstrings of a module go to the same side of the held-out split as its code (``python_library``).
    """

    def default_name(self) -> str:
        """Return ``python_docs``."""
        return "python_docs"

    def files(self) -> list[Input]:
        """Return the modules, sorted.

        Raises:
            DataError: this Python came without the source of its library.
        """
        return library_files()

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the docstrings of one module as one record, or the help topics as one record each."""
        text = source_text(file)
        module = _parsed(text) if isinstance(text, str) else text
        if isinstance(module, Unreadable):
            yield module
        elif file.relative == TOPICS:
            for topic, words in _topics(module):
                yield Raw(inspect.cleandoc(words), topic)
        else:
            name = file.relative.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            if documented := docstrings(module, name):
                yield Raw(documented, "1", group=f"module {file.relative}")
