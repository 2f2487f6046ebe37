from __future__ import annotations

import hashlib
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import lpips as package
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from colorize.metrics import Metric
from colorize.metrics.lpips import Lpips
from colorize.pretrained.weights import PretrainedWeightsError
from tests.places import SHARED

WEIGHTS = SHARED / "weights"
CAFFE = WEIGHTS / "squeezenet1_1_features_caffe.safetensors"
CAFFE_INPUT = "BGR 0-255 minus (103.939,116.779,123.68)"


def _frames() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(8)
    truth = torch.rand(2, 3, 40, 48, generator=generator)
    noise = torch.randn(truth.shape, generator=generator)
    return (truth + 0.1 * noise).clamp(0, 1), truth


def _random_network(net: str) -> torch.nn.Module:
    """Build the package's own network with a random backbone, as its users would."""
    torch.manual_seed(9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return package.LPIPS(net=net, pnet_rand=True, verbose=False)


def _features(network: torch.nn.Module, prefix: str = "") -> dict[str, torch.Tensor]:
    state = network.get_submodule("net").state_dict()
    return {prefix + name.split(".", 1)[1]: tensor.clone() for name, tensor in state.items()}


@pytest.fixture(scope="module")
def reference() -> torch.nn.Module:
    return _random_network("squeeze")


@pytest.fixture(scope="module")
def backbone(reference: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of RANDOM weights in torchvision's layout; for tests only."""
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_file(_features(reference), path)
    return path


@pytest.fixture(scope="module")
def metric(backbone: Path) -> Lpips:
    return Lpips(net="squeeze", weights=str(backbone))


def test_it_equals_the_package_with_the_same_backbone(
    metric: Lpips, reference: torch.nn.Module
) -> None:
    prediction, truth = _frames()
    with torch.no_grad():
        expected = reference(prediction, truth, normalize=True).flatten()
        values = metric(prediction, truth)
        alone = metric(prediction[1:], truth[1:])
    assert values.dtype == torch.float64
    assert (values > 1e-4).all()
    torch.testing.assert_close(values.float(), expected)
    torch.testing.assert_close(alone, values[1:], rtol=1e-4, atol=1e-7)
    assert metric(truth, truth).tolist() == [0.0, 0.0]


def test_a_whole_alexnet_checkpoint_gives_the_package_s_value(tmp_path: Path) -> None:
    network = _random_network("alex")
    path = tmp_path / "alexnet.pth"
    torch.save(_features(network, "features.") | {"classifier.1.bias": torch.zeros(4)}, path)
    prediction, truth = _frames()
    metric = Lpips(net="alex", weights=str(path))
    expected = network(prediction, truth, normalize=True).flatten()
    torch.testing.assert_close(metric(prediction, truth).float(), expected)
    assert metric.name == "LPIPS-like (alex, alexnet.pth) ↓"


def test_the_heads_are_the_trained_ones(metric: Lpips) -> None:
    file = Path(package.__file__).parent / "weights/v0.1/squeeze.pth"
    trained = torch.load(file, map_location="cpu", weights_only=True)
    assert len(trained) == 7
    for name, tensor in trained.items():
        torch.testing.assert_close(metric.network.state_dict()[name], tensor)
        assert tensor.abs().sum() > 0


def test_training_mode_and_seeds_of_others_are_left_alone(backbone: Path) -> None:
    torch.manual_seed(10)
    expected = torch.rand(3)
    torch.manual_seed(10)
    metric = Lpips(net="squeeze", weights=str(backbone)).train()
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    assert not any(part.training for part in metric.modules())
    assert not any(parameter.requires_grad for parameter in metric.parameters())
    assert isinstance(metric, Metric)


def test_caffe_weights_see_255_times_rgb_minus_the_mean(
    reference: torch.nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / "caffe.safetensors"
    save_file(_features(reference), path, metadata={"input": CAFFE_INPUT})
    metric = Lpips(net="squeeze", weights=str(path))
    seen = []
    first = metric.network.get_submodule("net.slice1.0")
    first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    frame = torch.tensor([1.0, 0.5, 0.2]).reshape(1, 3, 1, 1).expand(1, 3, 32, 32)
    metric(frame, frame)
    expected = torch.tensor([255 - 123.68, 127.5 - 116.779, 51 - 103.939])
    torch.testing.assert_close(seen[0][0, :, 7, 9], expected, atol=1e-4, rtol=0)
    trained_on_bgr = reference.get_submodule("net.slice1.0").weight
    torch.testing.assert_close(first.weight, trained_on_bgr[:, [2, 1, 0]], atol=0, rtol=0)
    assert metric.name == "LPIPS-like (squeeze, Caffe weights) ↓"
    assert "not comparable" in metric.note


@pytest.mark.shared
@pytest.mark.skipif(not CAFFE.is_file(), reason="../shared/weights is absent")
def test_the_shared_caffe_weights_rank_a_blur_and_a_wrong_hue() -> None:
    metric = Lpips(net="squeeze", weights=str(CAFFE))
    assert metric.name == "LPIPS-like (squeeze, Caffe weights) ↓"
    ramp = torch.linspace(0, 1, 64)
    truth = torch.zeros(1, 3, 64, 64)
    truth[0, 0], truth[0, 2] = ramp, ramp[:, None]
    truth[:, :, 20:40, 20:40] = torch.tensor([0.9, 0.8, 0.1])[:, None, None]
    near, far = (truth + 0.02).clamp(0, 1), truth.flip(1)
    values = [metric(other, truth).item() for other in (truth, near, far)]
    assert values[0] == 0
    assert 0 < values[1] < 0.2 * values[2]


def test_the_name_is_lpips_only_for_torchvision_s_own_file(
    backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(backbone.read_bytes()).hexdigest()

    class Own:
        url = f"https://example.org/squeezenet1_1-{digest[:8]}.pth"

    monkeypatch.setattr(torchvision.models, "get_weight", lambda name: Own)
    own = Lpips(net="squeeze", weights=str(backbone))
    assert (own.name, own.note) == ("LPIPS (squeeze) ↓", "")


def _missing(path: Path) -> None:
    path.unlink()


def _text(path: Path) -> None:
    path.write_text("no tensors here")


def _other_network(path: Path) -> None:
    save_file({"0.weight": torch.zeros(64, 3, 3, 3)}, path)


def _unknown_input(path: Path) -> None:
    save_file({"0.weight": torch.zeros(1)}, path, metadata={"input": "HSV"})


@pytest.mark.parametrize(
    ("spoil", "suffix", "message"),
    [
        (_missing, ".pth", r"no such file"),
        (_text, ".pth", r"not a readable weights file"),
        (_text, ".safetensors", r"not a readable weights file"),
        (
            _other_network,
            ".safetensors",
            r"not the weights of SqueezeNet 1\.1 .*net=squeeze\), 49 of 50 tensors",
        ),
        (_unknown_input, ".safetensors", r"unknown input 'HSV'"),
    ],
)
def test_bad_weights_give_one_line(
    spoil: Callable[[Path], None], suffix: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / f"weights{suffix}"
    path.touch()
    spoil(path)
    with pytest.raises(PretrainedWeightsError, match=message) as error:
        Lpips(net="squeeze", weights=str(path))
    assert "\n" not in str(error.value)
    assert "set metric.lpips.weights to a file" in str(error.value)


def test_a_tensor_of_another_shape_is_named(backbone: Path, tmp_path: Path) -> None:
    state = _features(_random_network("squeeze"))
    state["0.weight"] = torch.zeros(8, 3, 3, 3)
    path = tmp_path / "other.safetensors"
    save_file(state, path)
    with pytest.raises(PretrainedWeightsError, match=r"first: 0\.weight is \(8, 3, 3, 3\)"):
        Lpips(net="squeeze", weights=str(path))


def test_no_network_gives_one_line_and_restores_the_time_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = []

    def refuse(*_: object, **__: object) -> None:
        limits.append(socket.getdefaulttimeout())
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", refuse)
    before = socket.getdefaulttimeout()
    with pytest.raises(
        PretrainedWeightsError, match=r"cannot download https://.*alexnet.*lpips\.net="
    ):
        Lpips()
    assert limits
    assert 0 < limits[0] <= 30
    assert socket.getdefaulttimeout() == before


def test_torchvision_s_cached_weights_are_used(
    reference: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.url
    cached = tmp_path / "hub/checkpoints" / Path(url).name
    cached.parent.mkdir(parents=True)
    torch.save(_features(reference, "features."), cached)
    metric = Lpips(net="squeeze")
    prediction, truth = _frames()
    expected = reference(prediction, truth, normalize=True).flatten()
    torch.testing.assert_close(metric(prediction, truth).float(), expected)
    assert metric.name == "LPIPS (squeeze) ↓"


def test_small_frames_and_unknown_networks_are_refused(metric: Lpips) -> None:
    small = torch.rand(1, 3, 31, 64)
    with pytest.raises(ValueError, match=r"31x64 pixels are too small, at least 32x32"):
        metric(small, small)
    with pytest.raises(ValueError, match=r"expected one of alex, vgg, squeeze, got 'resnet'"):
        Lpips(net="resnet")
