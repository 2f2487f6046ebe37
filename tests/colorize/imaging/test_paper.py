"""White paper around a drawing."""

from __future__ import annotations

import cv2
import numpy as np

from colorize.imaging.paper import paper


def sheet() -> np.ndarray:
    """A circle of red with a black outline and a white eye, on white."""
    picture = np.ones((60, 80, 3), np.float32)
    cv2.circle(picture, (40, 30), 20, (0.8, 0.1, 0.1), thickness=-1)
    cv2.circle(picture, (40, 30), 20, (0, 0, 0), thickness=2)
    cv2.circle(picture, (40, 24), 4, (1, 1, 1), thickness=-1)
    return picture


def test_paper_is_the_white_around_and_not_the_white_inside() -> None:
    found = paper(sheet())
    assert found is not None
    rows, columns = np.mgrid[:60, :80]
    radius = np.hypot(columns - 40, rows - 30)
    assert found[radius > 23].all()
    assert not found[radius < 18].any()


def test_nearly_white_paper_is_paper_and_cream_is_not() -> None:
    assert paper(np.where(sheet() == 1, np.float32(0.96), sheet())) is not None
    cream = np.where((sheet() == 1).all(axis=2, keepdims=True), (1, 0.97, 0.9), sheet())
    assert paper(cream.astype(np.float32)) is None


def test_a_picture_that_is_drawn_to_its_border_is_no_sheet() -> None:
    scene = sheet()
    scene[40:] = (0.2, 0.6, 0.2)
    assert paper(scene) is None
    # White along the border alone, as a frame, is no paper either.
    framed = np.full((60, 80, 3), 0.5, np.float32)
    framed[:2], framed[-2:], framed[:, :2], framed[:, -2:] = 1, 1, 1, 1
    assert paper(framed) is None
