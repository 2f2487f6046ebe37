"""What the colorizer does with a frame of any size, and with the frames of a shot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.imaging.upsampling import upsample_chroma
from colorize.inference.colorizer import Colorizer, choose_device, working_size
from tests.colorize.tiny import generator, write_lightning, write_safetensors

LUMA = np.array([0.299, 0.587, 0.114])


def luma(rgb: np.ndarray) -> np.ndarray:
    """BT.601 luma of ``b 3 h w`` in float64."""
    return np.einsum("bchw,c->bhw", rgb.astype(np.float64), LUMA)


def chroma(rgb: np.ndarray) -> np.ndarray:
    """(Cb, Cr) of ``b 3 h w`` in float64."""
    y = luma(rgb)
    return np.stack([(rgb[:, 2] - y) / 1.772, (rgb[:, 0] - y) / 1.402], axis=1)


def noise(*size: int) -> torch.Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def colorizer(tmp_path: Path) -> Colorizer:
    return Colorizer.load(write_safetensors(tmp_path / "model.safetensors"), device="cpu")


def test_both_kinds_of_file_give_the_same_colours(tmp_path: Path) -> None:
    exported = Colorizer.load(write_safetensors(tmp_path / "a.safetensors", seed=4), device="cpu")
    trained = Colorizer.load(write_lightning(tmp_path / "a.ckpt", seed=4), device="cpu")
    other = Colorizer.load(write_lightning(tmp_path / "b.ckpt", seed=5), device="cpu")
    gray = noise(1, 1, 20, 24)
    assert torch.equal(exported(gray, variant=1), trained(gray, variant=1))
    assert not torch.allclose(exported(gray), other(gray), atol=0.01)


def test_the_loaded_model_is_frozen(colorizer: Colorizer) -> None:
    assert not colorizer.model.training
    assert not any(parameter.requires_grad for parameter in colorizer.model.parameters())


def test_fast_gives_nearly_the_same_colours_in_half_precision(colorizer: Colorizer) -> None:
    gray, seen = noise(2, 1, 20, 24), []
    module = next(each for each in colorizer.model.modules() if isinstance(each, torch.nn.Conv2d))
    module.register_forward_hook(lambda module, given, made: seen.append(made.dtype))
    exact, fast = (colorizer.stream(fast=fast)(gray) for fast in (False, True))
    assert seen == [torch.float32, torch.bfloat16]
    assert fast.dtype == torch.float32
    assert 0 < float((exact - fast).abs().mean()) < 0.005


@pytest.mark.parametrize("variant", [-1, 2])
def test_a_variant_that_is_not_there_is_refused(colorizer: Colorizer, variant: int) -> None:
    with pytest.raises(ValueError, match=f"variant is {variant}: this model has 0 to 1"):
        colorizer.check_variant(variant)
    colorizer.check_variant(1)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ValueError, match="--device is 'gpu': expected auto, cpu, cuda or cuda:N"):
        choose_device("gpu")
    assert choose_device("cpu") == torch.device("cpu")


def test_auto_is_cuda_only_where_there_is_one(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(ValueError, match="'cuda:0', but PyTorch sees no CUDA device"):
        choose_device("cuda:0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"


@pytest.mark.parametrize(
    ("size", "short_side", "expected"),
    [
        ((201, 357), 108, (108, 192)),
        ((357, 201), 108, (192, 108)),
        ((1080, 1920), 240, (240, 427)),
        ((30, 50), 108, (30, 50)),
        ((2000, 1), 108, (2000, 1)),
        ((100, 3), 1, (33, 1)),
    ],
)
def test_the_working_size_keeps_the_shape_and_never_enlarges(size, short_side, expected) -> None:
    assert working_size(size, short_side) == expected


def test_the_network_works_at_the_size_of_its_training(colorizer: Colorizer, monkeypatch) -> None:
    seen = []
    forward = colorizer.model.forward
    monkeypatch.setattr(
        colorizer.model,
        "forward",
        lambda gray, extra=None: seen.append(gray.shape) or forward(gray),
    )
    colorizer(noise(1, 1, 64, 100))
    assert seen == [(1, 1, 32, 50)]


def test_chroma_is_that_of_the_small_frame_along_the_edges_of_the_luma(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "model.safetensors", output_gain=0.2)
    colorizer = Colorizer.load(path, device="cpu")
    gray = 0.4 + 0.2 * noise(1, 1, 75, 101)  # far from black and white: nothing is clipped
    small = Image.fromarray(gray[0, 0].numpy()).resize((43, 32), Image.Resampling.BILINEAR)
    with torch.no_grad():
        outputs = colorizer.model(torch.from_numpy(np.array(small))[None, None])[0].numpy()
    expected = [
        upsample_chroma(torch.from_numpy(np.ascontiguousarray(planes))[None], gray)[0].numpy()
        for planes in chroma(outputs)
    ]
    result = chroma(colorizer.variants(gray)[0].numpy())
    assert np.abs(result).max() > 0.01
    np.testing.assert_allclose(result, np.stack(expected), rtol=0, atol=2e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (37, 53), (5, 211), (64, 33)])
@pytest.mark.parametrize("choices", [{}, {"head": "rgb", "luma": "free"}])
def test_the_result_keeps_the_luma_of_any_frame(tmp_path: Path, size, choices) -> None:
    path = write_safetensors(tmp_path / "model.safetensors", **choices)
    colorizer = Colorizer.load(path, device="cpu")
    gray = 0.3 + 0.5 * noise(1, 1, *size)
    result = colorizer(gray, variant=1).numpy()
    assert result.shape == (1, 3, *size)
    assert np.abs(chroma(result)).max() > 0.003
    np.testing.assert_allclose(luma(result), gray[:, 0].numpy(), rtol=0, atol=1e-5)
    integers = np.round(result * 255).astype(np.uint8)
    off = np.abs(luma(integers) / 255 - gray[:, 0].numpy())
    assert np.mean(off <= 1 / 255) >= 0.99


def test_a_batch_gives_what_its_frames_give_alone(colorizer: Colorizer) -> None:
    gray = noise(2, 1, 33, 47)
    singles = torch.cat([colorizer(gray[:1], variant=1), colorizer(gray[1:], variant=1)])
    torch.testing.assert_close(colorizer(gray, variant=1), singles, rtol=0, atol=1e-5)
    assert not torch.allclose(colorizer(gray), singles, atol=0.01)


def test_all_variants_together_are_those_given_one_by_one(colorizer: Colorizer) -> None:
    gray = noise(2, 1, 50, 70)
    together = colorizer.variants(gray)
    for k in range(colorizer.outputs):
        torch.testing.assert_close(together[:, k], colorizer(gray, variant=k))


def test_variants_of_a_free_luma_are_the_models_own_colours(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "rgb.safetensors", head="rgb", luma="free")
    colorizer = Colorizer.load(path, device="cpu")
    gray = noise(1, 1, 32, 48)  # the size of the training: nothing is resized
    expected = generator(head="rgb", luma="free").eval()(gray).clamp(0, 1)
    assert float((luma(expected[:, 0].detach().numpy()) - gray[:, 0].numpy()).std()) > 0.01
    torch.testing.assert_close(colorizer.variants(gray), expected, atol=1e-5, rtol=0)


def test_a_stream_of_single_frames_is_what_the_frames_give_alone(colorizer: Colorizer) -> None:
    gray = noise(3, 1, 33, 47)
    assert not colorizer.sequential
    stream = colorizer.stream()
    streamed = torch.cat([stream(gray[:2]), stream(gray[2:])])
    torch.testing.assert_close(streamed, colorizer.variants(gray), atol=1e-5, rtol=0)


def test_a_refined_stream_goes_on_until_it_is_reset(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "model.safetensors", refiner={"channels": [4, 4]})
    colorizer = Colorizer.load(path, device="cpu")
    gray = noise(3, 1, 32, 48)
    assert colorizer.sequential
    stream = colorizer.stream()
    whole = stream(gray)
    stream.reset()
    parts = torch.cat([stream(gray[:1]), stream(gray[1:])])
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=0)
    stream.reset()
    alone = stream(gray[2:])
    torch.testing.assert_close(alone, colorizer.variants(gray[2:]), atol=1e-5, rtol=0)
    assert not torch.allclose(alone, whole[2:], atol=0.01)
    main = colorizer.stream(refine=False)
    torch.testing.assert_close(main(gray), colorizer.variants(gray), atol=1e-5, rtol=0)


def test_a_frame_of_another_size_starts_a_shot(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "model.safetensors", refiner={"channels": [4, 4]})
    stream = Colorizer.load(path, device="cpu").stream()
    stream(noise(1, 1, 32, 48))
    other = noise(1, 1, 40, 48)
    again = Colorizer.load(path, device="cpu").stream()
    assert torch.equal(stream(other), again(other))


def test_a_chosen_variant_is_streamed_alone_with_the_luma_kept(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "rgb.safetensors", head="rgb", luma="free")
    colorizer = Colorizer.load(path, device="cpu")
    gray = 0.3 + 0.5 * noise(2, 1, 20, 30)
    result = colorizer.stream(variant=1)(gray, keep_luma=True)
    assert result.shape == (2, 1, 3, 20, 30)
    torch.testing.assert_close(result[:, 0], colorizer(gray, variant=1), atol=1e-5, rtol=0)
    np.testing.assert_allclose(luma(result[:, 0].numpy()), gray[:, 0].numpy(), atol=1e-5)


def test_refining_without_a_refiner_is_refused(colorizer: Colorizer) -> None:
    with pytest.raises(ValueError, match="holds no refinement network; leave refine=true out"):
        colorizer.stream(refine=True)


def test_weights_of_the_flow_that_are_not_there_name_the_option(tmp_path: Path) -> None:
    refiner = {"channels": [4, 4], "flow_method": "raft_small", "flow_weights": "gone.safetensors"}
    path = write_safetensors(tmp_path / "model.safetensors", refiner=refiner)
    with pytest.raises(ValueError, match=r"gone\.safetensors: no such file.*--flow-weights"):
        Colorizer.load(path, device="cpu")
