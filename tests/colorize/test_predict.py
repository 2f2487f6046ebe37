"""Checkpoint files, whole and broken, and what the colorizer does with a frame of any size."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from colorize.predict import (
    CheckpointError,
    Colorizer,
    build_model,
    choose_device,
    export,
    load_checkpoint,
    working_size,
)
from tests.colorize.tiny import description, generator, write_lightning, write_safetensors

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


class Bomb:
    """Makes a folder when unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_both_kinds_of_file_give_the_same_colours(tmp_path: Path) -> None:
    exported = Colorizer.load(write_safetensors(tmp_path / "a.safetensors", seed=4), device="cpu")
    trained = Colorizer.load(write_lightning(tmp_path / "a.ckpt", seed=4), device="cpu")
    other = Colorizer.load(write_lightning(tmp_path / "b.ckpt", seed=5), device="cpu")
    gray = noise(1, 1, 20, 24)
    assert torch.equal(exported(gray, variant=1), trained(gray, variant=1))
    assert not torch.allclose(exported(gray), other(gray), atol=0.01)


def test_an_exported_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    first = load_checkpoint(write_lightning(tmp_path / "run.ckpt"))
    export(first, tmp_path / "model.safetensors")
    again = load_checkpoint(tmp_path / "model.safetensors")
    assert again.model == first.model == description()["config"]["model"]
    assert again.description == first.description == description() | {"step": 0}
    assert again.size == (32, 48)
    assert again.weights.keys() == first.weights.keys() == generator().state_dict().keys()
    for name, tensor in generator().state_dict().items():
        assert torch.equal(again.weights[name], tensor)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "run.ckpt"]


def test_a_failed_export_leaves_the_old_file(tmp_path: Path, monkeypatch) -> None:
    path = write_safetensors(tmp_path / "model.safetensors")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        export(load_checkpoint(path), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_loaded_model_is_frozen(colorizer: Colorizer) -> None:
    assert not colorizer.model.training
    assert not any(parameter.requires_grad for parameter in colorizer.model.parameters())


def broken_text(path: Path) -> Path:
    path.write_text("these are not weights\n")
    return path


def broken_cut(path: Path) -> Path:
    whole = write_safetensors(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def broken_zip(path: Path) -> Path:
    whole = write_lightning(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def broken_foreign(path: Path) -> Path:
    safetensors.torch.save_file({"weight": torch.ones(2)}, path, {"format": "pt"})
    return path


def broken_bare(path: Path) -> Path:
    torch.save(torch.ones(3), path)
    return path


def broken_other_task(path: Path) -> Path:
    torch.save({"state_dict": {"layer.weight": torch.ones(3)}}, path)
    return path


def broken_empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def missing(path: Path) -> Path:
    return path


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("absent.ckpt", missing, "no such checkpoint; train one with colorize-train"),
        ("text.ckpt", broken_text, "not a checkpoint of colorize-train, or damaged"),
        ("text.safetensors", broken_text, "not a checkpoint of colorize-train, or damaged"),
        ("empty.ckpt", broken_empty, "not a checkpoint of colorize-train, or damaged"),
        ("empty.safetensors", broken_empty, "not a checkpoint of colorize-train, or damaged"),
        ("cut.safetensors", broken_cut, "not a checkpoint of colorize-train, or damaged"),
        ("cut.ckpt", broken_zip, "not a checkpoint of colorize-train, or damaged"),
        ("other.safetensors", broken_foreign, r"format is 'pt', expected 'tooncolor-model-1'"),
        ("tensor.ckpt", broken_bare, "not a checkpoint of colorize-train, or damaged"),
        ("classifier.ckpt", broken_other_task, "not a checkpoint of colorize-train.*tooncolor"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_one_line(tmp_path: Path, name, make, message) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        load_checkpoint(make(tmp_path / name))
    assert str(error.value).startswith(str(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("save", [torch.save, lambda content, path: pickle.dump(content, path)])
def test_code_in_a_pickle_is_not_executed(tmp_path: Path, save) -> None:
    folder, path = tmp_path / "executed", tmp_path / "evil.ckpt"
    with path.open("wb") as file:
        save({"tooncolor": Bomb(folder), "state_dict": {}}, file)
    pickle.loads(pickle.dumps(Bomb(folder)))
    assert folder.is_dir()  # the charge is live
    folder.rmdir()
    with pytest.raises(CheckpointError, match="not a checkpoint") as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)
    assert not folder.exists()


def test_weights_that_do_not_fit_the_description_are_named(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint = load_checkpoint(write_safetensors(path))
    weights = dict(checkpoint.weights)
    weights.pop("unet.second.weight")
    with pytest.raises(CheckpointError, match=r"does not fit.*unet\.second\.weight") as error:
        build_model(type(checkpoint)(path, checkpoint.model, weights, checkpoint.description))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_target_": "os.system"}, r"os\.system"),
        ({"head": "sepia"}, "does not fit"),
        ({"later_option": 1}, "later_option"),
        ({"channels": [4, 4, 4]}, "does not fit"),
    ],
)
def test_a_description_of_another_version_is_one_line(tmp_path: Path, change, message) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint = load_checkpoint(write_safetensors(path))
    model = {**checkpoint.model, **change}
    with pytest.raises(CheckpointError, match=message) as error:
        build_model(type(checkpoint)(path, model, checkpoint.weights, checkpoint.description))
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_description_without_a_size_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint = load_checkpoint(write_safetensors(path))
    about = {key: value for key, value in checkpoint.description.items() if key != "size"}
    export(type(checkpoint)(path, checkpoint.model, checkpoint.weights, about), path)
    with pytest.raises(CheckpointError, match="size"):
        load_checkpoint(path)


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
        colorizer.model, "forward", lambda gray: seen.append(gray.shape) or forward(gray)
    )
    colorizer(noise(1, 1, 64, 100))
    assert seen == [(1, 1, 32, 50)]


def test_chroma_is_that_of_the_small_frame_resized(colorizer: Colorizer) -> None:
    gray = noise(1, 1, 75, 101)
    small = Image.fromarray(gray[0, 0].numpy()).resize((43, 32), Image.Resampling.BILINEAR)
    with torch.no_grad():
        outputs = colorizer.model(torch.from_numpy(np.array(small))[None, None])[0].numpy()
    # OpenCV's half-pixel centres and repeated borders are those of PyTorch when enlarging.
    expected = [
        cv2.resize(planes.transpose(1, 2, 0), (101, 75), interpolation=cv2.INTER_LINEAR)
        for planes in chroma(outputs)
    ]
    result = colorizer.chroma(gray)[0].permute(0, 2, 3, 1).numpy()
    assert np.abs(result).max() > 0.05
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
