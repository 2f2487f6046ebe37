"""Sizes of pictures: of the working size, and of references of any shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.imaging.geometry import fit, resize, working_size


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


@pytest.mark.parametrize("size", [(32, 43), (75, 101), (120, 150)])
def test_pictures_are_resized_as_pillow_does(size: tuple[int, int]) -> None:
    image = torch.rand(1, 1, 75, 101, generator=torch.Generator().manual_seed(0))
    expected = Image.fromarray(image[0, 0].numpy()).resize(size[::-1], Image.Resampling.BILINEAR)
    torch.testing.assert_close(resize(image, size)[0, 0], torch.from_numpy(np.array(expected)))


def test_a_picture_of_nearly_the_same_shape_is_stretched() -> None:
    picture = torch.rand(1, 3, 40, 62)
    assert torch.equal(fit(picture, (20, 30)), resize(picture, (20, 30)))


@pytest.mark.parametrize(
    ("shape", "inside"),
    [((20, 20), (slice(0, 30), slice(15, 45))), ((10, 40), (slice(7, 22), slice(0, 60)))],
)
def test_a_picture_of_another_shape_is_seen_whole_with_its_edges_repeated(shape, inside) -> None:
    picture = torch.rand(1, 1, *shape, generator=torch.Generator().manual_seed(0))
    fitted = fit(picture, (30, 60))
    assert fitted.shape == (1, 1, 30, 60)
    rows, columns = inside
    middle = fitted[..., rows, columns]
    assert torch.equal(middle, resize(picture, middle.shape[-2:]))
    before, after = fitted[..., : rows.start, :], fitted[..., rows.stop :, :]
    assert torch.equal(before, fitted[..., rows.start : rows.start + 1, :].expand_as(before))
    assert torch.equal(after, fitted[..., rows.stop - 1 : rows.stop, :].expand_as(after))
    left = fitted[..., : columns.start]
    assert torch.equal(left, fitted[..., columns.start : columns.start + 1].expand_as(left))
