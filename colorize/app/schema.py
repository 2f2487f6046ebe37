"""Read the JSON of a request into a dataclass, strictly: it says what the page may ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from starlette.requests import Request

from colorize.app.error import PageError
from colorize.base.errors import did_you_mean

T = TypeVar("T")
_LARGEST = 64 * 1024  # bytes; what is uploaded is no JSON


async def read_json(request: Request, kind: type[T]) -> T:
    """Return the body of a request as a ``kind``.

    Raises:
        PageError: It is no JSON, too long, lacks a field, or has one unknown or of a wrong type.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise PageError(f"a request has {_LARGEST} bytes at most", status=413)
    try:
        content = json.loads(bytes(body) or b"{}")
    except ValueError as error:
        raise PageError("the request is no JSON") from error
    return build(kind, content)


def build(kind: type[T], content: Any) -> T:
    """Return ``content`` as the dataclass ``kind``.

    Raises:
        PageError: See :func:`read_json`.
    """
    if not isinstance(content, Mapping):
        raise PageError("the request is no object")
    types = get_type_hints(kind)
    for name, value in content.items():
        if name not in types:
            raise PageError(f"unknown field {name!r}{did_you_mean(str(name), types)}")
        if not _fits(value, types[name]):
            raise PageError(f"{name} is {value!r}: expected {_named(types[name])}")
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name not in content and field.default is MISSING:
            raise PageError(f"{field.name} is missing")
    values = {
        name: float(value) if _takes_float(value, types[name]) else value
        for name, value in content.items()
    }
    return kind(**values)


def _fits(value: Any, kind: Any) -> bool:
    """Return whether a value of JSON has a type: a scalar, certain words, a union or a list."""
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(value, each) for each in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(each, *get_args(kind)) for each in value)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _takes_float(value: Any, kind: Any) -> bool:
    """Return whether a value is meant as a float: JSON's 1 is a number as good as 1.0."""
    return value is not None and float in (kind, *get_args(kind))


def _named(kind: Any) -> str:
    """Return how a user calls a type."""
    names = {str: "text", int: "a whole number", float: "a number", bool: "yes or no"}
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_named(each) for each in get_args(kind) if each is not NoneType)
    return names.get(kind, "a list")
