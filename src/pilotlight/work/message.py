"""What a pool and its workers say to each other: one JSON object per line.

Pool to worker: first the worker's settings, then one unit per line. Worker to pool: ``ready``, then for each unit
``began``, any number of ``event``, and one of ``finished`` or ``failed``.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel, ValidationError

END_OF_OUTPUT = b"\x1e"  # a worker prints it after each unit, so that the pool knows whose words it reads


def _plain_number(value: Any) -> Any:
    """Return JSON types for the scalars and arrays of numerical libraries, models, dataclasses and paths."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, PurePath):
        return str(value)
    to_list: Any = getattr(value, "tolist", None)
    if callable(to_list):
        return to_list()
    raise TypeError(f"{value!r} (a {type(value).__name__}) cannot be written as JSON")


def plain_result(value: Any) -> dict[str, Any]:
    """Return a unit's result as JSON types, the same as after a trip between processes.

    Raises:
        TypeError: the value is not a mapping, or holds something that JSON has no word for.
        ValueError: it holds NaN or an infinity.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"a unit must return a mapping of JSON types, not {value!r}")
    mapping: dict[Any, Any] = {**value}
    return json.loads(json.dumps(mapping, default=_plain_number, allow_nan=False))


def write_event(event: Any) -> dict[str, Any]:
    """Return an event as a message: the name of its class, and its fields if it has any."""
    name = _address(event.__class__)
    fields: Any = event
    if isinstance(event, BaseModel):
        fields = event.model_dump(mode="json")
    elif dataclasses.is_dataclass(event) and not isinstance(event, type):
        fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    message = {"event": name, "fields": fields}
    return json.loads(json.dumps(message, default=_plain_or_text))


def _address(kind: type[object]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _plain_or_text(value: Any) -> Any:
    try:
        return _plain_number(value)
    except TypeError:
        return repr(value)


def read_event(message: Mapping[str, Any]) -> Any:
    """Return the event of a message, as an instance of its class where this process has imported that class.

    Where it has not, nobody here can be waiting for an instance, and the event is the mapping
    ``{"event": "module:Class", **fields}``. Nothing is imported because of a message.
    """
    fields: Any = message["fields"]
    module, _, name = str(message["event"]).partition(":")
    kind = getattr(sys.modules.get(module), name, None)
    if not isinstance(message["fields"], dict) or kind is dict:
        return fields
    try:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind.model_validate(fields)
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            return kind(**fields)
    except (TypeError, ValidationError):
        pass
    return {"event": message["event"], **fields}
