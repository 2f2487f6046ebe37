"""Every YAML composes, fits the signatures, builds, and runs one step; bad ones say why."""

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from colorize.base.config import ConfigError, check, config_directory, register_schemas
from colorize.training.train import assemble

CONF = config_directory()
# Groups of colorize-train; those of classify are tested beside it.
GROUPS = sorted({path.name for path in CONF.iterdir() if path.is_dir()} - {"classifier"})
FILES = [(group, path.stem) for group in GROUPS for path in sorted((CONF / group).glob("*.yaml"))]
REFERENCE = ["model=guided", "model.features.weights=random", "references=sampled"]
# What a file needs beside itself to make sense.
COMPANIONS = {
    ("experiment", "adapt"): ["init=null", "model.features.weights=random"],
    ("experiment", "reference"): ["model.features.weights=random"],
    ("experiment", "reference_memory"): ["init=null", "model.features.weights=random"],
    ("experiment", "reference_memory_further"): [
        "init=null",
        "model.features.weights=random",
    ],
    ("experiment", "reference_further"): ["init=null", "model.features.weights=random"],
    ("loss", "proposals"): REFERENCE,
    ("loss", "refinement"): ["loss=[rank_diversity,refinement]", "refiner=refiner"],
    ("loss", "temporal_second_order"): ["sampling.length=3"],
    ("model", "guided"): REFERENCE[1:],
    ("references", "sampled"): REFERENCE[:2],
    ("refiner", "refiner"): ["loss=[rank_diversity,refinement]"],
}
OF_SHOTS = {"warp_error", "distribution"}  # metrics that colorize-evaluate alone can take
TINY = ["debug=tiny", "model.channels=[4,4,4,4,4]"]


def train_config(*overrides):
    register_schemas()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides=list(overrides))


def choice(group, name):
    """Return the overrides that choose a file, with what it leaves open filled for a test."""
    chosen = {
        "loss": [f"loss=[{name}]"],
        "metric": [f"metric=[psnr,{name}]"],
        "debug": [],
    }.get(group, [f"{group}={name}"])
    chosen += COMPANIONS.get((group, name), [])
    config = train_config(*chosen)
    if config.features is not None:
        chosen.append("features.weights=random")
    return chosen


@pytest.mark.parametrize(("group", "name"), [file for file in FILES if file[0] != "data"])
def test_every_file_composes_builds_and_trains_one_step(group, name):
    if name == "lpips":
        pytest.skip("needs the weights of AlexNet; its own test builds it")
    if name in OF_SHOTS:
        with pytest.raises(ConfigError, match=rf"metric {name}\w* needs whole shots"):
            assemble(train_config(*choice(group, name), *TINY))
        return
    train_one_step(train_config(*choice(group, name), *TINY))


def train_one_step(config):
    check(config)
    task, loaders = assemble(config)
    task.log = lambda *_, **__: None
    batch = next(iter(loaders.train_dataloader()))
    before = [parameter.clone() for parameter in task.parameters() if parameter.requires_grad]
    loss = task.training_step(batch, 0)
    loss.backward()
    optimizer = torch.optim.Adam([p for p in task.parameters() if p.requires_grad], lr=0.1)
    optimizer.step()
    after = [parameter for parameter in task.parameters() if parameter.requires_grad]
    assert torch.isfinite(loss)
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("name", [name for group, name in FILES if group == "data"])
def test_every_data_file_fits_its_signature(name):
    roots = {
        "clips": ["data.root=somewhere"],
        "mixed": ["data.clips.root=somewhere"],
        "mixed_longer": ["data.clips.root=somewhere"],
        "pictures": ["data.root=somewhere"],
    }
    check(train_config(f"data={name}", *roots.get(name, [])))


def test_mixed_clips_train_one_step():
    """Procedural clips stand for the prepared ones."""
    config = train_config(
        *REFERENCE,
        *("data=mixed", "data.cartoons=2", "data.shots=1", "data.frames_per_shot=2"),
        *("data.size=[32,48]", "loss=[color,proposals]", "model.channels=[4,4,4,4,4]"),
        *("sampling.stills=2", "sampling.batch_size=2", "sampling.workers=0"),
        *("sampling.stages=[{epochs:1,size:[32,48]}]", "trainer.accelerator=cpu"),
    )
    clips = {"_target_": "colorize.data.CartoonClips", "size": [32, 48], "frames_per_shot": 2}
    clips |= {"train": 1, "val": 1, "test": 1}
    OmegaConf.update(config, "data.clips", clips, merge=False, force_add=True)
    train_one_step(config)


def test_the_paper_changes_size_after_200_epochs():
    config = train_config("schedule=two_sizes")
    assert [(stage.epochs, list(stage.size)) for stage in config.sampling.stages] == [
        (200, [116, 160]),
        (300, [240, 320]),
    ]
    assert config.trainer.max_epochs == 500


@pytest.mark.parametrize("choice", ["sources", "balanced"])
def test_the_chosen_weights_reach_the_losses(choice):
    names = sorted(path.stem for path in (CONF / "loss").glob("*.yaml"))
    config = train_config(f"loss=[{','.join(names)}]", f"weights={choice}")
    expected = OmegaConf.load(CONF / "weights" / f"{choice}.yaml")
    weights = {name: node.weight for name, node in config.loss.items()}
    assert {name: weights[name] for name in expected} == dict(expected)
    # The two of model=guided are weighed against each other alone.
    assert names == sorted([*expected, "color", "proposals"])
    assert config.loss.temporal.weight == {"sources": 5.0, "balanced": 1000.0}[choice]
    single = train_config("loss=[segment]", f"weights={choice}", "loss.segment.weight=7")
    assert single.loss.segment.weight == 7


@pytest.mark.parametrize("inputs", ["gray", "gray_pair", "gray_segments", "gray_previous"])
@pytest.mark.parametrize("head", ["prototype", "prototype_chroma"])
def test_every_input_and_head_trains_one_step_with_every_loss(inputs, head):
    overrides = [f"model={head}", f"model.inputs={inputs}", "refiner=refiner"]
    losses = ["rank_diversity", "bilateral", "temporal", "temporal_second_order", "segment"]
    losses += ["segment_uniformity", "refinement"]
    config = train_config(
        *overrides,
        f"loss=[{','.join(losses)}]",
        *TINY,
        "sampling.length=3",
        "refiner.channels=[4,4]",
    )
    check(config)
    task, loaders = assemble(config)
    logged = {}
    task.log = lambda name, value, **_: logged.update({name: float(value)})
    lengths = set()
    for batch in loaders.train_dataloader():
        lengths.add(batch["gray"].shape[1])
        task.training_step(batch, 0).backward()
    task.validation_step(next(iter(loaders.val_dataloader())), 0)
    assert lengths == {1, 3}
    assert {f"train/{name}/pair" for name in losses} <= logged.keys()
    assert "val/psnr/refined" in logged
    for name, parameter in task.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["loss=[rank_diversity,temporal_second_order]"], "hold 2: set sampling.length=3"),
        (["loss=[rank_diversity,temporal]", "sampling.pairs=0"], "set sampling.pairs above 0"),
        (["loss=[rank_diversity,refinement]"], "there is none: pass refiner=refiner"),
        (["refiner=refiner"], "no loss trains it: add refinement to loss"),
        (["loss=[refinement]", "refiner=refiner"], "no loss was chosen"),
        (["references=sampled"], "the model takes none: pass model=guided, or references=null"),
        (REFERENCE[:2], "model=guided learns from references: pass references=sampled"),
        (["loss=[color,proposals]"], "loss proposals is of model=guided: choose that, or leave"),
        (
            [*REFERENCE, "loss=[color,proposals,temporal]"],
            "references come without targets, and a loss needs flow: leave the loss out, or pass",
        ),
        (["init=nowhere.ckpt"], "nowhere.ckpt: no such checkpoint"),
    ],
)
def test_settings_that_cannot_work_together_are_refused(overrides, message):
    with pytest.raises(ValueError, match=message) as error:
        assemble(train_config(*TINY, *overrides))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["+model.outputz=3"], r"model\.outputz: .* did you mean 'outputs'"),
        (["model.outputs=four"], r"model\.outputs is 'four': expected int"),
        (["model.head=rbg"], r"model\.head is 'rbg'; did you mean 'rgb'"),
        (["model._target_=os.system"], r"'os\.system': only components of this project"),
        (
            ["model._target_=colorize.networks.prototype.generator.Generatr"],
            r"did you mean 'Generator'",
        ),
        (["data=clips"], r"data\.root is not set: pass data\.root=VALUE"),
        (["+trainer.max_epoch=3"], r"trainer\.max_epoch; did you mean 'max_epochs'"),
        (["+lost=1"], r"unknown setting lost; did you mean 'loss'"),
    ],
)
def test_a_bad_setting_names_the_key_and_the_nearest_valid_one(overrides, message):
    with pytest.raises(ConfigError, match=message) as error:
        check(train_config(*overrides))
    assert "\n" not in str(error.value)
