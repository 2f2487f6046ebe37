"""What runs on a GPU gives what the CPU gives, stays finite in bfloat16, and never waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from colorize import losses
from colorize.films import command as cli
from colorize.imaging.upsampling import upsample_chroma
from colorize.networks.guided.references import References
from colorize.pretrained.vgg19 import VGG19
from tests.colorize import tiny
from tests.colorize.losses.family import every_step, random_step
from tests.colorize.media.films import gray_ramp
from tests.colorize.networks.guided.given import (
    SIZE,
    assert_same,
    noise,
    planes_of,
    references,
)

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]

CUDA = "cuda"
LOSSES: dict[str, Callable[[], nn.Module]] = {
    "bilateral": losses.Bilateral,
    "color": losses.Color,
    "rank_diversity": lambda: losses.RankDiversity(features=_features()),
    "refinement": losses.Refinement,
    "segment": losses.Segment,
    "segment_uniformity": losses.SegmentUniformity,
    "temporal": losses.Temporal,
    "temporal_second_order": losses.TemporalSecondOrder,
}


def _features() -> VGG19:
    return VGG19(weights="random", taps=("conv1_2", "conv2_1"))


@pytest.fixture(autouse=True)
def _full_precision() -> Iterator[None]:
    """Convolve in float32: TF32, the default on CUDA, has the precision of 10 bits."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def _on(device: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.to(device) for name, tensor in tensors.items()}


def _value_and_gradient(
    loss: nn.Module, device: str, frames: int, count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    outputs, truth, targets = random_step(2, frames, count)
    leaf = outputs.to(device).requires_grad_()
    value = loss.to(device)(leaf, truth.to(device), _on(device, targets))
    value.backward()
    return value.detach().cpu(), leaf.grad.cpu()


@every_step
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_gives_the_value_and_the_gradient_of_the_cpu(
    name: str, frames: int, count: int
) -> None:
    expected = _value_and_gradient(LOSSES[name](), "cpu", frames, count)
    found = _value_and_gradient(LOSSES[name](), CUDA, frames, count)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@every_step
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
def test_a_step_in_bfloat16_is_finite_and_never_waits_for_the_device(
    name: str, frames: int, count: int
) -> None:
    loss = LOSSES[name]().to(CUDA)
    outputs, truth, targets = random_step(2, frames, count)
    truth, targets = truth.to(CUDA), _on(CUDA, targets)
    leaf = outputs.to(CUDA, torch.bfloat16).requires_grad_()

    def step() -> torch.Tensor:
        with torch.autocast(CUDA, dtype=torch.bfloat16):
            value = loss(leaf, truth, targets)
        value.backward()
        return value.detach()

    step()  # what CUDA and cuDNN do once
    leaf.grad = None
    with _no_waiting():
        value = step()
    assert torch.isfinite(value)
    assert torch.isfinite(leaf.grad).all()


@contextmanager
def _no_waiting() -> Iterator[None]:
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
def test_the_check_finds_a_step_that_waits() -> None:
    values = torch.rand(4, device=CUDA)
    with pytest.raises(RuntimeError, match="synchroniz"), _no_waiting():
        values.sum().item()


@pytest.mark.parametrize("choices", [{}, {"head": "rgb", "luma": "free"}])
@pytest.mark.parametrize("with_features", [True, False])
def test_the_generator_gives_the_colours_of_the_cpu(choices: dict, with_features: bool) -> None:
    choices = {**choices, "features": _features() if with_features else None}
    gray = torch.rand(2, 1, 16, 24, generator=torch.Generator().manual_seed(0))
    model = tiny.generator(**choices)
    with torch.no_grad():
        expected = model(gray).colors
        model = model.to(CUDA)
        torch.testing.assert_close(
            model(gray.to(CUDA)).colors.cpu(), expected, rtol=1e-3, atol=1e-4
        )
        with torch.autocast(CUDA, dtype=torch.bfloat16):
            rounded = model(gray.to(CUDA)).colors
    assert rounded.dtype == torch.float32
    assert torch.isfinite(rounded).all()
    torch.testing.assert_close(rounded.cpu(), expected, rtol=0.05, atol=0.05)


def test_a_training_step_gives_the_gradient_of_the_cpu() -> None:
    found, expected = _gradients_of_a_step(CUDA), _gradients_of_a_step("cpu")
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-3, atol=1e-3)


def test_a_training_step_in_bfloat16_is_finite() -> None:
    with torch.autocast(CUDA, dtype=torch.bfloat16):
        gradients = _gradients_of_a_step(CUDA)
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())


def _gradients_of_a_step(device: str) -> dict[str, torch.Tensor]:
    """Return the gradient of every parameter after a step of a tiny task on random stills."""
    trained = tiny.task().to(device)
    trained.log = lambda *_, **__: None  # outside a trainer there is nothing to log to
    color = torch.rand(2, 1, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    batch = {"gray": (color * weights).sum(2, keepdim=True), "color": color}
    trained.training_step(_on(device, batch), 0).backward()
    return {name: part.grad.cpu() for name, part in trained.named_parameters()}


def test_upsampled_chroma_is_that_of_the_cpu() -> None:
    random = torch.Generator().manual_seed(0)
    chroma = torch.rand(2, 2, 27, 48, generator=random) - 0.5
    luma = torch.rand(2, 1, 180, 320, generator=random)
    expected = upsample_chroma(chroma, luma)
    result = upsample_chroma(chroma.to(CUDA), luma.to(CUDA)).cpu()
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-4)


def test_a_job_gives_the_pictures_of_the_cpu(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(6):
        Image.fromarray(gray_ramp((64, 96), number)).save(tmp_path / f"in/{number}.png")
    model = tiny.write_safetensors(tmp_path / "model.safetensors")
    for device in ("cpu", CUDA):
        options = ["--checkpoint", str(model), "--device", device]
        cli.main([str(tmp_path / "in"), "-o", str(tmp_path / device), *options])
    for number in range(6):
        first, second = (
            np.array(Image.open(tmp_path / device / f"{number}.png")).astype(int)
            for device in ("cpu", CUDA)
        )
        assert np.abs(first - second).max() <= 1


def _referenced() -> tuple[torch.Tensor, References]:
    return noise(3, 1, *SIZE), references(1, 0, 2, propagated=True, mask=True)


def _guided(device: str, *, bfloat16: bool = False) -> torch.Tensor:
    gray, given = _referenced()
    model = tiny.reference_generator().eval().to(device)
    with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16, enabled=bfloat16):
        return model(gray.to(device), given.to(device)).colors.cpu()


def test_the_reference_guided_generator_gives_the_colours_of_the_cpu() -> None:
    # A match that is as good as another may be taken instead of it: of few pixels.
    difference = (_guided(CUDA) - _guided("cpu")).abs()
    assert (difference > 1e-3).float().mean() < 0.01


def test_the_reference_guided_generator_is_finite_in_bfloat16() -> None:
    assert torch.isfinite(_guided(CUDA, bfloat16=True)).all()


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
def test_a_step_of_the_reference_guided_generator_never_waits_for_the_device() -> None:
    gray, given = _referenced()
    model = tiny.reference_generator().train().to(CUDA)
    gray, given = gray.to(CUDA), given.to(CUDA)

    def step() -> torch.Tensor:
        with torch.autocast(CUDA, dtype=torch.bfloat16):
            painted = model(gray, given)
        terms = [painted.colors, painted.provided["fused"], painted.provided["attended"]]
        loss = sum(term.float().square().mean() for term in terms)
        loss.backward()
        return loss.detach()

    step()  # what CUDA and cuDNN do once
    model.zero_grad(set_to_none=True)
    with _no_waiting():
        loss = step()
    assert torch.isfinite(loss)
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            assert torch.isfinite(parameter.grad).all(), name


def test_references_are_pinned_and_fetched_with_their_batch() -> None:
    gray, given = _referenced()
    loader = torch.utils.data.DataLoader(
        [{"gray": gray, "references": given}],
        batch_size=None,
        pin_memory=True,
    )
    (batch,) = loader
    pinned = batch["references"]
    assert all(planes.is_pinned() for planes in planes_of(pinned).values())
    moved = pinned.to(CUDA, non_blocking=True)
    assert all(planes.device.type == CUDA for planes in planes_of(moved).values())
    assert_same(moved.to("cpu"), given)


def test_a_job_with_references_runs(tmp_path: Path) -> None:
    checkpoint = tiny.write_reference_safetensors(tmp_path / "model.safetensors")
    folder, given = tmp_path / "in", tmp_path / "1.png"
    folder.mkdir()
    random = np.random.default_rng(0)
    frame = random.integers(0, 255, (64, 96), np.uint8)
    for number in range(3):
        Image.fromarray(frame).save(folder / f"{number}.png")
    Image.fromarray(random.integers(0, 255, (64, 96, 3), np.uint8)).save(given)
    cli.main(
        [
            *(str(folder), "-o", str(tmp_path / "out"), "--reference", str(given)),
            *("--checkpoint", str(checkpoint), "--device", CUDA),
        ]
    )
    assert len(list((tmp_path / "out").glob("*.png"))) == 3
