from __future__ import annotations

import importlib
import sys
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest
import torch

from colorize.metrics import Metric
from colorize.metrics.st_lpips import Blur, ShiftTolerantAlexNet, StLpips
from colorize.pretrained.weights import PretrainedWeightsError

pytest.importorskip("stlpips_pytorch", reason="pip install '.[st-lpips]'")


@pytest.fixture(scope="module")
def metric() -> StLpips:
    return StLpips()


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """Return the package's own metric; it imports two packages that measuring does not use."""
    for name, missing in (("torchsummary", "summary"), ("IPython", "embed")):
        stub = ModuleType(name)
        setattr(stub, missing, None)
        monkeypatch.setitem(sys.modules, name, stub)
    module = importlib.import_module("stlpips_pytorch.stlpips")
    return module.LPIPS(net="alex", variant="shift_tolerant", verbose=False)


def frames() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(8)
    truth = torch.rand(2, 3, 40, 53, generator=generator)
    noise = torch.randn(truth.shape, generator=generator)
    return (truth + 0.1 * noise).clamp(0, 1), truth


def test_it_equals_the_package(metric: StLpips, package: torch.nn.Module) -> None:
    prediction, truth = frames()
    with torch.no_grad():
        expected = package(prediction, truth, normalize=True).flatten()
    values = metric(prediction, truth)
    assert values.dtype == torch.float64
    assert (values > 1e-3).all()
    torch.testing.assert_close(values.float(), expected)
    torch.testing.assert_close(metric(prediction[1:], truth[1:]), values[1:], rtol=1e-4, atol=1e-7)
    assert metric(truth, truth).tolist() == [0.0, 0.0]


def test_a_shift_by_a_pixel_is_nearer_than_another_colour(metric: StLpips) -> None:
    ramp = torch.linspace(0, 1, 72)
    wide = torch.stack([ramp.expand(64, 72), torch.zeros(64, 72), 1 - ramp.expand(64, 72)])[None]
    wide[:, :, 20:44, 20:44] = torch.tensor([0.9, 0.8, 0.1])[:, None, None]
    truth, shifted = wide[..., 3:67], wide[..., 4:68]
    values = [metric(other, truth).item() for other in (shifted, truth.flip(1))]
    assert 0 < values[0] < 0.2 * values[1]


def test_a_blur_is_a_binomial_with_mirrored_edges() -> None:
    blur = Blur(1)
    blur.filter.copy_(torch.tensor([1.0, 2, 1])[:, None] * torch.tensor([1.0, 2, 1]) / 16)
    rows = torch.arange(4.0).expand(4, 4)
    # Columns 2 1 | 0 1 2 3 | 2 1, weighted 1 2 1 around every second one from the second on.
    expected = torch.tensor([(2 + 2 * 1 + 0) / 4, (0 + 2 * 1 + 2) / 4, (2 + 2 * 3 + 2) / 4])
    assert torch.equal(blur(rows[None, None])[0, 0, 0], expected)


def test_it_is_a_frozen_metric(metric: StLpips) -> None:
    assert isinstance(metric, Metric)
    assert not any(part.training for part in metric.train().modules())
    assert not any(parameter.requires_grad for parameter in metric.parameters())


def test_small_frames_are_refused(metric: StLpips) -> None:
    small = torch.rand(1, 3, 31, 64)
    with pytest.raises(ValueError, match=r"31x64 pixels are too small, at least 32x32"):
        metric(small, small)


def test_an_absent_package_gives_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stlpips_pytorch", None)
    with pytest.raises(PretrainedWeightsError, match=r"not installed; pip install stlpips") as e:
        StLpips()
    assert "\n" not in str(e.value)


def test_damaged_and_other_weights_give_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    file = tmp_path / "weights/vST0.0/alex_shift_tolerant.pth"
    file.parent.mkdir(parents=True)
    file.write_text("no tensors here")
    with pytest.raises(PretrainedWeightsError, match=r"cannot be read .* install stlpips") as e:
        StLpips()
    assert "\n" not in str(e.value)
    torch.save({"scaling_layer.shift": torch.zeros(1, 3, 1, 1)}, file)
    with pytest.raises(PretrainedWeightsError, match=r"first: lin0\.model\.1\.weight is missing"):
        StLpips()
    assert len(ShiftTolerantAlexNet().heads) == 5
