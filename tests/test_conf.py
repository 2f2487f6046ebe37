"""Every YAML composes, fits the signatures and builds; models learn; bad settings say why."""

import functools
from types import SimpleNamespace

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from colorize.base import sweeps
from colorize.base.config import ConfigError, build, check, config_directory, register_schema
from colorize.training import train
from colorize.training.components import build_components
from colorize.training.settings import TrainConfig
from colorize.training.train import assemble

CONF = config_directory()
# Groups of colorize-train; those of classify are tested beside it.
GROUPS = sorted({path.name for path in CONF.iterdir() if path.is_dir()} - {"classifier"})
FILES = [(group, path.stem) for group in GROUPS for path in sorted((CONF / group).glob("*.yaml"))]
REFERENCE = ["model=guided", "model.features.weights=random", "references=sampled"]
TELLING = [*REFERENCE, "model.tells_spread=true", "model.unguided=committee"]
# What a file needs beside itself to make sense.
COMPANIONS = {
    ("experiment", "adapt"): ["init=null", "model.features.weights=random"],
    ("experiment", "committee"): ["init=null", "model.features.weights=random"],
    ("experiment", "committee_further"): ["init=null", "model.features.weights=random"],
    ("experiment", "reference_hints"): ["init=null", "model.features.weights=random"],
    ("experiment", "reference"): ["model.features.weights=random"],
    ("experiment", "reference_memory"): ["init=null", "model.features.weights=random"],
    ("experiment", "reference_memory_further"): [
        "init=null",
        "model.features.weights=random",
    ],
    ("experiment", "reference_further"): ["init=null", "model.features.weights=random"],
    ("loss", "proposals"): REFERENCE,
    ("loss", "uncertainty"): TELLING,
    ("loss", "unguided"): TELLING,
    ("loss", "refinement"): ["loss=[rank_diversity,refinement]", "refiner=refiner"],
    ("loss", "temporal_second_order"): ["sampling.length=3"],
    ("model", "guided"): REFERENCE[1:],
    ("references", "drawings"): REFERENCE[:2],
    ("references", "sampled"): REFERENCE[:2],
    ("references", "worn"): REFERENCE[:2],
    ("refiner", "refiner"): ["loss=[rank_diversity,refinement]"],
}
OF_SHOTS = {"warp_error", "distribution"}  # metrics that colorize-evaluate alone can take
TINY = ["debug=tiny", "model.channels=[4,4,4,4,4]"]


def train_config(*overrides):
    register_schema("train", TrainConfig)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides=list(overrides))


def tiny_config(group, name):
    """Return a run that chooses a file, with what it leaves open filled for a test."""
    chosen = {
        "loss": [f"loss=[{name}]"],
        "metric": [f"metric=[psnr,{name}]"],
        "debug": [],
    }.get(group, [f"{group}={name}"])
    config = train_config(*chosen, *COMPANIONS.get((group, name), []), *TINY)
    if config.features is not None:
        config.features.weights = "random"
        if group != "features":  # a small one, which is sooner made
            config.features.taps = ["conv1_2"]
    return config


@pytest.fixture(autouse=True)
def drawn_once(monkeypatch):
    """Draw each procedural series once for all tests: that takes longer than a step on it."""
    build = train.build

    def build_or_recall(node):
        drawn = OmegaConf.is_dict(node) and node.get("_target_") == "colorize.data.CartoonClips"
        return series(OmegaConf.to_yaml(node, resolve=True)) if drawn else build(node)

    monkeypatch.setattr(train, "build", build_or_recall)


@functools.cache
def series(text):
    clips = build(OmegaConf.create(text))
    return SimpleNamespace(label=clips.label, split=functools.cache(clips.split))


@pytest.mark.parametrize(("group", "name"), [file for file in FILES if file[0] != "data"])
def test_every_file_composes_and_builds(group, name):
    if name == "lpips":
        pytest.skip("needs the weights of AlexNet; its own test builds it")
    config = tiny_config(group, name)
    check(config)
    if name == "st_lpips":
        pytest.importorskip("stlpips_pytorch", reason="pip install '.[st-lpips]'")
    if name in OF_SHOTS:
        with pytest.raises(ConfigError, match=rf"metric {name}\w* needs whole shots"):
            build_components(config)
        return
    parts = build_components(config)
    assert {*parts.objective.losses} <= set(config.loss)
    for node in (config.augment, config.corruption, config.targets):
        assert (build(node) is None) == (node is None)


@pytest.mark.parametrize("name", [name for group, name in FILES if group == "data"])
def test_every_data_file_fits_its_signature(name):
    roots = {
        "clips": ["data.root=somewhere"],
        "mixed": ["data.clips.root=somewhere"],
        "mixed_longer": ["data.clips.root=somewhere"],
        "pictures": ["data.root=somewhere"],
    }
    stories = ["data.clips.root=somewhere", "data.stories.root=elsewhere"]
    roots |= dict.fromkeys(("drawings", "stories", "stories_further"), stories)
    check(train_config(f"data={name}", *roots.get(name, [])))


def step(config):
    """Train one step; return what was logged, and the task with the gradients of the step."""
    check(config)
    torch.manual_seed(0)
    task, loaders = assemble(config)
    logged = {}
    task.log = lambda name, value, **_: logged.update({name: float(value)})
    loss = task.training_step(next(iter(loaders.train_dataloader())), 0)
    loss.backward()
    assert torch.isfinite(loss)
    return logged, task


def learns(network):
    gradients = [each.grad for each in network.parameters() if each.requires_grad]
    return any(each is not None and bool(each.any()) for each in gradients)


LOSSES = [name for group, name in FILES if group == "loss"]
# The losses of model=guided: the others need targets, or K.
GUIDED = ("color", "proposals", "uncertainty", "unguided")
MODELS = {
    "guided": GUIDED,
    "prototype": [name for name in LOSSES if name == "color" or name not in GUIDED],
    "prototype_chroma": [name for name in LOSSES if name == "color" or name not in GUIDED],
}


@pytest.mark.parametrize(
    ("model", "loss"), [(model, loss) for model, losses in MODELS.items() for loss in losses]
)
def test_every_model_trains_one_step_with_every_loss_that_it_takes(model, loss):
    companions = [*REFERENCE[1:], "references.none=0.0"] if model == "guided" else []
    companions += COMPANIONS.get(("loss", loss), []) if loss == "refinement" else []
    companions += TELLING[len(REFERENCE) :] if loss in ("uncertainty", "unguided") else []
    if loss == "segment_uniformity":  # by itself it has no gradient where outputs are flat enough
        companions += ["loss.segment_uniformity.allowance=none"]
    chosen = [] if loss == "refinement" else [f"loss=[{loss}]"]
    clips = ["sampling.stills=0", "sampling.pairs=2", "sampling.length=3", "augment=none"]
    config = train_config(f"model={model}", *companions, *chosen, *TINY, *clips)
    logged, task = step(config)
    assert f"train/{loss}/pair" in logged
    assert learns(task.model)
    assert task.refiner is None or learns(task.refiner)


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
    assert learns(step(config)[1].model)


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
    config = train_config(f"loss=[{','.join(names)}]", f"loss_weights={choice}")
    expected = OmegaConf.load(CONF / "loss_weights" / f"{choice}.yaml")
    weights = {name: node.weight for name, node in config.loss.items()}
    assert {name: weights[name] for name in expected} == dict(expected)
    # Those of model=guided are weighed against each other alone.
    assert names == sorted([*expected, "color", "proposals", "uncertainty", "unguided"])
    assert config.loss.temporal.weight == {"sources": 5.0, "balanced": 1000.0}[choice]
    single = train_config("loss=[segment]", f"loss_weights={choice}", "loss.segment.weight=7")
    assert single.loss.segment.weight == 7


@pytest.mark.parametrize("inputs", ["gray", "gray_pair", "gray_segments", "gray_previous"])
@pytest.mark.parametrize("head", ["prototype", "prototype_chroma"])
def test_every_input_and_head_trains_one_step_with_every_loss(inputs, head):
    losses = MODELS[head]
    config = train_config(
        *(f"model={head}", f"model.inputs={inputs}", f"loss=[{','.join(losses)}]", *TINY),
        *("refiner=refiner", "refiner.channels=[4,4]", "sampling.stills=0", "sampling.length=3"),
    )
    logged, task = step(config)
    assert {f"train/{name}/pair" for name in losses} <= logged.keys()
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
        (REFERENCE[:2], "learns from references, and there are none: pass references=sampled"),
        (
            ["loss=[color,proposals]"],
            "loss proposals needs attended, which prototype does not give: choose model=guided, or",
        ),
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


SEGMENT = ["loss=[rank_diversity,segment]"]
NO_LOSS = "no chosen loss takes its weight from it: add one that does to loss="
GUIDED_RUN = [*REFERENCE, "loss=[color,proposals]"]


@pytest.mark.parametrize(
    ("overrides", "key", "reason"),
    [
        ([*GUIDED_RUN, "features=vgg19", "features.weights=random"], "features", "choose those"),
        ([*GUIDED_RUN, "targets=truth"], "targets", "no chosen loss needs what it sets"),
        ([*GUIDED_RUN, "targets.cache=DIR"], "targets.cache", "no chosen loss needs what it sets"),
        ([*GUIDED_RUN, "loss_weights=sources"], "loss_weights", NO_LOSS),
        ([*GUIDED_RUN, "corruption.drop=0.5"], "corruption.drop", "model.inputs=gray_previous"),
        (["corruption=previous_frame"], "corruption", "model.inputs=gray_previous"),
        (["model.inputs=gray_pair", "corruption.hue=0"], "corruption.hue", "=gray_previous"),
        ([*SEGMENT, "loss_weights.temporal=3"], "loss_weights.temporal", NO_LOSS),
        (["loss.rank_diversity.weight=1.0", "loss_weights=balanced"], "loss_weights", NO_LOSS),
        ([*SEGMENT, "targets.flow.method=raft_small"], "targets.flow.method", "no chosen loss"),
        ([*SEGMENT, "targets.neighbors.count=3"], "targets.neighbors.count", "no chosen loss"),
    ],
)
def test_a_setting_that_does_nothing_for_the_chosen_components_is_refused(overrides, key, reason):
    config = train_config(*TINY, *overrides)
    with pytest.raises(ConfigError) as error:
        assemble(config, given=sweeps.keys([*TINY, *overrides]))
    assert str(error.value).startswith(f"{key} does nothing: ")
    assert reason in str(error.value)
    assert str(error.value).endswith(f"or leave {key} out")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "overrides",
    [
        [*GUIDED_RUN, "features=none"],
        ["features=vgg19", "features.weights=random"],
        ["model.inputs=gray_previous", "corruption=previous_frame", "corruption.drop=0.5"],
        [*SEGMENT, "targets=truth", "targets.segments.neighbors=2", "loss_weights.segment=3"],
        [*SEGMENT, "loss_weights=sources", "targets.cache=DIR", "augment=none"],
        ["loss=[rank_diversity,temporal]", "targets.flow.threshold=0.1"],
        ["loss=[rank_diversity,refinement]", "refiner=refiner", "loss_weights.refinement=2"],
    ],
)
def test_a_setting_that_something_reads_is_taken(overrides):
    assemble(train_config(*TINY, *overrides), given=sweeps.keys([*TINY, *overrides]))


def test_a_group_of_the_recipe_that_nothing_reads_is_not_built():
    config = train_config(*TINY, "targets.segments.neighbors=0")  # refused when it is built
    assemble(config)
    config = train_config(*TINY, "targets.segments.neighbors=0", *SEGMENT)
    with pytest.raises(ConfigError, match=r"segments\.neighbors is 0"):
        assemble(config)


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
        (["+guides.cache=DIR"], "unknown setting guides: it is called targets now"),
        (["+lost=1"], r"unknown setting lost; did you mean 'loss'"),
    ],
)
def test_a_bad_setting_names_the_key_and_the_nearest_valid_one(overrides, message):
    with pytest.raises(ConfigError, match=message) as error:
        check(train_config(*overrides))
    assert "\n" not in str(error.value)
