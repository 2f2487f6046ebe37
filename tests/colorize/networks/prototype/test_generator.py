"""The generator: the hypercolumn's shortcut against the naive way, heads, sizes and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from colorize.imaging.color import rgb_to_chroma, rgb_to_luma
from colorize.networks.prototype.generator import Generator, HypercolumnProjection, check_choices
from colorize.pretrained.vgg19 import VGG19

_SMALL = (4, 6, 8, 8, 8)
_HEADS = [("rgb", "free"), ("rgb", "keep"), ("chroma", "keep")]


@pytest.fixture(scope="module")
def features() -> VGG19:
    return VGG19(weights="random", taps=("conv1_2", "conv2_1", "conv3_1"))


def _naive(projection: HypercolumnProjection, gray: Tensor, scale: float) -> Tensor:
    """Resize every tap to full size, concatenate all channels, and project them at once."""
    repeated = torch.cat([gray, gray, gray], dim=1)
    resize = nn.Upsample(size=tuple(gray.shape[-2:]), mode="bilinear", align_corners=False)
    taps = [resize(tap / scale) for tap in projection.features(repeated).values()]
    return projection.projection(torch.cat([repeated, *taps], dim=1))


@pytest.mark.parametrize("size", [(16, 32), (17, 23), (1, 5)])
@pytest.mark.parametrize("scale", [None, 3.0])
def test_shortcut_equals_naive_hypercolumn(
    size: tuple[int, int], scale: float | None, features: VGG19
) -> None:
    projection = HypercolumnProjection(
        features=features, out_channels=5, activation_scale=scale
    ).double()
    gray = torch.rand(2, 1, *size, dtype=torch.float64)
    expected = _naive(projection, gray, 255.0 if scale is None else scale)
    assert expected.abs().max() > 0.01
    torch.testing.assert_close(projection(gray), expected, rtol=0, atol=1e-10)
    features.float()


def test_full_hypercolumn_and_its_parameter_count() -> None:
    features = VGG19(weights="random")
    generator = Generator(features=features, outputs=4)
    projection = generator.unet.first
    assert sum(projection.sizes) == 3 + 64 + 128 + 256 + 512 + 512 == 1475
    trained = sum(p.numel() for p in generator.parameters() if p.requires_grad)

    def conv(inputs: int, outputs: int) -> int:
        return 9 * inputs * outputs + outputs

    entry = 1475 * 32 + 32 + conv(32, 32)
    down = sum(conv(n, 2 * n) + conv(2 * n, 2 * n) for n in (32, 64, 128, 256))
    up = sum(2 * conv(2 * n, n) + conv(n, n) for n in (256, 128, 64))
    last = 2 * conv(64, 32) + conv(32, 12)
    assert trained == entry + down + up + last == 8_671_020
    torch.testing.assert_close(
        projection(torch.full((1, 1, 32, 16), 0.5)),
        _naive(projection, torch.full((1, 1, 32, 16), 0.5), 255.0),
        rtol=0,
        atol=1e-5,
    )


def test_features_and_unet_see_the_same_padded_frame(features: VGG19) -> None:
    generator = Generator(features=features, outputs=2, channels=_SMALL)
    gray = torch.rand(1, 1, 19, 30)
    rows, columns = torch.arange(32).clamp(max=18), torch.arange(32).clamp(max=29)
    whole = generator(gray[:, :, rows][..., columns]).colors
    torch.testing.assert_close(generator(gray).colors, whole[..., :19, :30])


@pytest.mark.parametrize(("head", "luma"), _HEADS)
@pytest.mark.parametrize("with_features", [True, False])
def test_output_shape_for_any_size(
    head: str, luma: str, with_features: bool, features: VGG19
) -> None:
    generator = Generator(
        features=features if with_features else None,
        outputs=3,
        head=head,
        luma=luma,
        channels=_SMALL,
    )
    assert (generator.outputs, generator.luma) == (3, luma)
    for size in ((1, 1), (20, 33)):
        assert generator(torch.rand(2, 1, *size)).colors.shape == (2, 3, 3, *size)


@pytest.mark.parametrize("head", ["rgb", "chroma"])
def test_kept_luma_is_the_gray_frames(head: str) -> None:
    generator = Generator(features=None, head=head, luma="keep", channels=_SMALL)
    gray = torch.rand(2, 1, 18, 20)
    outputs = generator(gray).colors
    assert rgb_to_chroma(outputs).abs().max() > 1e-3
    torch.testing.assert_close(
        rgb_to_luma(outputs), gray.unsqueeze(1).expand(-1, 4, -1, -1, -1), rtol=0, atol=1e-6
    )


def test_heads_read_the_planes_in_order() -> None:
    gray = torch.rand(1, 1, 16, 16)
    free = Generator(features=None, outputs=2, channels=_SMALL)
    planes = free.unet(gray)
    assert torch.equal(free(gray).colors[:, 1], planes[:, 3:6])
    kept = Generator(features=None, outputs=2, luma="keep", channels=_SMALL)
    kept.load_state_dict(free.state_dict())
    torch.testing.assert_close(
        rgb_to_chroma(kept(gray).colors), rgb_to_chroma(free(gray).colors), rtol=0, atol=1e-6
    )
    chroma = Generator(features=None, outputs=2, head="chroma", luma="keep", channels=_SMALL)
    torch.testing.assert_close(
        rgb_to_chroma(chroma(gray).colors)[:, 1], chroma.unet(gray)[:, 2:4], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(("head", "luma"), _HEADS)
def test_a_gradient_reaches_every_trained_parameter_and_no_frozen_one(
    head: str, luma: str, features: VGG19
) -> None:
    generator = Generator(features=features, outputs=2, head=head, luma=luma, channels=_SMALL)
    generator(torch.rand(1, 1, 16, 24)).colors.square().sum().backward()
    for name, parameter in generator.named_parameters():
        if "features" in name:
            assert parameter.grad is None, name
        else:
            assert parameter.grad.abs().sum() > 0, name


def test_state_is_self_contained(features: VGG19) -> None:
    generator = Generator(features=features, channels=_SMALL)
    gray = torch.rand(1, 1, 16, 16)
    empty = VGG19(weights="checkpoint", taps=features.taps)
    copy = Generator(features=empty, channels=_SMALL)
    copy.load_state_dict(generator.state_dict())
    assert torch.equal(copy(gray).colors, generator(gray).colors)


@pytest.mark.parametrize(("head", "luma"), _HEADS)
def test_runs_under_bfloat16_and_channels_last(head: str, luma: str, features: VGG19) -> None:
    generator = Generator(features=features, head=head, luma=luma, channels=_SMALL)
    gray = torch.rand(1, 1, 18, 21)
    expected = generator(gray).colors
    generator = generator.to(memory_format=torch.channels_last)
    torch.testing.assert_close(generator(gray).colors, expected, rtol=1e-4, atol=1e-4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = generator(gray).colors
    assert outputs.dtype == torch.float32
    error = (outputs - expected).abs().mean() / expected.abs().mean()
    assert 0 < error < 0.05
    if luma == "keep":
        torch.testing.assert_close(rgb_to_luma(outputs)[:, 0], gray, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, "chroma", "free"), r"model\.head=chroma needs model\.luma=keep"),
        ((4, "lab", "free"), r"model\.head is 'lab': expected rgb or chroma"),
        ((4, "rgb", "kept"), r"model\.luma is 'kept': expected free or keep"),
        ((0, "rgb", "free"), r"model\.outputs is 0: expected 1 or more"),
    ],
)
def test_wrong_settings(arguments: tuple[int, str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_choices(*arguments)


def test_contradictory_head_and_luma_are_refused_by_the_constructor() -> None:
    with pytest.raises(ValueError, match=r"model\.head=chroma needs model\.luma=keep"):
        Generator(features=None, head="chroma")


def test_wrong_activation_scale(features: VGG19) -> None:
    with pytest.raises(ValueError, match=r"model\.activation_scale is 0\.0: expected above 0"):
        Generator(features=features, activation_scale=0.0)


def test_the_output_gain_scales_what_the_network_starts_with() -> None:
    gray = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))

    def start(gain: float) -> torch.Tensor:
        torch.manual_seed(1)
        generator = Generator(features=None, channels=(4, 4), output_gain=gain)
        return generator(gray).colors.detach()

    torch.testing.assert_close(start(0.25), 0.25 * start(1.0))
    assert float(start(1.0).abs().mean()) > 1e-3
