"""Pictures become tensors and back, each by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from colorize.imaging.tensors import to_picture, to_tensor


@pytest.mark.parametrize(("dtype", "largest"), [(np.uint8, 255), (np.uint16, 65535)])
def test_pictures_fill_their_range(dtype: type, largest: int) -> None:
    pictures = np.zeros((1, 2, 3, 3), dtype)
    pictures[0, 1, 2] = (largest, largest // 5, 0)
    tensor = to_tensor(pictures)
    assert tensor.shape == (1, 3, 2, 3)
    assert tensor[0, :, 1, 2].tolist() == pytest.approx([1.0, 0.2, 0.0])
    assert float(tensor.sum()) == pytest.approx(1.2)
    assert np.array_equal(to_picture(to_tensor(np.uint8([[[[1, 2, 250]]]]))[0]), [[[1, 2, 250]]])


def test_to_picture_rounds_clips_and_repeats_gray() -> None:
    colour = torch.tensor([0.5, 1.2, -0.3]).reshape(3, 1, 1).expand(3, 2, 2)
    assert to_picture(colour)[1, 0].tolist() == [128, 255, 0]  # 127.5 rounds to even
    gray = torch.full((1, 2, 3), 0.1)
    assert to_picture(gray).shape == (2, 3, 3)
    assert to_picture(gray)[0, 0].tolist() == [26, 26, 26]  # 25.5 rounds to even
    assert to_picture(torch.full((1, 1, 1), float("nan"))).tolist() == [[[0, 0, 0]]]
