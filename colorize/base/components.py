"""Build components from what a file says of them: its arguments are checked before they are used.

So what a constructor says of them is a mistake of the file, and anything else a defect of ours.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from colorize.base.errors import UserError, did_you_mean


def parameters(component: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a component that have a name of their own."""
    return {
        name: parameter
        for name, parameter in inspect.signature(component).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }


def hints(component: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of a component's parameters."""
    return typing.get_type_hints(component.__init__ if inspect.isclass(component) else component)


def build(name: str, component: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Return the component called ``name`` in files, made with ``arguments``.

    Raises:
        UserError: It takes no argument of some name, needs another, or one has a wrong type.
    """
    known = parameters(component)
    for key in arguments:
        if key not in known:
            raise UserError(f"{name} takes no {key}{did_you_mean(key, known)}")
    for key, parameter in known.items():
        if parameter.default is inspect.Parameter.empty and key not in arguments:
            raise UserError(f"{name} needs {key}")
    try:
        return component(**arguments)
    except (TypeError, AttributeError, RuntimeError, LookupError):
        # Types are compared only now: beartype, which knows how, takes its time to import.
        _check_types(name, component, arguments)
        raise


def _check_types(name: str, component: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    from beartype.door import is_bearable

    wanted = hints(component)
    for key, value in arguments.items():
        fits = is_bearable(value, wanted.get(key, Any))
        if not fits and isinstance(value, list):
            fits = is_bearable(tuple(value), wanted[key])  # JSON has no tuples
        if not fits:
            raise UserError(f"{key} of {name} is {value!r}, expected {wanted[key]}")
