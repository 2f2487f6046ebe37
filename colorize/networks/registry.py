"""Networks and feature nets by the names that checkpoints know them by.

A name outlives the module that its class lies in. What earlier versions wrote, import paths and
names of arguments and tensors, is understood for good.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from colorize.base import components
from colorize.base.errors import UserError, did_you_mean

COMPONENTS = {
    "guided": "colorize.networks.guided.network.GuidedNetwork",
    "prototype": "colorize.networks.prototype.generator.Generator",
    "refiner": "colorize.networks.prototype.refiner.Refiner",
    "squeezenet": "colorize.pretrained.squeezenet.SqueezeNet",
    "vgg19": "colorize.pretrained.vgg19.VGG19",
}
# Where these classes lay when checkpoints held import paths (tooncolor-model-1).
_EARLIER = {
    "colorize.features.VGG19": "vgg19",
    "colorize.models.Generator": "prototype",
    "colorize.models.ReferenceGenerator": "guided",
    "colorize.models.Refiner": "refiner",
    "colorize.squeezenet.SqueezeNet": "squeezenet",
}
_NAMES = {path: name for name, path in COMPONENTS.items()} | _EARLIER
_GUIDED_ARGUMENTS = {"memory": "unguided", "judge_width": "fusion_width"}
_GUIDED_PARTS = {"memory.": "unguided.", "judge.": "fusion."}

Node = Mapping[str, Any]


def named(node: Node) -> dict[str, Any]:
    """Return a description of a network by registry names, whatever version wrote it.

    ``node`` says by ``_target_`` (an import path) or ``name`` which component it describes; its
    other entries are arguments, which may be such descriptions themselves.

    Raises:
        ValueError: There is no such component.
    """
    path = str(node.get("_target_"))
    name = str(node.get("name") or _NAMES.get(path, path))
    if name not in COMPONENTS:
        raise UserError(f"there is no network {name!r}{did_you_mean(name, COMPONENTS)}")
    renamed = _GUIDED_ARGUMENTS if name == "guided" else {}
    arguments = {
        renamed.get(key, key): named(value) if _is_description(value) else value
        for key, value in node.items()
        if key not in ("_target_", "name")
    }
    if name == "guided" and isinstance(arguments.get("unguided"), bool):
        arguments["unguided"] = "unet" if arguments["unguided"] else "none"
    if arguments.get("learns") == "memory":
        arguments["learns"] = "unguided"
    return {"name": name, **arguments}


def component(name: str) -> Callable[..., Any]:
    """Return the class of a registry name; nothing else is imported for it.

    Raises:
        ValueError: There is no such component.
    """
    if name not in COMPONENTS:
        raise UserError(f"there is no network {name!r}{did_you_mean(name, COMPONENTS)}")
    module, _, attribute = COMPONENTS[name].rpartition(".")
    made: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return made


def build(node: Any) -> Any:
    """Build what :func:`named` describes; anything else is returned as it is."""
    if not (isinstance(node, Mapping) and "name" in node):
        return node
    arguments = {key: build(value) for key, value in node.items() if key != "name"}
    return components.build(node["name"], component(node["name"]), arguments)


def current_names(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a network by the names that its parts have today."""
    if name != "guided":
        return dict(tensors)
    return {_renamed(key): tensor for key, tensor in tensors.items()}


def _renamed(key: str) -> str:
    for earlier, now in _GUIDED_PARTS.items():
        if key.startswith(earlier):
            return now + key.removeprefix(earlier)
    return key


def _is_description(value: Any) -> bool:
    return isinstance(value, Mapping) and ("_target_" in value or "name" in value)
