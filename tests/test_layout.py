"""One word leads everywhere: module, config and test of a component carry the same name."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Modules that are not components: what their package shares, or parts of a larger component.
SHARED = {
    "models": {"unet", "inputs", "matching", "block_matching", "judge", "memory"},
    "losses": set(),
    "metrics": {"diverse"},
}
GROUPS = {"models": "model", "losses": "loss", "metrics": "metric"}
OWN_GROUP = {"refiner"}  # chosen beside the model, so it has a group of its name


def modules(package):
    names = {path.stem for path in (ROOT / "colorize" / package).glob("*.py")}
    return sorted(names - {"__init__"})


def pairs():
    return [(package, name) for package in GROUPS for name in modules(package)]


@pytest.mark.parametrize(("package", "name"), pairs())
def test_every_component_has_a_config_and_a_test_of_its_name(package, name):
    assert (ROOT / "tests" / "colorize" / package / f"test_{name}.py").is_file()
    if name not in SHARED[package]:
        group = name if name in OWN_GROUP else GROUPS[package]
        assert (ROOT / "conf" / group / f"{name}.yaml").is_file()


@pytest.mark.parametrize("group", sorted(GROUPS.values()))
def test_every_config_of_a_group_belongs_to_a_module(group):
    package = next(package for package, name in GROUPS.items() if name == group)
    for path in (ROOT / "conf" / group).glob("*.yaml"):
        # generator_chroma.yaml is a variant of generator.yaml
        assert any(path.stem.startswith(name) for name in modules(package)), path


def test_every_module_of_the_package_has_a_test():
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}
    alone = {path.stem for path in (ROOT / "colorize").glob("*.py")} - {"__init__"}
    assert alone <= tested, f"without a test: {sorted(alone - tested)}"


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
    """A recorded figure can be made again: by the config of its name, or by a tool it names."""
    for folder in (ROOT / "experiments").iterdir():
        text = (folder / "README.md").read_text()
        experiment = ROOT / "conf" / "experiment" / folder.name
        trained = experiment.is_dir() or experiment.with_suffix(".yaml").is_file()
        tools = re.findall(r"python (tools/\w+\.py)", text)
        commands = re.findall(r"^(?:classify|colorize)-train classifier=(\w+)", text, re.MULTILINE)
        assert trained or tools or commands, folder
        assert all((ROOT / tool).is_file() for tool in tools), folder
        for name in commands:
            assert (ROOT / "conf" / "classifier" / f"{name}.yaml").is_file(), folder


def test_no_file_grows_beyond_one_screenful_of_ideas():
    long = {
        str(path.relative_to(ROOT)): count
        for folder in ("colorize", "classify", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert not long
