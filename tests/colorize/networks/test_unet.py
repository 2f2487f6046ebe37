"""The U-Net: its layers, any size of frame, and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from colorize.networks.unet import UNet, pad_to_multiple


def _by_hand(unet: UNet, frame: torch.Tensor) -> torch.Tensor:
    """A two-level U-Net of [L] written out line by line."""

    def act(value: torch.Tensor) -> torch.Tensor:
        return torch.where(value > 0, value, 0.2 * value)

    def conv(layer: nn.Module, value: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(value, layer.weight, layer.bias, padding=1)

    def double(value: torch.Tensor) -> torch.Tensor:
        return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)(value)

    (down_1, down_2), (up_1, up_2) = unet.downs, unet.ups
    top = act(functional.conv2d(frame, unet.first.weight, unet.first.bias))
    top = act(conv(unet.second, top))
    middle = nn.MaxPool2d(2)(top)
    middle = act(conv(down_1.convolve_2, act(conv(down_1.convolve_1, middle))))
    bottom = nn.MaxPool2d(2)(middle)
    bottom = act(conv(down_2.convolve_2, act(conv(down_2.convolve_1, bottom))))
    middle = torch.cat([conv(up_1.reduce, double(bottom)), middle], dim=1)
    middle = act(conv(up_1.convolve_2, act(conv(up_1.convolve_1, middle))))
    top = torch.cat([conv(up_2.reduce, double(middle)), top], dim=1)
    return conv(up_2.convolve_2, act(conv(up_2.convolve_1, top)))


def test_forward_is_the_published_sequence_of_layers() -> None:
    unet = UNet(in_channels=2, out_channels=5, channels=(3, 4, 6)).double()
    frame = torch.rand(2, 2, 8, 12, dtype=torch.float64)
    expected = _by_hand(unet, frame)
    assert expected.abs().max() > 0.01
    torch.testing.assert_close(unet(frame), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (2, 31), (16, 16), (17, 33), (45, 20)])
def test_any_size_is_padded_by_replication_and_cut_back(size: tuple[int, int]) -> None:
    unet = UNet(in_channels=1, out_channels=2, channels=(2, 3, 4, 5, 6))
    assert unet.multiple == 16
    frame = torch.rand(1, 1, *size)
    output = unet(frame)
    assert output.shape == (1, 2, *size)
    height, width = (16 * -(-side // 16) for side in size)
    rows = torch.arange(height).clamp(max=size[0] - 1)
    columns = torch.arange(width).clamp(max=size[1] - 1)
    whole = unet(frame[:, :, rows][..., columns])
    torch.testing.assert_close(output, whole[..., : size[0], : size[1]])


def test_padding_leaves_fitting_frames_alone() -> None:
    frame = torch.rand(1, 1, 32, 16)
    assert pad_to_multiple(frame, 16) is frame


def test_initialisation_is_xavier_with_zero_biases() -> None:
    torch.manual_seed(0)
    unet = UNet(in_channels=1, out_channels=3)
    weight = unet.downs[3].convolve_2.weight  # 512 -> 512, 3x3
    bound = (6 / (9 * (512 + 512))) ** 0.5
    assert float(weight.detach().abs().max()) == pytest.approx(bound, rel=1e-3)
    assert float(weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=1e-2)
    biases = [value for name, value in unet.named_parameters() if name.endswith("bias")]
    assert len(biases) == 2 + 4 * 2 + 4 * 3
    assert all(not value.any() for value in biases)


def test_first_layer_can_be_replaced() -> None:
    usual = UNet(in_channels=1, out_channels=2, channels=(3, 4))
    # A 3x3 convolution with all its weight in the centre is a 1x1 convolution.
    first = nn.Conv2d(1, 3, 3, padding=1)
    replaced = UNet(in_channels=1, out_channels=2, channels=(3, 4), first=first)
    state = usual.state_dict()
    state["first.weight"] = functional.pad(state["first.weight"], (1, 1, 1, 1))
    replaced.load_state_dict(state)
    frame = torch.rand(1, 1, 6, 5)
    torch.testing.assert_close(replaced(frame), usual(frame), rtol=0, atol=1e-6)


def test_gradients_are_right_and_reach_every_parameter() -> None:
    unet = UNet(in_channels=1, out_channels=2, channels=(2, 3)).double()
    frame = torch.rand(1, 1, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(unet, frame)
    unet(frame).square().sum().backward()
    for name, parameter in unet.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_channels_last_gives_the_same() -> None:
    unet = UNet(in_channels=1, out_channels=3, channels=(4, 8, 8)).double()
    frame = torch.rand(2, 1, 11, 13, dtype=torch.float64)
    expected = unet(frame)
    last = unet.to(memory_format=torch.channels_last)
    actual = last(frame.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("channels", [(8,), (8, 0)])
def test_wrong_channels(channels: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"model\.channels is .*two or more positive numbers"):
        UNet(in_channels=1, out_channels=3, channels=channels)


def test_batch_normalisation_follows_every_3x3_convolution_but_the_last() -> None:
    plain = UNet(in_channels=1, out_channels=2, channels=(4, 8, 8))
    normalised = UNet(in_channels=1, out_channels=2, channels=(4, 8, 8), normalization="batch")
    wide = [part for part in plain.modules() if isinstance(part, torch.nn.Conv2d)]
    wide = [part for part in wide if part.kernel_size == (3, 3)]
    norms = [part for part in normalised.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    # second, two a level down, three a level up: 1 + 2 * 2 + 2 * 3 convolutions, one the output
    assert len(wide) == 11
    assert len(norms) == 10
    assert isinstance(normalised.output, torch.nn.Conv2d)
    assert not [part for part in plain.modules() if isinstance(part, torch.nn.BatchNorm2d)]


def test_a_normalised_net_is_indifferent_to_the_scale_of_its_inner_activations() -> None:
    torch.manual_seed(0)
    net = UNet(in_channels=1, out_channels=2, channels=(4, 8), normalization="batch")
    net.second[1].eps = 1e-12
    frame = torch.rand(2, 1, 16, 16)
    before = net(frame)
    with torch.no_grad():
        net.second[0].weight.mul_(7.0)
        net.second[0].bias.mul_(7.0)
    torch.testing.assert_close(net(frame), before, rtol=1e-3, atol=1e-3)


def test_planes_join_on_the_way_down_where_the_frame_has_their_size() -> None:
    """A side's 1x1 convolution, resized, is added to the activation of its level."""
    unet = UNet(in_channels=1, out_channels=2, channels=(3, 4, 6), sides={2: 5}).double()
    plain = UNet(in_channels=1, out_channels=2, channels=(3, 4, 6)).double()
    plain.load_state_dict(unet.state_dict(), strict=False)
    frame = torch.rand(2, 1, 8, 12, dtype=torch.float64)
    planes = torch.rand(2, 5, 4, 6, dtype=torch.float64)
    weight, bias = unet.sides["2"].weight, unet.sides["2"].bias
    side = functional.conv2d(planes, weight, bias)
    side = nn.Upsample(size=(2, 3), mode="bilinear", align_corners=False)(side)
    plain.downs[1].register_forward_hook(lambda _module, _arguments, output: output + side)
    expected = plain(frame)
    torch.testing.assert_close(unet(frame, {2: planes}), expected, rtol=0, atol=1e-12)
    without = unet(frame, {2: torch.zeros_like(planes)})
    assert (without - expected).abs().max() > 1e-3


def test_several_sides_of_any_size_are_used_and_trained() -> None:
    unet = UNet(in_channels=1, out_channels=2, channels=(2, 3, 4, 5), sides={1: 2, 3: 6}).double()
    assert set(unet.sides) == {"1", "3"}
    frame = torch.rand(1, 1, 9, 13, dtype=torch.float64)
    sides = {
        level: torch.rand(1, count, *size, dtype=torch.float64, requires_grad=True)
        for level, count, size in ((1, 2, (5, 7)), (3, 6, (1, 2)))
    }
    unet(frame, sides).square().sum().backward()
    for level, planes in sides.items():
        assert planes.grad.abs().sum() > 0, level
    for name, parameter in unet.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_sides_start_like_the_other_convolutions() -> None:
    unet = UNet(in_channels=1, out_channels=2, channels=(8, 16, 64), sides={2: 128})
    weight = unet.sides["2"].weight.detach()
    bound = (6 / (128 + 64)) ** 0.5
    assert float(weight.abs().max()) == pytest.approx(bound, rel=1e-2)
    assert not unet.sides["2"].bias.any()


def test_a_network_without_sides_has_the_state_that_it_had() -> None:
    names = UNet(in_channels=1, out_channels=2, channels=(3, 4)).state_dict().keys()
    assert not [name for name in names if name.startswith("sides")]
