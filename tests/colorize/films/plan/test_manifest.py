"""The file that people edit: what it looks like, and what is said about a mistake in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from colorize.base.errors import UserError
from colorize.films.plan.manifest import Manifest, Origin, Settings, Shot, read_manifest

SETTINGS = Settings(
    checkpoint="model.safetensors",
    weights="ab" * 32,
    short_side=108,
    refine=False,
    variant="auto",
    stillness=0.8,
    saturation=1.0,
    quality=90,
    recolor=False,
)
SHOTS = (Shot(0, 36, "auto", 2), Shot(36, 61, 1), Shot(61, 300, "auto", "keep"))
MANIFEST = Manifest(Origin("Filme/Käse 1.mp4", "video", 300, "5f" * 32), SETTINGS, SHOTS)


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path / "manifest.json")
    assert read_manifest(tmp_path / "manifest.json") == MANIFEST


def test_a_shot_is_a_line(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path / "manifest.json")
    lines = (tmp_path / "manifest.json").read_text().splitlines()
    assert '  {"start": 0, "stop": 36, "variant": "auto", "auto": 2},' in lines
    assert '  {"start": 36, "stop": 61, "variant": 1},' in lines
    assert any("Filme/Käse 1.mp4" in line for line in lines)


def test_what_counts_is_the_hand_before_the_machine() -> None:
    assert [shot.chosen for shot in SHOTS] == [2, 1, "keep"]
    assert Shot(0, 1).chosen is None
    assert Shot(0, 1, 0, auto=3).chosen == 0
    assert Shot(0, 1, "keep", auto=3).chosen == "keep"


def edited(tmp_path: Path, change: Any) -> Path:
    """Write a manifest, change its content, and return its path."""
    path = tmp_path / "manifest.json"
    MANIFEST.write(path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(change(content) or content))
    return path


def shot(number: int, **changes: Any) -> Any:
    return lambda content: content["shots"][number - 1].update(changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shot(2, start=37), "shot 2 is 37 to 61: expected it to start at 36"),
        (shot(2, stop=36), "shot 2 is 36 to 36: expected it to start at 36 and stop later"),
        (shot(3, stop=299), "the shots end at 299, the source at 300"),
        (shot(1, variant="best"), "variant of shot 1 is 'best': expected auto, keep or the number"),
        (shot(1, variant=-1), "variant of shot 1 is -1"),
        (shot(1, variant=True), "variant of shot 1 is True"),
        (shot(1, start="0"), "start of shot 1 is '0'"),
        (shot(1, varient=2), "shot 1 has no 'varient'; did you mean 'variant'?"),
        (shot(1, auto="x"), "auto of shot 1 is 'x'"),
        (lambda content: content.update(format="other"), "is no manifest of a job"),
        (lambda content: content.update(settings=[]), "settings is []: expected an object"),
        (lambda content: content["settings"].pop("weights"), "settings lacks weights"),
        (lambda content: content["source"].pop("digest"), "source lacks digest"),
        (
            lambda content: content["settings"].update(saturation="much"),
            "settings: saturation is 'much': expected 0 to 10",
        ),
        (
            lambda content: content["settings"].update(snap=True),
            "settings: snap is gone: it was measured to be no gain on real drawings; take it out",
        ),
        (lambda content: content["settings"].update(snab=True), "settings has no 'snab'"),
        (lambda content: [1], "is no manifest of a job"),
        (lambda content: content.update(shots=[3]), "shot 1 is 3: expected an object"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: Any, message: str) -> None:
    path = edited(tmp_path, lambda content: _only_lists(change(content)))
    with pytest.raises(UserError) as raised:
        read_manifest(path)
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(path))


def _only_lists(value: Any) -> Any:
    """Ignore what dict.update and dict.pop return."""
    return value if isinstance(value, list) else None


def test_broken_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    MANIFEST.write(path)
    text = path.read_text().replace('"stop": 61,', '"stop": 61;')
    path.write_text(text)
    assert text.splitlines()[6].endswith('"stop": 61; "variant": 1},')
    with pytest.raises(UserError, match=r"manifest.json, line 7: .*; mend it, or delete it"):
        read_manifest(path)


def test_settings_of_earlier_versions_are_read(tmp_path: Path) -> None:
    def as_before(content: Any) -> None:
        del content["settings"]["fast"]
        content["settings"]["snap"] = False

    assert read_manifest(edited(tmp_path, as_before)) == MANIFEST
