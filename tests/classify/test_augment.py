"""Augmentation of training batches."""

from __future__ import annotations

import pytest
import torch

from classify.augment import Augment


def pictures(count: int = 6, size: tuple[int, int] = (8, 10)) -> torch.Tensor:
    return torch.rand(count, 1, *size, generator=torch.Generator().manual_seed(0))


def test_without_settings_nothing_changes() -> None:
    torch.testing.assert_close(Augment()(pictures(), 3), pictures(), rtol=0, atol=1e-5)


def test_flip_gives_every_picture_or_its_mirror() -> None:
    made = pictures(40)
    varied = Augment(flip=True)(made, 1)
    same = (varied - made).abs().flatten(1).max(1).values < 1e-5
    mirrored = (varied - made.flip(-1)).abs().flatten(1).max(1).values < 1e-5
    assert (same ^ mirrored).all()
    assert 8 <= int(mirrored.sum()) <= 32  # of 40; chance below 1e-4


def test_shift_moves_by_whole_and_broken_pixels() -> None:
    ramp = torch.arange(100.0).expand(1, 1, 20, 100)
    varied = Augment(shift=0.2)(ramp.repeat(50, 1, 1, 1), 2)
    inner = varied[:, 0, 10, 30:70] - torch.arange(30.0, 70.0)
    moved = inner.mean(1)
    torch.testing.assert_close(inner, moved[:, None].expand_as(inner), rtol=0, atol=1e-3)
    assert float(moved.abs().max()) <= 20.01  # a fifth of 100 pixels
    assert float(moved.abs().max()) > 15


def test_rotation_turns_about_the_centre() -> None:
    made = torch.zeros(30, 1, 41, 41)
    made[:, :, 20, 30] = 1.0  # ten pixels right of the centre
    varied = Augment(rotation=20.0)(made, 4)
    places = varied.flatten(1).argmax(1)
    angles = torch.rad2deg(torch.atan2(places // 41 - 20.0, places % 41 - 20.0))
    assert float(angles.abs().max()) <= 24  # 20 and half a pixel at a radius of 10
    assert float(angles.max()) > 8
    assert float(angles.min()) < -8


def test_erasing_covers_part_of_some_pictures_with_gray() -> None:
    made = torch.ones(200, 1, 16, 16)
    covered = (Augment(erase=0.5)(made, 0) == 0.5).flatten(1).float().mean(1)
    assert 0.4 < float((covered > 0).float().mean()) < 0.6
    # Squares of 4 to 8 pixels a side.
    shown = covered[covered > 0] * 256
    assert float(shown.min()) >= 9
    assert float(shown.max()) <= 81


def test_a_seed_fixes_everything() -> None:
    augment = Augment(flip=True, rotation=10.0, shift=0.1, scale=0.1, erase=0.5)
    torch.testing.assert_close(augment(pictures(), 7), augment(pictures(), 7), rtol=0, atol=0)
    assert not torch.equal(augment(pictures(), 7), augment(pictures(), 8))


def test_impossible_settings() -> None:
    with pytest.raises(ValueError, match=r"augment: .*expected degrees, fractions"):
        Augment(scale=1.0)
