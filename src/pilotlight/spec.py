"""Frozen settings and records: checked, hashed, compared, and chosen by the file name of their class.

``Spec`` is the root of every settings object, ``Part`` of every extension point (the folder is the registry),
``Record`` of everything written as JSON. Reading YAML with line numbers lives in ``pilotlight.plan_file``.
"""

# Plain data from YAML and JSON has no static type; what is checked here is checked by pydantic.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import pkgutil
from abc import ABC
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from pilotlight.errors import nearest

_FROZEN = ConfigDict(
    frozen=True, extra="forbid", use_attribute_docstrings=True, arbitrary_types_allowed=False, protected_namespaces=()
)


class Spec(BaseModel):
    """Settings: frozen, every field checked, unknown fields and numbers that are not finite refused."""

    model_config = _FROZEN | ConfigDict(allow_inf_nan=False)


class Record(BaseModel):
    """A fact that was written down: frozen, and the same after a round trip through JSON."""

    model_config = _FROZEN

    def to_json(self, indent: int | None = 1) -> str:
        """Return the record as JSON text with a stable order of fields; refuses NaN and infinities."""
        return json.dumps(self.model_dump(), indent=indent, ensure_ascii=False, allow_nan=False, default=str)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return the record written in ``text``.

        Raises:
            ValueError: the text is not JSON, or not of this record.
        """
        return cls.model_validate_json(text)


class Part(Spec, ABC):
    """Settings of one exchangeable part, chosen by ``kind``: the name of the file its class is in.

    The abstract class of an extension point sets ``folder``, the package whose files are the choices. A field
    annotated with the abstract class takes an instance, a mapping ``{kind: name, ...}`` or just the name.
    """

    folder: ClassVar[str]

    usual: ClassVar[str] = ""
    """The kind of settings that name none; empty: a kind has to be named."""

    kind: str = ""
    """Name of the implementation: a file of the extension point's folder."""

    @model_validator(mode="before")
    @classmethod
    def _name_kind(cls, data: Any) -> Any:
        name = cls.__module__.rpartition(".")[2]
        if isinstance(data, Mapping):
            given = data.get("kind", name)
            if given not in (name, ""):
                raise ValueError(f"kind is {given!r}, but these are the settings of {name!r}")
            return {"kind": name, **{key: value for key, value in data.items() if key != "kind"}}
        return data

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Return the schema of a concrete part, or of the choice among the parts of the folder."""
        if "folder" not in cls.__dict__:
            return handler(source)
        return core_schema.no_info_plain_validator_function(
            cls.choose,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda part, info: part.model_dump(mode=info.mode), info_arg=True
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        """Return the JSON schema: any of the kinds, by name or with settings."""
        if "folder" not in cls.__dict__:
            found = handler.resolve_ref_schema(handler(schema))
            found["properties"]["kind"] = {"const": cls.__module__.rpartition(".")[2]}
            return found
        parts = discover(cls.folder)
        return {"anyOf": [{"enum": list(parts)}, *(handler(part.__pydantic_core_schema__) for part in parts.values())]}

    @classmethod
    def choose(cls, value: Any) -> Any:
        """Return the part that ``value`` (an instance, a name or a mapping with ``kind``) asks for.

        Raises:
            ValidationError: there is no such kind, or its settings are wrong.
        """
        if isinstance(value, cls):
            return value
        given: Any = {"kind": value} if isinstance(value, str) else value
        if cls.usual and isinstance(given, Mapping) and "kind" not in given:
            given = {"kind": cls.usual, **given}
        parts = discover(cls.folder)
        choices = f"expected one of {', '.join(parts)}"
        if not isinstance(given, Mapping) or "kind" not in given:
            raise PydanticCustomError("kind_missing", "{text}", {"text": f"kind is missing; {choices}"})
        if given["kind"] not in parts:
            word = str(given["kind"])
            text = f"no {cls.__name__.lower()} is called {word!r}; {choices}.{nearest(word, parts)}"
            problem = PydanticCustomError("kind_unknown", "{text}", {"text": text})
            error = InitErrorDetails(type=problem, loc=("kind",), input=word)
            raise ValidationError.from_exception_data(cls.__name__, [error])
        return parts[given["kind"]].model_validate(given)


@cache
def discover(folder: str) -> dict[str, type[Part]]:
    """Return the concrete part of every file in a package, by file name in order.

    Files that begin with ``_`` or end in ``_layer`` hold no settings and are passed over.

    Raises:
        TypeError: a file holds no concrete part, or more than one.
    """
    package = importlib.import_module(folder)
    found: dict[str, type[Part]] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        if name.startswith("_") or name.endswith("_layer"):
            continue
        module = importlib.import_module(f"{folder}.{name}")
        parts = [
            item for item in vars(module).values()
            if inspect.isclass(item) and issubclass(item, Part) and item.__module__ == module.__name__
            and not inspect.isabstract(item)
        ]  # fmt: skip
        if len(parts) != 1:
            raise TypeError(f"{module.__name__} holds {len(parts)} concrete parts, expected exactly one")
        found[name] = parts[0]
    return found


def plain(value: Any) -> Any:
    """Return ``value`` as JSON types only: specs and records as mappings, tuples as lists."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def canonical(value: Any) -> str:
    """Return JSON text that is the same for equal values, whatever their order of keys.

    Raises:
        TypeError: the value holds something that cannot be written the same way twice.
        ValueError: the value holds NaN or an infinity.
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(*values: Any) -> str:
    """Return 16 hex digits that identify ``values`` (SHA-256 over their canonical JSON)."""
    return hashlib.sha256("\x1e".join(canonical(value) for value in values).encode()).hexdigest()[:16]


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        found: dict[str, Any] = {}
        for key, item in value.items():
            found |= _leaves(item, f"{path}.{key}" if path else str(key))
        return found
    if isinstance(value, list) and value and all(isinstance(item, dict) and "kind" in item for item in value):
        return _leaves(_by_kind(value), path)
    return {path: value}


def _by_kind(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a list of parts by their kinds, numbered from the second of a kind on, so that two lists can be compared."""
    found: dict[str, Any] = {"order": [part["kind"] for part in parts]}
    for part in parts:
        count = sum(name == part["kind"] or name.startswith(f"{part['kind']}_") for name in found)
        found[part["kind"] if not count else f"{part['kind']}_{count + 1}"] = part
    return found


def diff(old: Any, new: Any) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ as ``{dotted path: (old, new)}``; None stands for an absent field.

    The parts of a list are compared kind by kind, and their ``order``.
    """
    left, right = _leaves(plain(old)), _leaves(plain(new))
    paths = [*left, *(path for path in right if path not in left)]
    return {path: (left.get(path), right.get(path)) for path in paths if left.get(path) != right.get(path)}
