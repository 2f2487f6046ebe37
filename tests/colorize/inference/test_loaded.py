"""Networks from files of both kinds, and what a guided one sees of coloured pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.base.errors import UserError
from colorize.imaging.color import rgb_to_chroma, rgb_to_luma
from colorize.imaging.geometry import fit
from colorize.imaging.tensors import to_tensor
from colorize.inference.loaded import LoadedNetworks, opaque_colors
from colorize.media import Frame
from tests.colorize.tiny import (
    write_lightning,
    write_reference_safetensors,
    write_safetensors,
)

SIZE = (32, 48)


def loaded(path: Path) -> LoadedNetworks:
    return LoadedNetworks.load(path, device="cpu")


def noise(*size: int) -> Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(3))


def picture(seed: int, *, alpha: np.ndarray | None = None) -> Frame:
    rgb = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    return Frame(0, "", rgb, alpha)


@pytest.fixture(scope="module")
def guided(tmp_path_factory) -> LoadedNetworks:
    folder = tmp_path_factory.mktemp("guided")
    return loaded(write_reference_safetensors(folder / "model.safetensors"))


def test_both_kinds_of_file_give_the_same_network(tmp_path: Path) -> None:
    exported = loaded(write_safetensors(tmp_path / "a.safetensors", seed=4))
    trained = loaded(write_lightning(tmp_path / "a.ckpt", seed=4))
    other = loaded(write_lightning(tmp_path / "b.ckpt", seed=5))
    gray = noise(1, 1, 20, 24)
    first, same, different = (each.model(gray).colors for each in (exported, trained, other))
    assert torch.equal(first, same)
    assert not torch.allclose(first, different, atol=0.01)


def test_loaded_networks_are_frozen_and_work_at_the_size_of_their_training(tmp_path: Path) -> None:
    networks = loaded(write_safetensors(tmp_path / "model.safetensors"))
    assert not networks.model.training
    assert not any(parameter.requires_grad for parameter in networks.model.parameters())
    assert networks.small(noise(2, 1, 64, 100)).shape == (2, 1, 32, 50)
    other = LoadedNetworks.load(tmp_path / "model.safetensors", device="cpu", short_side=16)
    assert other.small(noise(2, 1, 64, 100)).shape == (2, 1, 16, 25)


@pytest.mark.parametrize("variant", [-1, 2])
def test_a_variant_that_is_not_there_is_refused(tmp_path: Path, variant: int) -> None:
    networks = loaded(write_safetensors(tmp_path / "model.safetensors"))
    with pytest.raises(UserError, match=f"variant is {variant}: this model has 0 to 1"):
        networks.check_variant(variant)
    networks.check_variant(1)


def test_weights_of_the_flow_that_are_not_there_name_the_option(tmp_path: Path) -> None:
    refiner = {"channels": [4, 4], "flow_method": "raft_small", "flow_weights": "gone.safetensors"}
    path = write_safetensors(tmp_path / "model.safetensors", refiner=refiner)
    with pytest.raises(ValueError, match=r"gone\.safetensors: no such file.*--flow-weights"):
        loaded(path)


def test_only_a_refiner_and_frames_before_make_a_network_sequential(tmp_path: Path) -> None:
    choices = ({}, {"refiner": {"channels": [4, 4]}}, {"inputs": "gray_pair"})
    found = [
        loaded(write_safetensors(tmp_path / f"{number}.safetensors", **each)).sequential
        for number, each in enumerate(choices)
    ]
    assert found == [False, True, True]


def test_a_network_without_references_refuses_pictures(tmp_path: Path) -> None:
    networks = loaded(write_safetensors(tmp_path / "model.safetensors"))
    assert not networks.takes_references
    with pytest.raises(UserError, match=r"model\.safetensors: this model takes no references"):
        networks.look_at([picture(0)], size=SIZE)


def test_pictures_are_seen_at_the_working_size(guided: LoadedNetworks) -> None:
    seen = guided.look_at([picture(0), picture(1)], size=SIZE, numbers=[7, None])
    assert seen.counts == (2,)
    assert seen.frame.tolist() == [[7, -1]]
    assert seen.mask is None
    expected = torch.cat([fit(to_tensor(picture(n).rgb[None]), SIZE) for n in (0, 1)])
    torch.testing.assert_close(seen.luma[0], rgb_to_luma(expected))
    torch.testing.assert_close(seen.chroma[0], rgb_to_chroma(expected))


def test_what_is_transparent_in_one_of_two_pictures_is_masked(guided: LoadedNetworks) -> None:
    alpha = np.full((40, 60), 255, dtype=np.uint8)
    alpha[:, :30] = 0
    seen = guided.look_at([picture(0, alpha=alpha), picture(1)], size=SIZE)
    assert seen.mask is not None
    assert float(seen.mask[0, 0, 0, :, :23].max()) == 0
    assert float(seen.mask[0, 0, 0, :, 26:].min()) == pytest.approx(1)
    assert float(seen.mask[0, 1].min()) == 1


@pytest.mark.parametrize("size", [(40, 60), (32, 48), (17, 23), (80, 120)])
def test_colours_under_transparency_are_not_mixed_into_those_beside_it(size) -> None:
    alpha = np.zeros((40, 60), dtype=np.uint8)
    alpha[10:31, 20:41], alpha[5, 5] = 255, 90
    red, hidden = np.array([200, 30, 10], np.uint8), np.array([255, 0, 255], np.uint8)
    rgb = np.where(alpha[..., None] > 0, red, hidden)
    colors, mask = opaque_colors(Frame(0, "", rgb, alpha), lambda planes: fit(planes, size))
    assert mask is not None
    assert float(mask.max()) == 1
    shown = (mask[0, 0] > 0).numpy()
    assert 0.05 < shown.mean() < 0.3
    found = colors[0].permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(found[shown], np.broadcast_to(red, (shown.sum(), 3)), atol=0.02)
    assert (found[~shown] == 255).all()


def test_likeness_is_one_of_the_frame_itself_and_less_of_another(guided: LoadedNetworks) -> None:
    own = picture(0)
    gray = guided.small(torch.from_numpy(own.gray())[None, None])
    flat = Frame(0, "", np.full((40, 60, 3), 200, np.uint8))
    seen = guided.look_at([own, flat], size=(gray.shape[-2], gray.shape[-1]))
    same, other = guided.likeness(gray, seen)
    assert same == pytest.approx(1, abs=1e-3)
    assert other < 0.999
