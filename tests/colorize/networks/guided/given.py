"""Random frames and references, and what the guided network makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

from colorize.networks.base import Painted
from colorize.networks.guided.fusion import KINDS, Proposals
from colorize.networks.guided.network import GuidedNetwork, Steps
from colorize.networks.guided.references import References
from colorize.pretrained.squeezenet import SqueezeNet

SIZE = (32, 48)
PLANES = ("luma", "chroma", "mask", "keys", "flow", "propagated")


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def tiny(features: SqueezeNet, *, seed: int = 1, width: int = 4, **choices: Any) -> GuidedNetwork:
    """A small model whose own colours differ clearly from gray."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = GuidedNetwork(
            features=features,
            **{"channels": (4, 4, 4, 4, 4), "match_width": 8, "fusion_width": width} | choices,
        )
    with torch.no_grad():
        made.unet.output.weight.mul_(10)
    return made.eval()


def references(
    *counts: int,
    size: tuple[int, int] = SIZE,
    seed: int = 5,
    flow: bool = True,
    propagated: bool = False,
    mask: bool = False,
) -> References:
    """As many random references as ``counts`` says for each frame, with random flow to each.

    Padding holds other noise: nobody may look at it.
    """
    shape = (len(counts), max(counts))
    moving = [6 * noise(*shape, 2, *size, seed=seed + each) - 3 for each in (2, 3)]
    columns = torch.arange(shape[1]).expand(shape)
    return References(
        luma=noise(*shape, 1, *size, seed=seed),
        chroma=0.5 * noise(*shape, 2, *size, seed=seed + 1) - 0.1,
        counts=counts,
        frame=torch.where(columns < torch.tensor(counts)[:, None], columns, -1),
        mask=(noise(*shape, 1, *size, seed=seed + 4) > 0.3).float() if mask else None,
        flow=moving[0] if flow else None,
        propagated=moving[1] if propagated else None,
    )


def of_frame(given: References, frame: int) -> References:
    """The references of one frame of a batch, without padding."""
    count = given.counts[frame]
    own = {
        name: planes[frame : frame + 1, :count]
        for name in (*PLANES, "frame")
        if (planes := getattr(given, name)) is not None
    }
    return replace(given, counts=(count,), **own)


def planes_of(given: References) -> dict[str, Tensor]:
    """The planes that references have, by name."""
    return {name: each for name in PLANES if (each := getattr(given, name)) is not None}


def assert_same(first: References, second: References, *, atol: float = 0.0) -> None:
    assert first.counts == second.counts
    assert torch.equal(first.frame, second.frame)
    assert planes_of(first).keys() == planes_of(second).keys()
    for name, planes in planes_of(first).items():
        torch.testing.assert_close(planes, getattr(second, name), rtol=0, atol=atol)


def shown_to_the_fusion(
    model: GuidedNetwork, gray: Tensor, given: References
) -> dict[str, Proposals]:
    """Return the proposals that the fusion sees, by kind."""
    seen: list[Proposals] = []
    hook = model.fusion.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[1]))
    with torch.no_grad():
        model.paint(gray, given)
    hook.remove()
    (proposals,) = seen
    return {
        name: proposals._replace(
            **{
                field: each[proposals.kind == kind]
                for field, each in proposals._asdict().items()
                if isinstance(each, Tensor)
            }
        )
        for kind, name in enumerate(KINDS)
    }


def painted(model: GuidedNetwork, gray: Tensor, given: References | None) -> Steps:
    with torch.no_grad():
        return model.paint(gray, given)


def evidence(model: GuidedNetwork, gray: Tensor, given: References) -> Tensor:
    """Return the evidence of the fused proposals."""
    seen: list[Tensor] = []
    hook = model.fusion.register_forward_hook(lambda *called: seen.append(called[-1].evidence))
    painted(model, gray, given)
    hook.remove()
    return seen[0]


def assert_close(first: Steps, second: Steps, *, atol: float = 1e-5) -> None:
    for name, planes in first._asdict().items():
        if planes is None:
            assert getattr(second, name) is None, name
            continue
        torch.testing.assert_close(planes, getattr(second, name), rtol=0, atol=atol)


def forward_without_values(
    model: GuidedNetwork,
    fake: FakeTensorMode,
    gray: Tensor,
    given: References,
    device: str = "cpu",
) -> Painted:
    """Colour frames on tensors without values, as if on any device.

    They raise where one is read (``item``, ``if tensor``) or decides a shape (``nonzero``, indexing
    by a mask), and where something is copied between host and device that is waited for.
    """

    def there(tensor: Tensor) -> Tensor:
        made = fake.from_tensor(tensor.detach())
        with fake:
            return made.to(device).requires_grad_(tensor.requires_grad)

    known = {name: there(each) for name, each in model.state_dict(keep_vars=True).items()}
    seen = replace(given, **{name: there(each) for name, each in planes_of(given).items()})
    frames = there(gray)
    with fake, _RefuseWaiting():
        result: Painted = functional_call(model, known, (frames, seen))
    return result


class _RefuseWaiting(TorchDispatchMode):
    """Raise where something is copied between host and device before anything else goes on."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._to_copy.default and not (kwargs or {}).get("non_blocking"):
            assert result.device.type == args[0].device.type, "this waits for the device"
        return result
