"""classify-evaluate: the split of the training again, or pictures at another place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from classify.checkpoints import CheckpointError
from classify.evaluate import evaluate
from classify.train import train
from colorize.base.config import ConfigError
from tests.classify.samples import class_folders
from tests.classify.test_train import TINY
from tests.classify.tiny import evaluate_config, train_config, write_checkpoint


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    root = class_folders(folder / "pets", count=12)
    settings = ("classifier=cifar", *TINY, f"data.root={root}", f"directory={folder / 'run'}")
    return folder / "run" / "model.safetensors", root, train(train_config(*settings))


def measure(output: Path, checkpoint: Path, *overrides: str):
    words = (f"checkpoint={checkpoint}", f"output={output}", "device=cpu", *overrides)
    return evaluate(evaluate_config(*words))


def test_the_test_part_is_measured_as_at_the_end_of_training(trained, tmp_path: Path) -> None:
    checkpoint, root, results = trained
    again = measure(tmp_path / "out", checkpoint)
    assert again.csv() == results.csv()
    assert (tmp_path / "out" / "confusion.png").is_file()
    moved = shutil.copytree(root, tmp_path / "moved")
    assert measure(tmp_path / "out", checkpoint, f"root={moved}").csv() == results.csv()
    assert len(measure(tmp_path / "out", checkpoint, "part=train").examples) == 16


def test_other_pictures_than_those_of_the_training_are_refused(trained, tmp_path: Path) -> None:
    checkpoint, root, _ = trained
    changed = shutil.copytree(root, tmp_path / "pets")
    shutil.copy(root / "cat" / "000.png", changed / "dog" / "new.png")
    with pytest.raises(ConfigError, match=r"holds other pictures than the test part of the"):
        measure(tmp_path / "out", checkpoint, f"root={changed}")


def test_pictures_at_another_place_are_all_measured(trained, tmp_path: Path) -> None:
    checkpoint, _, _ = trained
    others = class_folders(tmp_path / "others", count=4, start=50)
    results = measure(tmp_path / "out", checkpoint, f"pictures={others}", "target=cat")
    assert len(results.examples) == 8
    assert "on 8 pictures (all that are labelled)." in results.markdown()
    assert results.screened().total == 8


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["part=tests"], "part is 'tests'; did you mean 'test'"),
        (["pictures=a", "root=b"], "root and pictures are two things"),
        (["batch_size=0"], "batch_size is 0: expected 1 or more"),
        (["pictures=nowhere"], "nowhere: no such data"),
    ],
)
def test_mistakes_are_one_line(trained, tmp_path: Path, overrides, message) -> None:
    with pytest.raises(ValueError, match=message):
        measure(tmp_path / "out", trained[0], *overrides)


def test_a_checkpoint_that_describes_no_data(tmp_path: Path) -> None:
    about = {"data": {"_target_": "os.system"}, "split": None, "balance": None}
    checkpoint = write_checkpoint(tmp_path / "model.safetensors", **about)
    with pytest.raises(CheckpointError, match=r"describes no data of this version .*pictures=DIR"):
        measure(tmp_path / "out", checkpoint)
