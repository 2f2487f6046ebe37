"""The committee: means of members, who are judged without being changed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from colorize.imaging.color import join
from colorize.losses.unguided import Unguided
from colorize.networks.guided.committee import Committee, Guess
from colorize.networks.guided.network import GuidedNetwork
from colorize.pretrained.squeezenet import SqueezeNet
from tests.colorize.networks.guided.given import SIZE, noise, painted, references, tiny

_SEEN = (6, 8, 10)


def committee(members: int = 3, *, seed: int = 1) -> Committee:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = Committee(seen=_SEEN, members=members, width=(4, 5, 6))
    with torch.no_grad():
        for member in made.members:
            member.paint.weight.mul_(100)
            member.mix.weight.mul_(20)
    return made.eval()


def taps(batch: int = 2) -> list[Tensor]:
    return [noise(batch, seen, 32 >> k, 48 >> k, seed=k) for k, seen in enumerate(_SEEN, 2)]


def guess(made: Committee, batch: int = 2) -> Guess:
    with torch.no_grad():
        return made(0.7 + 0.3 * noise(batch, 1, 32, 48), taps(batch))  # bright enough


def test_what_is_painted_is_what_members_agree_on() -> None:
    """Their mean, times its length over the mean of their lengths."""
    found = guess(committee())
    assert found.chroma.shape == (2, 2, 32, 48)
    bold, spread = found.opinions.bold.double(), found.opinions.spread.double()
    mean = bold.sum(dim=1) / 3
    lengths = (bold**2).sum(dim=2).sqrt().sum(dim=1) / 3
    expected = mean * ((mean**2).sum(dim=1).sqrt() / lengths)[:, None]
    torch.testing.assert_close(found.chroma.double(), expected, rtol=0, atol=1e-6)
    expected = ((spread**2).sum(dim=1) / 3) ** 0.5
    torch.testing.assert_close(found.spread.double(), expected, rtol=0, atol=1e-6)
    assert found.chroma.std() > 0.005


def test_a_frame_that_is_dark_as_a_whole_has_as_much_less_colour() -> None:
    """By its brightest block of 8 by 8 pixels: at half of a luma of 0.7, half the colours."""
    made, seen = committee(), taps()
    gray = torch.full((2, 1, 32, 48), 0.1)
    gray[:, :, 8:16, 16:24] = 0.35
    with torch.no_grad():
        found = made(gray, seen)
    bold = found.opinions.bold
    mean, lengths = bold.mean(dim=1), bold.norm(dim=2).mean(dim=1)[:, None]
    expected = 0.5 * mean * mean.norm(dim=1, keepdim=True) / lengths
    torch.testing.assert_close(found.chroma, expected, rtol=0, atol=1e-6)


def test_members_keep_a_part_of_their_bold_colours() -> None:
    """At every place a factor of its own below 1; pixels are the same means of nine places."""
    found = guess(committee(1)).opinions
    assert (found.kept.abs().amax(dim=(-1, -2)) < found.bold.abs().amax(dim=(-1, -2))).all()
    cosine = functional.cosine_similarity(found.kept, found.bold, dim=2)
    assert cosine.mean() > 0.9
    assert (found.spread > 0).all()


def test_pixels_are_means_of_the_nine_places_around_them() -> None:
    """Checked pixel by pixel: no pixel leaves the range of its 3 by 3 neighbourhood."""
    made = committee(1)
    planes: list[Tensor] = []
    made.members[0].paint.register_forward_hook(lambda *given: planes.append(given[-1]))
    bold = guess(made).opinions.bold[:, 0]
    coarse = torch.tanh(planes[0]) / 2
    around = functional.pad(coarse, (1, 1, 1, 1), mode="replicate")
    highest = functional.max_pool2d(around, 3, stride=1)
    lowest = -functional.max_pool2d(-around, 3, stride=1)
    for limits, sign in ((highest, 1), (lowest, -1)):
        wide = limits.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
        assert (sign * (wide - bold) >= -1e-6).all()


def test_frames_are_painted_each_by_itself() -> None:
    made, gray, seen = committee(), noise(2, 1, 32, 48), taps()
    with torch.no_grad():
        both = made(gray, seen)
        second = made(gray[1:], [tap[1:] for tap in seen])
    torch.testing.assert_close(both.chroma[1:], second.chroma, rtol=0, atol=1e-6)


def test_judging_changes_nothing_of_what_is_judged() -> None:
    """Gradients of what is kept and expected reach the trust alone; those of bold colours never."""
    made = committee().train()
    found = made(noise(2, 1, 32, 48), taps()).opinions
    (found.kept.square().sum() + found.spread.sum()).backward()
    reached = {
        name.split(".")[2]
        for name, each in made.named_parameters()
        if each.grad is not None and each.grad.abs().any()
    }
    assert reached == {"trust"}
    made.zero_grad()
    made(noise(2, 1, 32, 48), taps()).opinions.bold.square().sum().backward()
    for name, each in made.named_parameters():
        taught = each.grad is not None and bool(each.grad.abs().any())
        assert taught == (".trust." not in name), name


def test_a_committee_paints_what_no_reference_shows(features: SqueezeNet) -> None:
    """Alone without references; with them by the errors that it and the U-Net expect."""
    model = tiny(features, unguided="committee", tells_spread=True)
    gray = noise(1, 1, *SIZE)
    made: list[Guess] = []
    assert model.unguided is not None
    model.unguided.register_forward_hook(lambda *given: made.append(given[-1]))
    unet: list[Tensor] = []
    model.unet.register_forward_hook(lambda *given: unet.append(given[-1]))
    alone = painted(model, gray, None)
    assert not unet  # what would count for nothing is not computed
    torch.testing.assert_close(alone.chroma, made[0].chroma)
    torch.testing.assert_close(alone.spread, made[0].spread)
    # A frame without references beside one that has some comes out alike.
    both = painted(model, gray.expand(2, -1, -1, -1), references(0, 1))
    torch.testing.assert_close(both.chroma[:1], alone.chroma)
    torch.testing.assert_close(both.spread[:1], alone.spread)
    made.clear(), unet.clear()

    shown = painted(model, gray, references(1))
    own = torch.tanh(unet[0][:, :2]) / 2
    spread = (unet[0][:, 3:4].clamp(-3, 1.8) - 2.5).exp()
    ours, theirs = spread**-2, made[0].spread ** -2
    expected = (ours * own + theirs * made[0].chroma) / (ours + theirs)
    torch.testing.assert_close(shown.own, expected)
    torch.testing.assert_close(shown.own_spread, (ours + theirs) ** -0.5)
    mix = shown.trust * shown.fused + (1 - shown.trust) * expected
    torch.testing.assert_close(shown.chroma, mix)


def test_every_parameter_learns_in_one_step(features: SqueezeNet) -> None:
    model: GuidedNetwork = tiny(
        features, unguided="committee", learns="unguided", tells_spread=True
    ).train()
    gray = noise(3, 1, *SIZE)
    result = model(gray)
    truth = join(gray, 0.3 * noise(3, 2, *SIZE, seed=9) - 0.15)[:, None]
    targets = dict(result.provided) | {"group": torch.tensor([0, 1, 5])}
    Unguided()(result.colors[:, None], truth, targets).backward()
    for name, each in model.named_parameters():
        learns = each.requires_grad
        assert learns == name.startswith("unguided."), name
        if learns:
            assert each.grad is not None, name
            assert each.grad.abs().any(), name
