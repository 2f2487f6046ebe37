from __future__ import annotations

import inspect
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models.optical_flow import raft_small

from colorize.motion.estimators import (
    Dis,
    DisPreset,
    Raft,
    build_flow_estimator,
)
from colorize.pretrained.weights import PretrainedWeightsError
from tests.places import SHARED

_WEIGHTS = SHARED / "weights/raft_small.safetensors"


def _shifted_pair(
    size: tuple[int, int], *, right: int, down: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (current, previous) of a blurred texture that moved by whole pixels."""
    height, width = size
    texture = np.random.default_rng(0).random((height + 16, width + 16, 3), dtype=np.float32)
    texture = cv2.GaussianBlur(texture, (0, 0), 2.0)
    texture = (texture - texture.min()) / (texture.max() - texture.min())
    whole = torch.from_numpy(texture).permute(2, 0, 1)[None].contiguous()
    previous = whole[..., 8 : 8 + height, 8 : 8 + width]
    current = whole[..., 8 - down : 8 - down + height, 8 - right : 8 - right + width]
    return current, previous


@pytest.mark.parametrize("size", [(96, 128), (41, 57)])
def test_dis_finds_a_shift(size: tuple[int, int]) -> None:
    current, previous = _shifted_pair(size, right=3, down=-2)
    flow = Dis()(current, previous)
    assert flow.shape == (1, 2, *size)
    error = (flow - torch.tensor([-3.0, 2.0]).view(1, 2, 1, 1)).norm(dim=1)
    assert float(error[..., 8:-8, 8:-8].median()) < 0.3


def test_fine_dis_follows_what_the_default_is_too_coarse_for() -> None:
    """Two halves of a small frame move apart: the drawn truth shows where the edge between is."""
    size = (72, 128)
    right, previous = _shifted_pair(size, right=4, down=0)
    left, _ = _shifted_pair(size, right=-4, down=0)
    current = torch.cat([right[..., :36, :], left[..., 36:, :]], dim=-2)
    truth = torch.tensor([-4.0, 0.0]).view(1, 2, 1, 1).repeat(1, 1, *size)
    truth[..., 36:, :] *= -1

    def error(preset: DisPreset) -> float:
        found = Dis(preset=preset)(current, previous)
        return float((found - truth).norm(dim=1)[..., 8:-8].mean())

    assert error("fine") < 0.85 * error("medium")
    assert Dis(preset="fine")(current[:0], previous[:0]).shape == (0, 2, *size)


def test_dis_sees_luma_only_and_takes_batches() -> None:
    current, previous = _shifted_pair((64, 64), right=2, down=1)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    in_gray = Dis()(*((frame * luma).sum(1, keepdim=True) for frame in (current, previous)))
    batch = Dis()(torch.cat([current, previous]), torch.cat([previous, current]))
    torch.testing.assert_close(batch[:1], in_gray)
    assert float(batch[0, 0].median()) == pytest.approx(-2, abs=0.3)
    assert float(batch[1, 0].median()) == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (17, 9)])
@pytest.mark.parametrize("preset", ["medium", "fine"])
def test_dis_takes_tiny_frames(size: tuple[int, int], preset: DisPreset) -> None:
    frame = torch.rand(1, 3, *size)
    flow = Dis(preset=preset)(frame, frame)
    assert flow.shape == (1, 2, *size)
    assert float(flow.abs().max()) < 0.5


def _random_raft(tmp_path: Path, **changes: torch.Tensor) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "raft.safetensors"
    save_file({**raft_small(weights=None).state_dict(), **changes}, path)
    return path


def test_raft_pads_cuts_and_prepares_its_input(tmp_path: Path) -> None:
    estimator = Raft(weights=str(_random_raft(tmp_path)), input="gray", iterations=2)
    current, previous = _shifted_pair((100, 133), right=2, down=1)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    padded = [
        torch.nn.functional.pad(
            2 * (frame * luma).sum(1, keepdim=True).expand(-1, 3, -1, -1) - 1,
            (0, 3, 0, 28),
            mode="replicate",
        )
        for frame in (current, previous)
    ]
    with torch.no_grad():
        expected = estimator.network(*padded, num_flow_updates=2)[-1][..., :100, :133]
    flow = estimator(current, previous)
    assert estimator(current[:0], previous[:0]).shape == (0, 2, 100, 133)
    torch.testing.assert_close(flow, expected, atol=1e-4, rtol=1e-4)
    assert float(flow.abs().max()) > 0
    assert not any(parameter.requires_grad for parameter in estimator.train().parameters())
    assert not estimator.network.training


@pytest.mark.shared
@pytest.mark.skipif(not _WEIGHTS.is_file(), reason="../shared/weights is not there")
def test_raft_small_finds_a_shift() -> None:
    estimator = build_flow_estimator(method="raft_small", weights=str(_WEIGHTS))
    current, previous = _shifted_pair((128, 136), right=3, down=-2)
    flow = estimator(current, previous)
    error = (flow - torch.tensor([-3.0, 2.0]).view(1, 2, 1, 1)).norm(dim=1)
    assert float(error.median()) < 0.3


def test_weights_that_do_not_exist_name_the_option(tmp_path: Path) -> None:
    with pytest.raises(PretrainedWeightsError, match=r"flow\.weights=.*absent.*flow\.method=dis"):
        Raft(weights=str(tmp_path / "absent.safetensors"))


def test_a_file_that_is_no_safetensors_names_the_option(tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_text("no tensors")
    with pytest.raises(
        PretrainedWeightsError, match=r"flow\.weights=.*bad\.safetensors: not a readable"
    ):
        Raft(weights=str(path))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = _random_raft(tmp_path, extra=torch.zeros(1))
    with pytest.raises(
        PretrainedWeightsError, match=r"not the weights of raft_small, 1 of \d+ .*extra"
    ):
        Raft(weights=str(path))
    with pytest.raises(PretrainedWeightsError, match="not the weights of raft_large"):
        Raft(method="raft_large", weights=str(path))


def test_a_failed_download_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", no_network)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", no_network)
    with pytest.raises(PretrainedWeightsError, match=r"no route to host.*set flow\.weights"):
        Raft()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input": "color"}, r"flow\.input is 'color', but flow\.method=dis"),
        ({"method": "raft"}, r"flow\.method is 'raft': expected dis, raft_small or raft_large"),
    ],
)
def test_wrong_options(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        # Past the run-time type check of tests, as from untyped code.
        inspect.unwrap(build_flow_estimator)(**options)
    assert isinstance(build_flow_estimator(), Dis)


def test_dis_does_not_depend_on_what_it_saw_before() -> None:
    random = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 1, 30, 40, generator=random)
    picture = torch.nn.functional.interpolate(picture, size=(240, 320), mode="bicubic").clamp(0, 1)
    moved = picture.roll((3, 5), dims=(2, 3))
    fresh, used = Dis(), Dis()
    used(torch.rand(1, 1, 32, 32), torch.rand(1, 1, 32, 32))
    assert torch.equal(fresh(moved, picture), used(moved, picture))
