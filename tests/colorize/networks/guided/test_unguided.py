"""The painter without references: what it sees, and what is trained with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from colorize.networks.guided.network import GuidedNetwork
from colorize.networks.guided.references import References
from colorize.networks.guided.unguided import UnguidedPainter
from colorize.pretrained.squeezenet import SqueezeNet

_SEEN = (6, 8, 10)


def make_painter(*, seed: int = 1) -> UnguidedPainter:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = UnguidedPainter(seen=_SEEN, channels=(4, 4, 4, 4, 4))
    with torch.no_grad():
        made.unet.output.weight.mul_(10)
    return made


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def taps(batch: int = 2) -> list[Tensor]:
    return [noise(batch, seen, 32 >> k, 48 >> k, seed=k) for k, seen in enumerate(_SEEN, 2)]


def guided(*, learns: str = "everything", seed: int = 3, **choices: object) -> GuidedNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = GuidedNetwork(
            features=SqueezeNet(weights="random"), channels=(4, 4, 4, 4, 4), match_width=4,
            fusion_width=4, learns=learns, **choices,
        )  # fmt: skip
    with torch.no_grad():
        for each in (made.unet, made.unguided.unet if made.unguided else made.unet):
            each.output.weight.mul_(10)
    return made


def first_alone(luma: Tensor) -> References:
    """One reference of the first of two frames."""
    one = References.of(luma, noise(1, 2, 32, 48) - 0.5)
    return References.collate([replace(one, flow=torch.zeros(1, 1, 2, 32, 48)), one.picked([])])


def test_it_paints_chroma_by_gray_and_by_what_is_seen() -> None:
    painter, gray = make_painter().eval(), noise(2, 1, 32, 48)
    with torch.no_grad():
        painted = painter(gray, taps())
        others = [
            painter(1 - gray, taps()),
            *(
                painter(gray, [t * (k != blind) for k, t in enumerate(taps())])
                for blind in range(3)
            ),
        ]
    assert painted.shape == (2, 2, 32, 48)
    assert 0.01 < float(painted.abs().max()) < 0.5
    for other in others:
        assert (other - painted).abs().max() > 1e-4


def test_a_gradient_reaches_every_parameter() -> None:
    painter = make_painter()
    painter(noise(2, 1, 32, 48), taps()).square().sum().backward()
    idle = [n for n, p in painter.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_own_colours_are_the_mean_of_both_painters() -> None:
    both, alone = guided(unguided="unet").eval(), guided().eval()
    alone.load_state_dict(
        {n: w for n, w in both.state_dict().items() if not n.startswith("unguided.")}
    )
    gray = noise(2, 1, 32, 48)
    remembered: list[Tensor] = []
    assert both.unguided is not None
    both.unguided.register_forward_hook(lambda *given: remembered.append(given[-1]))
    with torch.no_grad():
        together, first = both.paint(gray, None).chroma, alone.paint(gray, None).chroma
    torch.testing.assert_close(together, (first + remembered[0]) / 2)
    assert (remembered[0] - first).abs().max() > 0.02

    shown = first_alone(noise(1, 1, 32, 48, seed=5))
    with torch.no_grad():
        guided_by, plain = both.paint(gray, shown), alone.paint(gray, shown)
    assert torch.equal(guided_by.trust, plain.trust)
    difference = (1 - plain.trust) * (remembered[1] - first)
    # The first frame's own colours depend on its reference, the second has none.
    torch.testing.assert_close((guided_by.chroma - plain.chroma)[1], difference[1] / 2)
    assert not torch.equal(guided_by.chroma[0], plain.chroma[0])


def test_large_frames_are_remembered_at_the_size_of_matching() -> None:
    model = guided(unguided="unet", match_side=32).eval()
    seen: list[tuple[int, ...]] = []
    assert model.unguided is not None
    model.unguided.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape))
    with torch.no_grad():
        assert model.paint(noise(1, 1, 96, 144), None).chroma.shape == (1, 2, 96, 144)
    assert seen == [(1, 1, 32, 48)]


def test_where_the_memory_learns_it_learns_alone_and_by_its_own_colours() -> None:
    model = guided(unguided="unet", learns="unguided").train()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    gray = noise(2, 1, 32, 48)
    shown = first_alone(gray[:1])
    painted = model.paint(gray, shown)
    painted.chroma.square().sum().backward()
    assert not painted.trust.any()
    assert model.unguided is not None
    taps = [tap * tap.shape[1] ** 0.5 for tap in model.matcher.look(gray).taps]
    torch.testing.assert_close(painted.chroma, model.unguided(gray, taps))
    trained = {n.split(".")[0] for n, p in model.named_parameters() if p.grad is not None}
    assert trained == {"unguided"}
    changed = {n.split(".")[0] for n, t in model.state_dict().items() if not t.equal(before[n])}
    assert changed == {"unguided"}  # statistics of batch normalisation


def test_what_learns_must_be_there() -> None:
    with pytest.raises(ValueError, match=r"pass model\.unguided=committee"):
        guided(learns="unguided")
    with pytest.raises(ValueError, match=r"model\.learns is 'unguidd'"):
        guided(unguided="unet", learns="unguidd")
