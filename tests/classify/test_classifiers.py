"""Every file of conf/classifier composes, fits, builds, and trains one step; bad ones say why."""

from __future__ import annotations

import pytest
import torch
from omegaconf import OmegaConf

from classify.data import Split
from classify.data.examples import Collection
from classify.preprocessing import to_unit
from classify.task import ClassificationTask
from colorize.base.config import ConfigError, build, check, config_directory
from tests.classify.samples import examples
from tests.classify.tiny import evaluate_config, train_config

NAMES = sorted(path.stem for path in (config_directory() / "classifier").glob("*.yaml"))
ROOTS = ["stages.gender.root=a", "stages.looks.root=b", "stages.target.root=c"]


def config(name: str, *overrides: str):
    needed = {
        "expressions": [],
        "mona_transfer": ROOTS,
        "resnet": ["data.root=x", "model.classes=3"],
        "vgg16": ["data.root=x", "model.classes=3"],
    }.get(name, ["data.root=x"])
    return train_config(f"classifier={name}", *needed, *overrides)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_composes_builds_and_trains_one_step(name: str) -> None:
    # VGG-16 alone has half a gigabyte of weights; 32x32 is the least that it takes.
    chosen = config(name, *(["preprocessing.size=[64,64]"] if name in ("resnet", "vgg16") else []))
    check(chosen)
    classes = chosen.model.classes
    shape = build(chosen.preprocessing).shape
    random = torch.Generator().manual_seed(0)
    batch = {
        "pictures": torch.randint(0, 256, (2, *shape), dtype=torch.uint8, generator=random),
        "labels": torch.arange(2) % classes,
        "seed": 1,
    }
    torch.manual_seed(0)
    optimizer = OmegaConf.to_container(chosen.optimizer)
    task = ClassificationTask(
        model=build(chosen.model),
        augment=build(chosen.augment),
        **(optimizer | {"betas": tuple(optimizer["betas"])}),
    )
    task.log = lambda *_, **__: None
    before = task.model.output.weight.detach().clone()
    loss = task.training_step(batch, 0)
    loss.backward()
    torch.optim.SGD(task.parameters(), lr=0.1).step()
    assert torch.isfinite(loss)
    assert not torch.equal(before, task.model.output.weight)
    assert task.model(to_unit(batch["pictures"])).shape == (2, classes)


@pytest.mark.parametrize("name", NAMES)
def test_every_split_is_that_of_its_source(name: str) -> None:
    split = build(config(name).split)
    assert isinstance(split, Split)
    expected = {"anime_girl": 0.25, "mona": 0.2, "mona_transfer": 0.2}
    assert split.test_fraction == expected.get(name, 0.2)
    made = Collection(examples=examples({"a": 40, "b": 40}), parts=[""] * 80, skipped={}, label="x")
    parts = split(made)
    assert len(parts.test) == round(80 * split.test_fraction)


def test_sizes_are_those_of_the_sources() -> None:
    shapes = {name: build(config(name).preprocessing).shape for name in NAMES}
    assert shapes["mnist"] == (1, 28, 28)
    assert shapes["cifar"] == (3, 32, 32)
    assert shapes["expressions"] == (1, 100, 100)
    assert shapes["mona"] == (3, 512, 512)
    assert shapes["anime_girl"] == (1, 120, 120)
    assert shapes["emotion"] == (1, 48, 48)
    assert config("mnist").trainer.max_epochs == 5
    assert config("anime_girl").trainer.max_epochs == 60
    assert config("mona").threshold == 0.95


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["classifier=mnist"], r"data\.root is not set: pass data\.root=VALUE"),
        (["classifier=mona_transfer"], r"stages\.gender\.root is not set: pass stages\.gender"),
        (["classifier=resnet", "data.root=x"], r"model\.classes is not set"),
        (["classifier=expressions", "+model.clases=3"], r"model\.clases: .* 'classes'"),
        (["classifier=expressions", "+split.protokol=x"], r"did you mean 'protocol'"),
        (["classifier=expressions", "split.protocol=hones"], r"'hones'; did you mean 'honest'"),
        (
            ["classifier=resnet", "data.root=x", "model.classes=2", "model.architecture=resnet19"],
            r"model\.architecture is 'resnet19'; did you mean 'resnet\d\d'",
        ),
    ],
)
def test_a_bad_setting_names_the_key_and_the_nearest_valid_one(overrides, message) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        check(train_config(*overrides))
    assert "\n" not in str(error.value)


def test_the_evaluation_composes() -> None:
    chosen = evaluate_config("checkpoint=x.safetensors")
    check(chosen)
    assert chosen.part == "test"
    with pytest.raises(ConfigError, match="checkpoint is not set"):
        check(evaluate_config())
