"""Every setting declared once, and there wherever settings are: what is added must not be missed.

The tests of the last part go through all fields, whatever they are called.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from colorize.base.errors import UserError
from colorize.films import command
from colorize.films.plan.digests import Digests
from colorize.films.plan.manifest import Manifest, Settings, Shot, read_manifest
from colorize.films.plan.parts import divide
from colorize.inference.colorizer import Colorizer
from colorize.inference.settings import (
    RenderSettings,
    Setting,
    checked,
    declared_settings,
    without_retired,
)
from colorize.motion.smoothing import DEFAULT_STRENGTH
from tests.colorize.films.drawn import moving_blocks, write_frames
from tests.colorize.films.plan.test_manifest import MANIFEST
from tests.colorize.tiny import write_safetensors


def test_the_defaults_are_those_that_were_measured() -> None:
    measured = {
        "short_side": None, "variant": "auto", "saturation": 1.0, "stillness": DEFAULT_STRENGTH,
        "quality": 90, "recolor": False, "refine": True, "fast": False,
    }  # fmt: skip
    assert measured.items() <= RenderSettings().values().items()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("short_side", 0, "size is 0: expected 1 or more, or nothing"),
        ("short_side", 96.5, "size is 96.5: expected 1 or more"),
        ("variant", "best", "variant is 'best': expected auto or a whole number"),
        ("variant", -1, "variant is -1"),
        ("variant", True, "variant is True"),
        ("variant", None, "variant is None"),
        ("saturation", 10.5, "saturation is 10.5: expected 0 to 10"),
        ("saturation", True, "saturation is True"),
        ("stillness", float("nan"), "stillness is nan: expected 0 to 1"),
        ("stillness", None, "stillness is None"),
        ("stillness", "much", "stillness is 'much': expected 0 to 1"),
        ("quality", 0, "quality is 0: expected 1 to 100"),
        ("quality", 90.5, "quality is 90.5"),
        ("fast", 1, "fast is 1: expected true or false"),
        ("fast", "yes", "fast is 'yes'"),
    ],
)
def test_what_no_render_can_have_is_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(UserError) as raised:
        checked({name: value})
    assert said in str(raised.value)


def test_settings_that_are_made_are_looked_at_too() -> None:
    with pytest.raises(UserError, match=r"saturation is -1\.0: expected 0 to 10"):
        RenderSettings(saturation=-1.0)


def test_ends_of_ranges_are_in_them_and_whole_numbers_are_numbers() -> None:
    low = {"short_side": 1, "variant": 0, "saturation": 0, "stillness": 0, "quality": 1}
    assert repr(list(checked(low).values())) == "[1, 0, 0.0, 0.0, 1]", "1 has the key of 1.0"
    assert checked({"saturation": 10, "stillness": 1, "quality": 100, "else": 7})["else"] == 7


def test_they_come_to_what_the_network_has(tmp_path: Path) -> None:
    plain = Colorizer.load(write_safetensors(tmp_path / "a.safetensors"), short_side=24)
    path = write_safetensors(tmp_path / "b.safetensors", refiner={"channels": [4, 4]})
    refined = Colorizer.load(path, short_side=24)
    chosen = RenderSettings(variant=1)
    assert chosen.fitted(plain) == replace(chosen, short_side=24, refine=False)
    assert chosen.fitted(refined) == replace(chosen, short_side=24, refine=True)
    assert not replace(chosen, refine=False).fitted(refined).refine
    with pytest.raises(UserError, match="variant is 2: this model has 0 to 1"):
        RenderSettings(variant=2).fitted(plain)


def test_what_decides_is_told_by_what_it_decides() -> None:
    plain = RenderSettings(short_side=96, refine=False)
    pixels = {"short_side": 96, "saturation": 1.0, "stillness": 0.9, "refine": False}
    assert plain.deciding("pixels") == pixels
    assert replace(plain, fast=True).deciding("pixels") == {**pixels, "fast": True}
    assert plain.deciding("file") == {"quality": 90}


def test_settings_that_are_gone_are_left_out_and_explained_where_they_were_on() -> None:
    assert without_retired({"fast": True, "snap": False}) == ({"fast": True}, "")
    known, gone = without_retired({"fast": True, "snap": True})
    assert known == {"fast": True}
    assert gone == "snap is gone: it was measured to be no gain on real drawings"


def test_they_are_known_without_pytorch() -> None:
    program = "import sys; from colorize.inference import settings; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"


def other(setting: Setting) -> Any:
    """A value that a setting can have, the page takes, and that is not its default."""
    match setting.kind:
        case "check":
            return not setting.default
        case "choice":
            return 1 if setting.numbered else list(setting.choices)[-1]
        case "slider":
            return 0.5
    return int(min(48, setting.high))


PLAIN = replace(MANIFEST, settings=Settings(checkpoint="model.safetensors", weights="ab" * 32))
EACH = pytest.mark.parametrize("setting", declared_settings(), ids=lambda setting: setting.name)


def words(setting: Setting) -> list[str]:
    """What a user writes on the command line to have the other value."""
    if setting.kind == "check":
        return [f"--{'no-' if setting.default else ''}{setting.word}"]
    return [f"--{setting.word}", str(other(setting))]


def all_other() -> RenderSettings:
    return RenderSettings(**{each.name: other(each) for each in declared_settings()})


@EACH
def test_each_is_declared_whole(setting: Setting) -> None:
    assert getattr(RenderSettings(), setting.name) == setting.default != other(setting)
    assert setting.help
    assert setting.label != ""
    setting.check(other(setting), on_page=True)


@EACH
def test_each_has_its_flag_and_its_help(setting: Setting, capsys) -> None:
    options = command.parser().parse_args(["in", "-o", "out", *words(setting)])
    expected = replace(RenderSettings(), **{setting.name: other(setting)})
    assert command.chosen_settings(options) == expected
    with pytest.raises(SystemExit):
        command.main(["--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert words(setting)[0] in printed
    assert setting.help.partition("%")[0].split("-")[0] in printed


@EACH
def test_each_is_in_the_manifest_and_comes_back(setting: Setting, tmp_path: Path) -> None:
    changed = _with(setting)
    changed.write(tmp_path / "manifest.json")
    again = read_manifest(tmp_path / "manifest.json")
    assert again == changed != PLAIN
    assert again.settings.values()[setting.name] == other(setting)


@EACH
def test_each_makes_parts_stale_if_it_affects_their_pixels(setting: Setting) -> None:
    frames = Digests({f"{index}.png": (1, 2, "content") for index in range(300)})
    keys = [
        [part.key for part in divide(manifest, frames, longest=300, output=[])]
        for manifest in (PLAIN, _with(setting))
    ]
    (first, second, kept), others = keys
    assert (others[0] != first) is (others[1] != second) is (setting.affects == "pixels")
    assert others[2] == kept, "frames that stay as they are depend on no setting"


def _with(setting: Setting) -> Manifest:
    return replace(PLAIN, settings=replace(PLAIN.settings, **{setting.name: other(setting)}))


def test_all_go_from_the_command_line_into_the_job(tmp_path: Path) -> None:
    checkpoint = write_safetensors(tmp_path / "m.safetensors", refiner={"channels": [4, 4]})
    frames = write_frames(tmp_path / "in", moving_blocks([3]))
    flags = [word for setting in declared_settings() for word in words(setting)]
    common = ["--checkpoint", str(checkpoint), "--device", "cpu", "--plan"]
    command.main([str(frames), "-o", str(tmp_path / "out"), *common, *flags])
    manifest = read_manifest(tmp_path / "out/.job/manifest.json")
    assert manifest.settings.values() == all_other().values()
    assert manifest.settings.checkpoint == str(checkpoint)
    assert manifest.shots == (Shot(0, 3, auto=1),)
    assert isinstance(manifest.settings, Settings)
