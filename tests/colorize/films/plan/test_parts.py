"""Which pieces there are, when a piece is stale, and which must be gone through again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from colorize.films.plan import parts as parts_module
from colorize.films.plan.digests import Digests, digest_of
from colorize.films.plan.manifest import Manifest, Reference, Shot
from colorize.films.plan.parts import Part, divide, output_facts, pending, shard
from colorize.inference.engine import LONGEST, longest_piece
from colorize.media import open_source
from tests.colorize.films.plan.test_manifest import MANIFEST, SETTINGS
from tests.colorize.media.films import make_film

FRAMES = Digests({f"{index}.png": (1, 2, "content") for index in range(300)})


def keys(manifest: Manifest = MANIFEST, digests: Digests = FRAMES, **choices: object) -> list[str]:
    settings = {"longest": 100, "output": [".mp4", 90], **choices}
    return [part.key for part in divide(manifest, digests, **settings)]


def test_shots_are_pieces_and_long_shots_several() -> None:
    parts = divide(MANIFEST, FRAMES, longest=100, output=[])
    spans = [(part.start, part.stop, part.shot, part.chosen) for part in parts]
    assert spans == [
        (0, 36, 0, 2),
        (36, 61, 1, 1),
        (61, 161, 2, "keep"),
        (161, 261, 2, "keep"),
        (261, 300, 2, "keep"),
    ]
    assert [part.before for part in parts] == [None] * 5  # kept frames go on from nothing
    colored = divide(MANIFEST.with_shots([Shot(0, 300, 1)]), FRAMES, longest=120, output=[])
    assert [part.before for part in colored] == [None, colored[0].key, colored[1].key]
    assert len({part.key for part in parts + colored}) == 8


def changed(first: list[str], second: list[str]) -> list[int]:
    assert len(first) == len(second)
    return [index for index, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]


def test_a_choice_makes_its_own_shot_stale_only() -> None:
    shots = list(MANIFEST.shots)
    shots[1] = replace(shots[1], variant=3)
    assert changed(keys(), keys(MANIFEST.with_shots(shots))) == [1]
    shots[1] = replace(shots[1], variant="auto", auto=1)  # the same output, chosen otherwise
    assert changed(keys(), keys(MANIFEST.with_shots(shots))) == []


def test_a_frame_makes_its_shot_stale_from_there_on() -> None:
    manifest = MANIFEST.with_shots([Shot(0, 250, 0), Shot(250, 300, 0)])
    other = Digests({**(FRAMES.files or {}), "120.png": (1, 2, "another")})
    assert changed(keys(manifest), keys(manifest, other)) == [1, 2]


@pytest.mark.parametrize(
    ("setting", "value", "stale"),
    [
        ("weights", "cd" * 32, [0, 1]),
        ("short_side", 96, [0, 1]),
        ("refine", True, [0, 1]),
        ("stillness", 0.5, [0, 1]),
        ("saturation", 1.2, [0, 1]),
        ("checkpoint", "moved.safetensors", []),
        ("variant", 2, []),
        ("recolor", True, []),
    ],
)
def test_what_a_setting_makes_stale(setting: str, value: object, stale: list[int]) -> None:
    manifest = replace(MANIFEST, settings=replace(SETTINGS, **{setting: value}))
    assert changed(keys(), keys(manifest)) == stale


@pytest.fixture
def first_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keys as the first engine's, which they did not name."""

    def digest_of_the_first(value: list[object]) -> str:
        first = "tooncolor-job-1" if isinstance(value[0], list) else value[0]
        return digest_of([first, *value[1:]])

    monkeypatch.setattr(parts_module, "digest_of", digest_of_the_first)


@pytest.mark.usefixtures("first_engine")
def test_keys_are_those_of_the_first_versions_while_the_engine_is() -> None:
    # Recorded at commit 08e96fc, when settings were not declared once.
    first, second, kept, *_ = keys()
    assert first == "c5c34d6e44a7832d56db4bc761f2168e24c92af49e6785b83f3d85ca9aba3750"
    assert second == "e12716ceb8357d1780efbb2c002380c704a9c45051b3df5fdf03e0fb9d707c75"
    assert kept == "b725b2a8ad58ca951eaa8a26b31b549a52b5903b9369dbf3c29b1c50dbdf5f58"
    fast = replace(MANIFEST, settings=replace(SETTINGS, fast=True))
    assert keys(fast)[0] == "221471cdf42192bb341ae015308fc368465fa45f4420609a1269bc70e748f461"


def test_another_engine_makes_all_stale_but_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys()
    monkeypatch.setattr(parts_module, "ENGINE", parts_module.ENGINE + 1)
    assert changed(before, keys()) == [0, 1]


def test_a_film_depends_on_its_quality_and_a_lossless_picture_does_not(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "in.png")
    with open_source(tmp_path / "in.png") as picture:
        assert output_facts(picture, ".png", SETTINGS) == []
        assert output_facts(picture, ".jpg", SETTINGS) == [90]
        assert output_facts(picture, ".jpg", replace(SETTINGS, quality=80)) == [80]
    with open_source(make_film(tmp_path / "in.mp4", count=2)) as film:
        assert output_facts(film, ".MP4", SETTINGS) == [".mp4", 90]


def test_the_written_form_makes_all_stale() -> None:
    assert changed(keys(), keys(output=[".mp4", 80])) == [0, 1, 2, 3, 4]


RECORDED = {  # of 200089d
    "folder": (["1f6f3e9e", "b2d19162", "adf8e4e0", "9797c6d3"], "5bb2f0ba"),
    "film": (["17f7a029", "726dc48e", "75264800", "2693c171"], "abababab"),
}


@pytest.mark.usefixtures("first_engine")
@pytest.mark.parametrize("kind", sorted(RECORDED))
def test_all_keys_are_those_of_earlier_versions_while_the_engine_is(kind: str) -> None:
    files = {f"Bild {index} é.png": (1, 2, f"{index:064x}") for index in range(300)}
    digests = Digests(files) if kind == "folder" else Digests(None, "ab" * 32)
    given = (Reference("a.png", "x/a.png", "12" * 32, 40), Reference("b.png", "b.png", "34" * 32))
    shots = [Shot(0, 250, 0, references=("b.png", "a.png")), Shot(250, 300, "keep")]
    manifest = replace(MANIFEST, references=given).with_shots(shots)
    recorded, whole = RECORDED[kind]
    assert [key[:8] for key in keys(manifest, digests)] == recorded
    assert digests.whole[:8] == whole


@pytest.mark.parametrize("length", [10, 10**6], ids=["many shots", "one shot"])
def test_twice_the_frames_are_twice_the_work(length: int, monkeypatch) -> None:
    """Every frame is hashed as often as there are digests of the whole: once."""
    hashed = []

    class Counting:
        def __init__(self, data: bytes = b"") -> None:
            self.update(data)

        def update(self, data: bytes) -> None:
            hashed.append(len(data))

        def copy(self) -> Counting:
            return self

        def hexdigest(self) -> str:
            return "0" * 64

    monkeypatch.setattr("colorize.films.plan.digests.hashlib.sha256", Counting)

    def work(count: int) -> int:
        hashed.clear()
        digests = Digests({f"{index:06d}.png": (1, 2, "0" * 64) for index in range(count)})
        spans = [(start, min(start + length, count)) for start in range(0, count, length)]
        manifest = MANIFEST.with_shots([Shot(start, stop, 0) for start, stop in spans])
        assert len(divide(manifest, digests, longest=10, output=[])) == count // 10
        return sum(hashed)

    assert work(2000) == pytest.approx(2 * work(1000), rel=0.02)


def test_a_part_fits_the_memory() -> None:
    assert longest_piece((108, 192)) == LONGEST
    assert longest_piece((720, 1280)) == 512 * 2**20 // (3 * 720 * 1280) == 194
    assert longest_piece((2160, 3840)) == 21
    assert longest_piece((20000, 20000)) == 8


def chain(*lengths: int) -> list[Part]:
    """Shots of so many parts each."""
    parts: list[Part] = []
    for number, length in enumerate(lengths):
        before = None
        for _ in range(length):
            start = 10 * len(parts)
            parts.append(Part(start, start + 10, number, 0, f"key{len(parts)}", before))
            before = parts[-1].key
    return parts


@pytest.mark.parametrize(
    ("done", "resumable", "expected"),
    [
        ("....", "....", [0, 1, 2, 3]),
        ("####", "....", []),
        ("#...", "#...", [1, 2, 3]),
        ("##..", ".#..", [2, 3]),
        ("##..", "....", [0, 1, 2, 3]),  # no state at hand: from the start of the shot
        ("##..", "#...", [1, 2, 3]),  # or from the last one that is
        ("###.", "....", [3]),  # another shot
        (".###", "....", [0]),
    ],
)
def test_what_is_gone_through_again(done: str, resumable: str, expected: list[int]) -> None:
    flags = [[each == "#" for each in text] for text in (done, resumable)]
    assert pending(chain(3, 1), done=flags[0], resumable=flags[1]) == expected


def test_shards_share_all_parts_by_whole_shots() -> None:
    parts = chain(3, 1, 1, 5, 2, 2, 1)
    shares = [shard(parts, number=number, count=3) for number in (1, 2, 3)]
    assert sorted((part for share in shares for part in share), key=lambda p: p.start) == parts
    shots = [{part.shot for part in share} for share in shares]
    assert shots == [{0, 1, 2}, {3}, {4, 5, 6}]
    assert [len(share) for share in shares] == [5, 5, 5]
    assert shard(parts, number=1, count=1) == parts
    assert shard([], number=1, count=2) == []
