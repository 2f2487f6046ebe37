"""Pictures of validation: what a sheet holds, and that it is coloured as everything else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image

from colorize.imaging.color import join
from colorize.imaging.tensors import to_picture
from colorize.inference.colorizer import Colorizer
from colorize.inference.settings import RenderSettings
from colorize.losses import Color
from colorize.metrics.psnr import Psnr
from colorize.motion.estimators import Dis
from colorize.networks.guided.references import References
from colorize.training.objective import Objective
from colorize.training.pictures import ValidationPictures
from colorize.training.task import ColorizationTask
from tests.colorize import tiny
from tests.colorize.networks.guided.given import noise
from tests.colorize.tiny import task
from tests.colorize.training.trainers import trainer

SIZE = (32, 48)


class Frames:
    """Validation frames of one flat colour each, from red to blue; it is its own loader."""

    def __init__(self, count: int) -> None:
        self.dataset = self
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        share = index / (self.count - 1)
        color = torch.tensor([1 - share, 0.2, share]).view(1, 3, 1, 1).expand(1, 3, 32, 48)
        weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        return {"gray": (color * weights).sum(1, keepdim=True), "color": color}


def test_a_validation_leaves_one_sheet_of_all_colourings(tmp_path: Path) -> None:
    pictures = ValidationPictures(folder=tmp_path / "pictures", count=3)
    run = trainer(current_epoch=6, val_dataloaders=Frames(9))
    pictures.on_validation_epoch_end(run, task(outputs=3))
    (path,) = (tmp_path / "pictures").iterdir()
    assert path.name == "epoch-0007.png"
    with Image.open(path) as image:
        sheet = np.array(image)
    # Margins of 28, five columns 320 wide with gaps of 14; a title row, three rows 213 high.
    assert sheet.shape == (28 + 30 + 3 * 213 + 2 * 14 + 28, 2 * 28 + 5 * 320 + 4 * 14, 3)
    centres = [28 + 334 * column + 160 for column in range(5)]
    rows = [28 + 30 + 227 * row + 106 for row in range(3)]
    cells = sheet[np.ix_(rows, centres)].astype(int)
    truth = [[255, 51, 0], [128, 51, 128], [0, 51, 255]]  # the first, middle and last frame
    np.testing.assert_allclose(cells[:, -1], truth, atol=1)
    gray = np.array(truth) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(cells[:, 0], gray[:, None].repeat(3, axis=1), atol=1)
    assert np.ptp(cells[:, 1:4], axis=2).max(axis=0).min() > 3  # every colouring has colour
    assert np.abs(cells[:, 1] - cells[:, 2]).max() > 3


def test_the_sheet_goes_to_tensorboard_as_well(tmp_path: Path) -> None:
    seen = []

    class Logger(TensorBoardLogger):
        @property
        def experiment(self) -> Any:
            return self

        def add_image(self, name: str, sheet: np.ndarray, step: int, *, dataformats: str) -> None:
            seen.append((name, sheet.shape, step, dataformats))

    run = trainer(
        global_step=40, val_dataloaders=Frames(2), loggers=[Logger(tmp_path / "log"), object()]
    )
    pictures = ValidationPictures(folder=tmp_path, count=1)
    pictures.on_validation_epoch_end(run, task(outputs=1))
    assert seen == [("validation", (28 + 30 + 213 + 28, 56 + 3 * 320 + 28, 3), 40, "HWC")]


@pytest.mark.parametrize(
    ("count", "changes"),
    [(0, {}), (2, {"sanity_checking": True}), (2, {"is_global_zero": False})],
)
def test_no_sheet_is_drawn_where_none_is_wanted(tmp_path: Path, count: int, changes) -> None:
    run = trainer(val_dataloaders=Frames(2), **changes)
    ValidationPictures(folder=tmp_path, count=count).on_validation_epoch_end(run, task())
    assert not list(tmp_path.iterdir())


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[list[np.ndarray]]:
    """The rows of the next sheet."""
    drawn: list[list[np.ndarray]] = []

    def sheet(rows: list[list[np.ndarray]], *, column_titles: list[str]) -> np.ndarray:
        assert all(len(row) == len(column_titles) for row in rows)
        drawn.extend(rows)
        return np.zeros((2, 2, 3), dtype=np.uint8)

    monkeypatch.setattr("colorize.training.pictures.contact_sheet", sheet)
    return drawn


class Samples:
    """Random validation samples of two frames, given; it is its own loader."""

    def __init__(self, *samples: dict[str, Any]) -> None:
        self.dataset = self
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._samples[index]


def pair(seed: int = 0) -> dict[str, Any]:
    color = 0.25 + 0.5 * noise(2, 3, *SIZE, seed=seed)
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return {"gray": (color * weights).sum(1, keepdim=True), "color": color}


def guided_task() -> ColorizationTask:
    return ColorizationTask(
        model=tiny.reference_generator(),
        objective=Objective({"color": Color()}),
        metrics={"psnr": Psnr()},
        learning_rate=0.01,
    )


def draw(folder: Path, trained: ColorizationTask, *samples: dict[str, Any]) -> None:
    run = trainer(val_dataloaders=Samples(*samples))
    pictures = ValidationPictures(folder=folder, count=len(samples))
    pictures.on_validation_epoch_end(run, trained.eval())


def last(colorizer: Colorizer, gray: torch.Tensor, **choices: Any) -> np.ndarray:
    """The last frame of a shot as the Python API colours it, of 8 bits."""
    return to_picture(colorizer(gray, **choices)[-1])


def assert_same(first: np.ndarray, second: np.ndarray) -> None:
    """16 bits may be rounded to 8 either way."""
    np.testing.assert_allclose(first.astype(int), second.astype(int), rtol=0, atol=1)


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_drawn_is_what_a_user_gets_with_the_same_references(
    tmp_path: Path, rows: list[list[np.ndarray]], count: int
) -> None:
    trained, sample = guided_task(), pair()
    luma, chroma = noise(count, 1, *SIZE, seed=5), 0.4 * noise(count, 2, *SIZE, seed=6) - 0.2
    draw(tmp_path, trained, sample | {"references": References.of(luma, chroma).expand(2)}, sample)
    colorizer = Colorizer(trained.model, short_side=SIZE[0], device="cpu")
    given = list(join(luma, chroma).clamp(0, 1))
    expected = last(colorizer, sample["gray"], references=given)
    (gray, shown, truth), (_, alone, _) = rows
    np.testing.assert_array_equal(gray, to_picture(sample["gray"][-1]))
    np.testing.assert_array_equal(truth, to_picture(sample["color"][-1]))
    assert_same(shown, expected)
    assert_same(alone, last(colorizer, sample["gray"]))
    assert np.abs(shown.astype(int) - alone.astype(int)).max() > 3


def test_every_colouring_and_the_refined_one_are_what_a_user_gets(
    tmp_path: Path, rows: list[list[np.ndarray]]
) -> None:
    trained, sample = task(outputs=2, refine={"channels": [4, 4]}), pair()
    draw(tmp_path, trained, sample)
    ((_, *shown, refined, _),) = rows
    colorizer = Colorizer(
        trained.model, trained.refiner, short_side=SIZE[0], device="cpu", flow=Dis()
    )
    plain = RenderSettings(refine=False)
    for variant, picture in enumerate(shown):
        expected = last(colorizer, sample["gray"], variant=variant, settings=plain)
        assert_same(picture, expected)
    assert_same(refined, last(colorizer, sample["gray"]))
    assert np.abs(refined.astype(int) - shown[0].astype(int)).max() > 3


def test_colours_of_a_free_luma_are_drawn_as_the_network_says_them(
    tmp_path: Path, rows: list[list[np.ndarray]]
) -> None:
    trained, sample = task(outputs=1, head="rgb", luma="free"), pair()
    draw(tmp_path, trained, sample)
    with torch.no_grad():
        colors = trained.model(sample["gray"][-1:]).colors[0, 0].clamp(0, 1)
    np.testing.assert_allclose(rows[0][1].astype(int), to_picture(colors).astype(int), atol=1)
