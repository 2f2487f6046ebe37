"""The pictures of a validation, coloured by the shot engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image

from colorize.imaging.color import rgb_to_chroma, rgb_to_luma
from colorize.inference.colorizer import Colorizer
from colorize.losses import RankDiversity
from colorize.networks.guided.references import References
from colorize.training import pictures as module
from colorize.training.objective import Objective
from colorize.training.pictures import ValidationPictures
from colorize.training.task import ColorizationTask
from tests.colorize.films.drawn import moving_blocks, tinted
from tests.colorize.tiny import reference_generator, task, write_reference_safetensors
from tests.colorize.training.test_callbacks import trainer


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


def test_references_of_a_sample_are_shown_as_colorize_shows_them(tmp_path: Path) -> None:
    colored = [tinted(gray)[:32, :48] for gray in moving_blocks((3,))]
    color = torch.stack([torch.from_numpy(each).permute(2, 0, 1) / 255 for each in colored])
    given = color[:1].flip(-1)
    guided = ColorizationTask(
        model=reference_generator().eval(),
        objective=Objective({"rank_diversity": RankDiversity(features=None)}),
        metrics={},
        learning_rate=0.1,
    )
    sample: Any = {
        "gray": rgb_to_luma(color),
        "color": color,
        "references": References.of(rgb_to_luma(given), rgb_to_chroma(given)),
    }
    (found,) = module._colored(guided, sample, refine=False)
    path = write_reference_safetensors(tmp_path / "model.safetensors")
    colorizer = Colorizer.load(path, device="cpu")
    expected = colorizer(rgb_to_luma(color), references=[given[0]])[-1]
    assert float((found - expected).abs().mean()) < 1e-3
    assert float((found - colorizer(rgb_to_luma(color))[-1]).abs().mean()) > 5e-3
