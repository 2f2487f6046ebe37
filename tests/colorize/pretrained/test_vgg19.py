"""VGG-19 taps against torchvision's network, and every way in which weights can be wrong."""

from __future__ import annotations

import urllib.error
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from colorize.pretrained.vgg19 import VGG19
from colorize.pretrained.weights import PretrainedWeightsError
from tests.places import SHARED

_TAPS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")
# The ReLU after each tap in torchvision's vgg19().features, read off its printed form.
_RELU_INDEX = {"conv1_2": 3, "conv2_2": 8, "conv3_2": 13, "conv4_2": 22, "conv5_2": 31}
_CAFFE_MEAN = torch.tensor([123.68, 116.779, 103.939])[:, None, None]
_SHARED = SHARED / "weights"
_RELU3_1 = _SHARED / "vgg19_normalised_to_relu3_1.safetensors"


@pytest.fixture(scope="module")
def reference() -> nn.Sequential:
    """Torchvision's own layers up to relu5_2, randomly filled, ReLU not in place."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = list(torchvision.models.vgg19(weights=None, init_weights=False).features[:32])
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            generator = torch.Generator().manual_seed(layer.in_channels)
            nn.init.kaiming_normal_(layer.weight, generator=generator)
    return nn.Sequential(*(nn.ReLU() if isinstance(x, nn.ReLU) else x for x in layers))


@pytest.fixture(scope="module")
def file(reference: nn.Sequential, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "vgg19.safetensors"
    save_file({f"features.{k}": v for k, v in reference.state_dict().items()}, path)
    return path


def _taps_of(reference: nn.Sequential, network_input: Tensor, pooling: type) -> dict[str, Tensor]:
    found, value = {}, network_input
    names = {index: name for name, index in _RELU_INDEX.items()}
    for index, layer in enumerate(reference):
        pool = isinstance(layer, nn.MaxPool2d)
        value = pooling(2, ceil_mode=True)(value) if pool else layer(value)
        if index in names:
            found[names[index]] = value
    return found


def _assert_same_taps(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert list(actual) == list(expected)
    for name, tap in expected.items():
        assert tap.abs().max() > 0.01
        torch.testing.assert_close(actual[name], tap, rtol=1e-4, atol=1e-4 * float(tap.max()))


@pytest.mark.parametrize(("pooling", "layer"), [("average", nn.AvgPool2d), ("max", nn.MaxPool2d)])
def test_caffe_taps_are_torchvisions(
    pooling: str, layer: type, reference: nn.Sequential, file: Path
) -> None:
    rgb = torch.rand(2, 3, 33, 47)
    with torch.no_grad():
        actual = VGG19(weights=file, convention="caffe", pooling=pooling)(rgb)
        expected = _taps_of(reference, (255 * rgb - _CAFFE_MEAN).flip(1), layer)
    _assert_same_taps(actual, expected)


def test_torchvision_taps_are_torchvisions(reference: nn.Sequential, file: Path) -> None:
    rgb = torch.rand(1, 3, 32, 48)
    weights = torchvision.models.VGG19_Weights.IMAGENET1K_V1.transforms()
    normalised = torchvision.transforms.functional.normalize(rgb, weights.mean, weights.std)
    with torch.no_grad():
        actual = VGG19(weights=file, convention="torchvision")(rgb)
        expected = _taps_of(reference, normalised, nn.AvgPool2d)
    _assert_same_taps(actual, expected)


def test_only_layers_up_to_the_deepest_tap_are_built(file: Path) -> None:
    features = VGG19(weights=file, convention="caffe", taps=("conv3_2", "conv1_1"))
    assert list(features.convolutions) == [
        "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2",
    ]  # fmt: skip
    shapes = {name: tuple(tap.shape) for name, tap in features(torch.rand(1, 3, 17, 9)).items()}
    assert shapes == {"conv3_2": (1, 256, 5, 3), "conv1_1": (1, 64, 17, 9)}
    assert features.channels == {"conv3_2": 256, "conv1_1": 64}


def test_reflection_padding_equals_padding_by_hand() -> None:
    features = VGG19(weights="random", taps=("conv1_1",), padding="reflect").double()
    rgb = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    layer = features.convolutions["conv1_1"]
    padded = nn.functional.pad(255 * rgb - _CAFFE_MEAN.double(), (1, 1, 1, 1), mode="reflect")
    expected = nn.functional.conv2d(padded, layer.weight, layer.bias).relu()
    torch.testing.assert_close(features(rgb)["conv1_1"], expected, rtol=0, atol=1e-5)
    zeros = VGG19(weights="random", taps=("conv1_1",)).double()(rgb)["conv1_1"]
    assert (zeros - expected)[..., 1:-1, 1:-1].abs().max() < 1e-5
    assert (zeros - expected).abs().max() > 1


def test_network_is_frozen_and_passes_gradients_to_its_input() -> None:
    features = VGG19(weights="random", taps=("conv2_2",)).train()
    assert not features.training
    assert not any(parameter.requires_grad for parameter in features.parameters())
    rgb = torch.rand(1, 3, 8, 8, requires_grad=True)
    features(rgb)["conv2_2"].sum().backward()
    assert rgb.grad.abs().min() > 0


def test_gradient_is_right() -> None:
    features = VGG19(weights="random", taps=("conv1_1",)).double()
    # The network works on 0...255, so its derivative to RGB in [0, 1] is of the order of 1000.
    rgb = torch.rand(1, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: features(x)["conv1_1"] / 255, rgb)


def test_building_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state()
    VGG19(weights="random", taps=("conv1_2",))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("prefix", ["features.", ""])
def test_file_layouts(suffix: str, prefix: str, reference: nn.Sequential, tmp_path: Path) -> None:
    state = {f"{prefix}{name}": tensor for name, tensor in reference[:8].state_dict().items()}
    path = tmp_path / f"part{suffix}"
    if suffix == ".pth":
        torch.save(state | {"classifier.0.weight": torch.zeros(2)}, path)
    else:
        save_file(state, path)
    features = VGG19(weights=str(path), taps=("conv1_2", "conv2_2"), convention="torchvision")
    loaded = features.convolutions["conv2_2"].weight
    assert torch.equal(loaded, reference[7].weight)
    assert features.label == "VGG-19 to relu2_2 (torchvision)"


def test_labels_and_units(file: Path) -> None:
    assert VGG19(weights="random", taps=("conv1_1",)).label == "random VGG-19"
    caffe = VGG19(weights=file, convention="caffe", taps=("conv1_1",))
    assert caffe.label == "VGG-19 to relu5_2 (caffe)"
    assert float(caffe.unit) == 255
    assert float(VGG19(weights=file, convention="normalised", taps=("conv1_1",)).unit) == 1


def test_checkpoint_brings_weights_and_scaling(file: Path) -> None:
    trained = VGG19(weights=file, convention="torchvision", taps=("conv1_2",))
    loaded = VGG19(weights="checkpoint", taps=("conv1_2",))
    rgb = torch.rand(1, 3, 5, 5)
    with pytest.raises(RuntimeError, match="used before one was loaded"):
        loaded(rgb)
    nn.ModuleDict({"inner": loaded}).load_state_dict(
        {f"inner.{name}": tensor for name, tensor in trained.state_dict().items()}
    )
    torch.testing.assert_close(loaded(rgb)["conv1_2"], trained(rgb)["conv1_2"], rtol=0, atol=0)
    assert float(loaded.unit) == 1


def test_missing_tap_is_named_with_those_available(
    reference: nn.Sequential, tmp_path: Path
) -> None:
    path = tmp_path / "short.safetensors"
    save_file(dict(reference[:3].state_dict()), path)
    with pytest.raises(
        PretrainedWeightsError,
        match=r"short\.safetensors: .*tap conv5_2; it has conv1_1, conv1_2; set features\.taps",
    ):
        VGG19(weights=path, convention="caffe", taps=("conv1_2", "conv5_2"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"weights\.pth: no such file; set features\.weights to a file of VGG-19"),
        (b"no weights at all", "not a readable weights file"),
        (
            {"body.weight": torch.zeros(1)},
            r"not the weights of VGG-19, 28 of 28 .*first: 0\.weight is missing",
        ),
        ({"0.weight": torch.zeros(4, 3, 3, 3), "0.bias": torch.zeros(4)}, r"is \(4, 3, 3, 3\)"),
        ([torch.zeros(1)], "no table of tensors"),
    ],
)
def test_unusable_files_end_in_one_line(content: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(PretrainedWeightsError, match=message) as error:
        VGG19(weights=path, convention="caffe")
    assert "\n" not in str(error.value)
    assert "features=none" in str(error.value)


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(nn.Conv2d(3, 4, 3), path)
    with pytest.raises(PretrainedWeightsError, match="not a readable weights file"):
        VGG19(weights=path, convention="caffe")


def test_preprocess_layer_must_agree(reference: nn.Sequential, tmp_path: Path) -> None:
    state = dict(reference[:1].state_dict())
    state["preprocess.weight"] = 255 * torch.eye(3)[:, :, None, None]  # RGB order: not Caffe's
    state["preprocess.bias"] = -_CAFFE_MEAN.flatten()
    save_file(state, tmp_path / "own.safetensors")
    with pytest.raises(PretrainedWeightsError, match="its preprocess layer is not that of"):
        VGG19(weights=tmp_path / "own.safetensors", convention="caffe", taps=("conv1_1",))


def test_impossible_download_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(
        PretrainedWeightsError, match=r"features\.weights=torchvision: cannot download .*route"
    ) as error:
        VGG19(weights="torchvision")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"taps": ("conv1_3",)}, r"features\.taps holds 'conv1_3': expected .*conv1_1"),
        ({"taps": ()}, r"features\.taps is \[\]"),
        ({"taps": ("conv1_1", "conv1_1")}, r"features\.taps is"),
        ({"weights": "somewhere.pth"}, r"features\.convention is not set: .*somewhere\.pth"),
        ({"weights": "torchvision", "convention": "caffe"}, "leave features.convention out"),
    ],
)
def test_wrong_settings(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VGG19(**({"weights": "random"} | arguments))


@pytest.mark.shared
@pytest.mark.skipif(not _RELU3_1.is_file(), reason="no ../shared/weights")
def test_shared_file_has_unit_mean_activations() -> None:
    taps = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1")
    features = VGG19(weights=_RELU3_1, convention="normalised", taps=taps, padding="reflect")
    assert features.label == "VGG-19 to relu3_1 (normalised)"
    # Smooth noise is no photograph; the mean of 1 over ImageNet still shows in the order.
    noise = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    picture = nn.functional.interpolate(noise, size=(96, 96), mode="bilinear")
    for tap in features(picture).values():
        assert 0.2 < float(tap.mean()) < 5
