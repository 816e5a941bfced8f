"""Plan files: YAML read with line numbers, safe to load, every mistake named at its place.

Also the one way to change settings by a dotted path, used by variants and by ``--set``.
"""

# Plain data from YAML and JSON has no static type; what is checked here is checked by pydantic.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import os
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from pilotlight.errors import ConfigError, nearest
from pilotlight.spec import Part, Spec, discover, plain

S = TypeVar("S", bound=Spec)
Place = tuple[int, int]
_MOST_NODES = 100_000  # a plan has hundreds; aliases that multiply ("billion laughs") stop here
_DATE = "tag:yaml.org,2002:timestamp"
_PLAIN_TAGS = {_DATE, *(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null"))}


class _Loader(yaml.SafeLoader):
    """SafeLoader of YAML that also reads 3e-4 as a number, as every practitioner means it."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


class _Reader:
    """Turns YAML nodes into values and remembers the line and column of each."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[tuple[Any, ...], Place] = {}
        self._count = 0
        self._loader = _Loader("")

    def fail(self, node: yaml.Node, text: str) -> ConfigError:
        return ConfigError(f"{self.file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}: {text}")

    def value(self, node: yaml.Node, path: tuple[Any, ...]) -> Any:
        self._count += 1
        if self._count > _MOST_NODES or len(path) > 50:
            raise self.fail(node, "nested or repeated too deeply for a plan; write it out without aliases.")
        self.places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if node.tag not in _PLAIN_TAGS:
            raise self.fail(node, f"the tag {node.tag!r} is not allowed; a plan holds plain values only.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if node.tag == _DATE:
            return node.value  # an unquoted date is text: JSON has no word for dates
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise self.fail(node, f"{node.value!r} cannot be read: {error}.") from error

    def _mapping(self, node: yaml.MappingNode, path: tuple[Any, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                raise self.fail(key_node, "a field name has to be a word.")
            if key in found:
                raise self.fail(key_node, f"the field {key!r} is given twice; keep one of them.")
            self.places[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            found[key] = self.value(value_node, (*path, key))
        return found


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[tuple[Any, ...], Place]]:
    """Return the values of a YAML file and the line and column of each.

    Raises:
        ConfigError: the file is missing, unreadable, not UTF-8, no YAML, or no mapping of fields.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        near = nearest(path.name, (item.name for item in path.parent.glob("*.y*ml"))) if path.parent.is_dir() else ""
        raise ConfigError(f"{path} does not exist. Give the path of a plan file (YAML).{near}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start}). Save the plan as UTF-8.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}). Give the path of a plan file (YAML).") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, file: str) -> tuple[dict[str, Any], dict[tuple[Any, ...], Place]]:
    """Return the values of YAML text and the line and column of each; ``file`` names it in errors.

    Raises:
        ConfigError: the text is no YAML, or no mapping of fields.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{file}{place}: this is not valid YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: this is not valid YAML: {error}.") from error
    except RecursionError as error:
        raise ConfigError(f"{file}: nested too deeply for a plan, which has a handful of levels.") from error
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{file}: a plan is a mapping of fields such as 'question: ...', this file holds none.")
    reader = _Reader(file)
    return reader.value(node, ()), reader.places


def _inner(annotation: Any) -> list[type[Spec]]:
    """Return the settings classes that an annotation holds (through Optional, tuple and dict)."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, tuple, list, dict, typing.Annotated):
        return [found for item in typing.get_args(annotation) for found in _inner(item)]
    return []


def _chosen(classes: list[type[Spec]], data: Any) -> list[type[Spec]]:
    """Return the classes that ``data`` can be of: the kind it asks for, where it is an extension point."""
    if isinstance(data, list):
        return classes
    found: list[type[Spec]] = []
    for cls in classes:
        if not (issubclass(cls, Part) and "folder" in cls.__dict__):
            found.append(cls)
            continue
        kind = str(data.get("kind", cls.usual) if isinstance(data, Mapping) else data)
        if kind in (parts := discover(cls.folder)):
            found.append(parts[kind])
    return found


def _fields_at(cls: type[Spec], data: Any, path: tuple[Any, ...]) -> list[str]:
    """Return the names of the fields that may stand at ``path``."""
    current: list[type[Spec]] = [cls]
    for key in path:
        fields = [item.model_fields[str(key)] for item in current if str(key) in item.model_fields]
        if fields:
            current = [found for field in fields for found in _inner(field.annotation)]
        data = data[key] if isinstance(data, Mapping | list) else None
        current = _chosen(current, data)
    return [name for item in current for name in item.model_fields]


def _sentence(cls: type[Spec], data: Any, error: Mapping[str, Any]) -> str:
    path = tuple(error["loc"])
    name = ".".join(str(part) for part in path) or "the plan"
    if error["type"] == "extra_forbidden":
        try:
            choices = _fields_at(cls, data, path[:-1])
        except (KeyError, IndexError, TypeError):
            choices = []
        known = f" Known here: {', '.join(choices)}." if choices else ""
        return f"{name}: there is no such field.{nearest(str(path[-1]), choices) or known}"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{name}: this field is required."
    shown = (
        "" if error["type"].startswith("kind_") or error["type"] == "value_error" else f", got {error['input']!r:.80}"
    )
    return f"{name}: {message.rstrip('.')}{shown}" + ("" if message.endswith("?") else ".")


def validated(cls: type[S], data: Any, file: str, places: Mapping[tuple[Any, ...], Place] | None = None) -> S:
    """Return settings of ``cls`` made from plain ``data``; ``places`` and ``file`` tell where a mistake is.

    Raises:
        ConfigError: names every mistake with file, line, column, what was expected and the nearest right name.
    """
    try:
        return cls.model_validate(data)
    except ValidationError as error:
        lines: list[str] = []
        for item in error.errors(include_url=False):
            path = tuple(item["loc"])
            while path and path not in (places or {}):
                path = path[:-1]
            place = "" if not places else ":{}:{}".format(*places.get(path, (1, 1)))
            lines.append(f"{file}{place}: {_sentence(cls, data, item)}")
        raise ConfigError("\n".join(lines)) from error


def place_of(message: str, places: Mapping[tuple[Any, ...], Place]) -> str:
    """Return ``:line:column`` of the field whose dotted name ``message`` begins with, or an empty string."""
    name = re.split(r"[: ]", message, maxsplit=1)[0]
    return next(
        (f":{line}:{column}" for path, (line, column) in places.items() if ".".join(map(str, path)) == name), ""
    )


def load(path: Path, cls: type[S]) -> S:
    """Return the settings in a YAML file.

    Raises:
        ConfigError: the file cannot be read, or holds mistakes; each is named at its line and column.
    """
    data, places = read_yaml(path)
    return validated(cls, data, str(path), places)


def _changed(old: Any, new: Any, where: str) -> Any:
    """Return ``new``, or ``old`` times a factor where ``new`` is text such as ``x2``."""
    if isinstance(new, str) and (match := re.fullmatch(r"[xX]\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)", new)):
        if isinstance(old, bool) or not isinstance(old, int | float):
            raise ConfigError(f"{where} is {old!r}, which cannot be multiplied by {match[1]}; give the value itself.")
        product = old * float(match[1])
        return round(product) if isinstance(old, int) else product
    return new


def _set(inside: Any, key: Any, new: Any) -> None:
    if key == "kind" and new != inside[key]:
        inside.clear()
    inside[key] = new


def override(spec: S, path: str, value: Any, file: str = "set") -> S:
    """Return ``spec`` with the field at dotted ``path`` changed; ``x2`` doubles a number.

    A new ``kind`` resets the other fields of that part to the defaults of the new kind.

    Raises:
        ConfigError: there is no such field, or the value does not fit it.
    """
    data: Any = plain(spec)
    names = path.split(".")
    here: Any = data
    for depth, name in enumerate(names):
        inside = ".".join(names[:depth]) or "the plan"
        inner: Any = here
        if isinstance(inner, list) and name.isdigit() and int(name) < len(inner):
            key: Any = int(name)
        elif isinstance(inner, dict) and name in inner:
            key = name
        else:
            choices = [str(item) for item in inner] if isinstance(inner, dict) else []
            known = f" Known there: {', '.join(choices)}." if choices else ""
            raise ConfigError(f"{file}: {path}: {inside} has no field {name!r}.{nearest(name, choices) or known}")
        if depth < len(names) - 1:
            here = inner[key]
            continue
        _set(here, key, _changed(here[key], value, f"{file}: {path}"))
    return validated(type(spec), data, f"{file} {path}={value}")


def anchored(spec: S, folder: Path) -> S:
    """Return ``spec`` with every relative path in it starting at ``folder``, and ``~`` written out."""

    def moved(value: Any) -> Any:
        if isinstance(value, Path):
            return Path(os.path.normpath(folder.absolute() / value.expanduser()))
        if isinstance(value, Spec):
            return anchored(value, folder)
        return tuple(moved(item) for item in value) if isinstance(value, tuple) else value

    return spec.model_copy(update={name: moved(getattr(spec, name)) for name in type(spec).model_fields})
