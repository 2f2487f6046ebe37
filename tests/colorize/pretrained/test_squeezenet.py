"""SqueezeNet's taps against torchvision's network, and every way in which weights can be wrong."""

from __future__ import annotations

import urllib.error
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from colorize.pretrained.squeezenet import SqueezeNet
from colorize.pretrained.weights import PretrainedWeightsError
from tests.places import SHARED

_SHARED = SHARED / "weights"
_CAFFE = _SHARED / "squeezenet1_1_features_caffe.safetensors"
_CAFFE_INPUT = {"input": "BGR 0-255 minus (103.939, 116.779, 123.68)"}
_BGR_MEAN = torch.tensor([103.939, 116.779, 123.68])[:, None, None]
# The fire modules before the third pooling, before the second, and the last, read off the printed
# form of torchvision's squeezenet1_1().features.
_FIRES = (4, 7, 12)


@pytest.fixture(scope="module")
def reference() -> nn.Sequential:
    """Torchvision's own layers, randomly filled."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torchvision.models.squeezenet1_1(weights=None).features.eval()


@pytest.fixture(scope="module")
def files(reference: nn.Sequential, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same tensors as a file of torchvision's network, and as one of Caffe's features."""
    folder = tmp_path_factory.mktemp("weights")
    state = reference.state_dict()
    paths = {name: folder / f"{name}.safetensors" for name in ("torchvision", "caffe")}
    whole = {f"features.{name}": tensor for name, tensor in state.items()}
    save_file(whole | {"classifier.1.bias": torch.zeros(1000)}, paths["torchvision"])
    save_file(dict(state), paths["caffe"], metadata=_CAFFE_INPUT)
    return paths


def _taps_of(layers: nn.Sequential, network_input: Tensor) -> list[Tensor]:
    """What the layers of _FIRES return for an input padded by its edge."""
    padded = nn.ReplicationPad2d(1)(network_input)
    return [layers[: last + 1](padded) for last in _FIRES]


def _assert_same_taps(actual: list[Tensor], expected: list[Tensor]) -> None:
    for tap, other in zip(actual, expected, strict=True):
        size = float(other.abs().max())
        assert size > 0.01
        torch.testing.assert_close(tap, other, rtol=1e-4, atol=1e-4 * size)


def test_caffe_taps_are_torchvisions_of_blue_green_red(
    reference: nn.Sequential, files: dict[str, Path]
) -> None:
    gray = torch.rand(2, 1, 33, 47)
    actual = SqueezeNet(weights=files["caffe"])(gray)
    with torch.no_grad():
        expected = _taps_of(reference, 255 * gray.expand(-1, 3, -1, -1) - _BGR_MEAN)
    _assert_same_taps(actual, expected)


def test_torchvision_taps_are_torchvisions(
    reference: nn.Sequential, files: dict[str, Path]
) -> None:
    gray = torch.rand(1, 1, 32, 48)
    weights = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.transforms()
    rgb = gray.expand(-1, 3, -1, -1)
    normalised = torchvision.transforms.functional.normalize(rgb, weights.mean, weights.std)
    actual = SqueezeNet(weights=str(files["torchvision"]))(gray)
    with torch.no_grad():
        expected = _taps_of(reference, normalised)
    _assert_same_taps(actual, expected)


def test_taps_lie_at_their_strides_with_their_channels() -> None:
    network = SqueezeNet(weights="random")
    taps = network(torch.rand(2, 1, 48, 80))
    assert network.strides == (4, 8, 16)
    assert [tap.shape[1] for tap in taps] == list(network.channels) == [128, 256, 512]
    for tap, stride in zip(taps, network.strides, strict=True):
        assert tap.shape == (2, tap.shape[1], 48 // stride, 80 // stride)


def test_the_network_is_frozen_and_passes_gradients_to_its_input() -> None:
    network = SqueezeNet(weights="random").train()
    assert not any(part.training for part in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    gray = torch.rand(1, 1, 16, 16, requires_grad=True)
    sum(tap.sum() for tap in network(gray)).backward()
    assert gray.grad.abs().max() > 0


def test_the_weights_of_a_file_draw_no_random_numbers(files: dict[str, Path]) -> None:
    before = torch.get_rng_state()
    SqueezeNet(weights=files["caffe"])
    SqueezeNet(weights="checkpoint")
    SqueezeNet(weights="random")
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("kind", ["torchvision", "caffe"])
def test_a_checkpoint_brings_weights_and_scaling(kind: str, files: dict[str, Path]) -> None:
    trained, loaded = SqueezeNet(weights=files[kind]), SqueezeNet(weights="checkpoint")
    gray = torch.rand(1, 1, 16, 32)
    with pytest.raises(RuntimeError, match=r"weights='checkpoint'.* used before one was loaded"):
        loaded(gray)
    nn.ModuleDict({"inner": loaded}).load_state_dict(
        {f"inner.{name}": tensor for name, tensor in trained.state_dict().items()}
    )
    for tap, other in zip(loaded(gray), trained(gray), strict=True):
        assert torch.equal(tap, other)


def test_labels_say_where_the_weights_are_from(files: dict[str, Path]) -> None:
    assert SqueezeNet(weights="random").label == "random SqueezeNet 1.1"
    assert SqueezeNet(weights="checkpoint").label == "SqueezeNet 1.1 (from the checkpoint)"
    assert SqueezeNet(weights=files["caffe"]).label == "SqueezeNet 1.1 (Caffe)"
    assert SqueezeNet(weights=files["torchvision"]).label == "SqueezeNet 1.1 (torchvision)"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"weights\.safetensors: no such file; set model\.features\.weights"),
        (b"no weights at all", r"not a readable weights file .*; set model\.features\.weights"),
        ({}, r"not the weights of SqueezeNet 1\.1, 50 of 50 tensors .*first: 0\.weight"),
        ({"0.weight": torch.zeros(64, 3, 3, 3)}, r"49 of 50 tensors are missing .*first: 0\.bias"),
        (
            {"0.weight": torch.zeros(64, 1, 3, 3)},
            r"50 of 50 .*do not fit \(first: 0\.weight is \(64, 1, 3, 3\)",
        ),
    ],
)
def test_unusable_files_end_in_one_line(content: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        save_file(content, path)
    with pytest.raises(PretrainedWeightsError, match=message) as error:
        SqueezeNet(weights=path)
    assert "\n" not in str(error.value)


def test_impossible_download_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(
        PretrainedWeightsError,
        match=r"model\.features\.weights=torchvision: cannot download .*route.*to a file",
    ) as error:
        SqueezeNet(weights="torchvision")
    assert "\n" not in str(error.value)


@pytest.mark.shared
@pytest.mark.skipif(not _CAFFE.is_file(), reason="../shared/weights is not there")
def test_the_shared_file_finds_a_drawing_again_where_it_moved() -> None:
    network = SqueezeNet(weights=_CAFFE)
    assert network.label == "SqueezeNet 1.1 (Caffe)"
    # Colours of Caffe's files are blue, green, red; ours are red, green, blue.
    first = load_file(_CAFFE)["0.weight"]
    torch.testing.assert_close(network.layers[0].weight, first[:, [2, 1, 0]], rtol=0, atol=0)
    noise = torch.rand(1, 1, 12, 14, generator=torch.Generator().manual_seed(0))
    wide = nn.functional.interpolate(noise, size=(96, 112), mode="bilinear")
    here, moved = (network(wide[..., left : left + 96]) for left in (0, 16))
    # The deepest sees farther than this picture is from its edges.
    for tap, other, stride in zip(here[:2], moved[:2], (4, 8), strict=True):
        rows, columns = torch.arange(96 // stride)[:, None], torch.arange(96 // stride)
        place = rows * len(columns) + columns + 16 // stride
        flat, others = (nn.functional.normalize(each[0].flatten(1), dim=0) for each in (tap, other))
        best = (others.T @ flat).argmax(dim=1).view_as(place)
        edge = 32 // stride
        right = (best == place)[edge // 2 : -edge // 2, edge // 2 : -edge]
        assert float(right.float().mean()) > 0.9
