"""Jupyter notebooks as scripts: what a person wrote in their cells, without outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast, final

import orjson

KIND = "Jupyter notebook"
ENDING = ".ipynb"


@final
class Script(NamedTuple):
    """The cells of a notebook, one after another."""

    text: str
    """Cells begin with ``# %%``; prose stands in comments behind ``# %% [markdown]``, as editors read it back."""
    language: str
    """Programming language of the code as the notebook names it; empty where it does not."""


def script_of(text: str) -> Script:
    """Return the notebook in ``text`` (nbformat 3 or 4) as a script; one of empty cells has an empty text.

    Raises:
        ValueError: it is no notebook.
    """
    try:
        book = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error}") from error
    cells = [_written(cell) for cell in _cells(book)]
    about = _mapping(_mapping(book).get("metadata"))
    names = [_mapping(about.get("language_info")).get("name"), _mapping(about.get("kernelspec")).get("language")]
    language = next((name for name in names if isinstance(name, str) and name), "")
    return Script("\n\n".join(cell for cell in cells if cell), language.capitalize())


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _cells(book: Any) -> Iterator[dict[str, Any]]:
    found = _mapping(book)
    older = found.get("worksheets")  # nbformat 3
    sheets = [found, *(_mapping(sheet) for sheet in (cast("list[object]", older) if isinstance(older, list) else ()))]
    lists = [cast("list[object]", sheet["cells"]) for sheet in sheets if isinstance(sheet.get("cells"), list)]
    if not lists:
        raise ValueError("no list of cells")
    for cells in lists:
        yield from (_mapping(cell) for cell in cells)


def _written(cell: dict[str, Any]) -> str:
    """Return a cell as part of a script; empty where nothing is written in it."""
    lines = cell.get("source", cell.get("input", ""))
    parts = cast("list[object]", lines) if isinstance(lines, list) else [lines]
    source = "".join(part for part in parts if isinstance(part, str))
    if not source.strip():
        return ""
    if cell.get("cell_type") == "code":
        return f"# %%\n{source.rstrip()}"
    marked = "\n".join(f"# {line}".rstrip() for line in source.rstrip().split("\n"))
    return f"# %% [markdown]\n{marked}"
