"""One word leads everywhere: module, config and test of a component carry the same name."""

import re

import pytest

from colorize.networks.registry import COMPONENTS
from tests.places import EXPERIMENTS, ROOT

# Modules that are not components: what their room shares.
SHARED = {"losses": {"base"}, "metrics": {"diverse"}}
GROUPS = {"losses": "loss", "metrics": "metric"}
# Tests of what several modules of a room do together.
OF_SEVERAL = {
    "test_browser",
    "test_cartoon",
    "test_cartoon_parts",
    "test_family",
    "test_masks",
    "test_paint_walk",
    "test_shots",
}


def rooms():
    folders = (path for path in (ROOT / "colorize").iterdir() if path.is_dir())
    return sorted(path.name for path in folders if (path / "__init__.py").is_file())


def modules(room):
    """Return the modules of a room as paths below the package, without suffix."""
    files = (ROOT / "colorize" / room).rglob("*.py")
    found = {path.relative_to(ROOT / "colorize").with_suffix("") for path in files}
    return sorted(str(path) for path in found if path.name != "__init__")


def components():
    return [
        (room, path.rsplit("/", 1)[1])
        for room in GROUPS
        for path in modules(room)
        if path.rsplit("/", 1)[1] not in SHARED[room]
    ]


@pytest.mark.parametrize(("room", "name"), components())
def test_every_component_has_a_config_and_a_test_of_its_name(room, name):
    assert (ROOT / "tests" / "colorize" / room / f"test_{name}.py").is_file()
    assert (ROOT / "conf" / GROUPS[room] / f"{name}.yaml").is_file()


@pytest.mark.parametrize("room", sorted(GROUPS))
def test_every_config_of_a_component_belongs_to_a_module(room):
    names = [name for each, name in components() if each == room]
    for path in (ROOT / "conf" / GROUPS[room]).glob("*.yaml"):
        assert path.stem in names, path


def test_every_config_of_a_network_is_called_as_checkpoints_call_it():
    for path in (ROOT / "conf" / "model").glob("*.yaml"):
        # prototype_chroma.yaml is a variant of prototype.yaml
        assert any(path.stem.startswith(name) for name in COMPONENTS), path
    assert "refiner" in COMPONENTS


@pytest.mark.parametrize("room", rooms())
def test_every_room_says_what_it_is_for_and_what_it_may_import(room):
    text = (ROOT / "colorize" / room / "__init__.py").read_text()
    assert text.startswith('"""')
    assert "import" in text.split('"""')[1], "say what the room may import"


@pytest.mark.parametrize("room", rooms())
def test_every_room_is_mirrored_by_its_tests(room):
    tests = ROOT / "tests" / "colorize"
    files = [path.relative_to(tests) for path in (tests / room).rglob("test_*.py")]
    assert files
    own = {(path.parent.as_posix(), path.stem) for path in files if path.stem not in OF_SEVERAL}
    mirrored = {
        (path.rpartition("/")[0], f"test_{path.rpartition('/')[2]}") for path in modules(room)
    }
    assert not own - mirrored, "these tests lie elsewhere than their modules"


def test_every_classifier_has_a_config_and_a_test_of_its_name():
    # What they are built of, and networks whose configs are called by what they are for.
    others = {"layers": [], "backbone": ["resnet", "vgg16"], "compact": ["emotion_compact"]}
    for path in (ROOT / "classify" / "models").glob("*.py"):
        for name in others.get(path.stem, [path.stem]):
            if name != "__init__":
                assert (ROOT / "conf" / "classifier" / f"{name}.yaml").is_file(), path
        tests = ROOT / "tests" / "classify" / "models"
        if path.stem not in ("__init__", "layers"):
            assert (tests / f"test_{path.stem}.py").is_file(), path


def test_recorded_experiments_have_a_config_or_a_tool():
    """A recorded figure can be made again: by the config of its name, or by a script it names."""
    for folder in EXPERIMENTS.iterdir():
        text = (folder / "README.md").read_text()
        experiment = ROOT / "conf" / "experiment" / folder.name
        trained = experiment.is_dir() or experiment.with_suffix(".yaml").is_file()
        tools = re.findall(r"python ((?:tools|experiments/[\w-]+)/\w+\.py)", text)
        commands = re.findall(r"^(?:classify|colorize)-train classifier=(\w+)", text, re.MULTILINE)
        assert trained or tools or commands, folder
        assert all((ROOT / tool).is_file() for tool in tools), folder
        own = {path.relative_to(ROOT).as_posix() for path in folder.glob("*.py")}
        assert own <= set(tools), f"{folder} does not say how its scripts are run"
        for name in commands:
            assert (ROOT / "conf" / "classifier" / f"{name}.yaml").is_file(), folder


def test_no_file_grows_beyond_one_screenful_of_ideas():
    long = {
        str(path.relative_to(ROOT)): count
        for folder in ("colorize", "classify", "tools", "experiments")
        for path in (ROOT / folder).rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert not long
