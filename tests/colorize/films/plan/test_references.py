"""References of a job: what they are, which shots they serve, and what they change."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize.base.errors import UserError
from colorize.base.progress import Event, Remark, listening
from colorize.cartoon import CartoonSeries
from colorize.films.painting.palette import Palette, Swatch
from colorize.films.painting.series import Series, example_of
from colorize.films.plan.manifest import AUTO, KEEP, Reference, Settings, Shot, read_manifest
from colorize.films.plan.references import find_frames, guided, library_of, read_references
from colorize.films.run import Done, run_job
from colorize.inference import choice
from colorize.inference.loaded import LoadedNetworks
from colorize.media import Frame, MediaError, fingerprint, open_source
from tests.colorize.films.drawn import moving_blocks, save, tinted, write_frames
from tests.colorize.tiny import write_reference_safetensors, write_safetensors

LENGTHS = (6, 5)
COUNT = sum(LENGTHS)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    return write_reference_safetensors(folder / "model.safetensors")


@pytest.fixture
def colorizer(checkpoint: Path) -> LoadedNetworks:
    return LoadedNetworks.load(checkpoint, device="cpu", short_side=32)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Gray frames of two shots with a block that moves."""
    return moving_blocks(LENGTHS)


@pytest.fixture
def folder(tmp_path: Path, pictures: list[np.ndarray]) -> Path:
    return write_frames(tmp_path / "in", pictures)


@pytest.fixture
def colour(checkpoint: Path) -> Callable[..., Done]:
    def colour(source: Path, output: Path, **changes: Any) -> Done:
        model = changes.pop("model", checkpoint)
        settings = Settings(
            checkpoint=str(model), weights=fingerprint(model), short_side=32, refine=False,
            variant=AUTO, stillness=0.5, saturation=1.0, quality=90, recolor=False,
        )  # fmt: skip
        colorizer = LoadedNetworks.load(model, device="cpu", short_side=32)
        return run_job(source, output, colorizer=colorizer, settings=settings, **changes)

    return colour


def read(output: Path) -> list[np.ndarray]:
    files = sorted(output.glob("*.png"), key=lambda path: int(path.stem))
    return [np.array(Image.open(path)) for path in files]


def test_pictures_of_files_and_folders_are_read(tmp_path, pictures):
    first = save(tmp_path / "sheet.png", tinted(pictures[0]))
    save(tmp_path / "more" / "2.png", tinted(pictures[2]))
    save(tmp_path / "more" / "10.png", tinted(pictures[3]))
    found = read_references([first, tmp_path / "more"])
    assert [each.name for each in found] == ["sheet.png", "2.png", "10.png"]
    assert len({each.digest for each in found}) == 3
    assert all(each.frame is None for each in found)


def test_what_cannot_be_a_reference_is_named(tmp_path, pictures):
    gray = tmp_path / "gray.png"
    Image.fromarray(pictures[0]).save(gray)
    with pytest.raises(UserError, match=r"gray\.png has no colours: a reference must be in colour"):
        read_references([gray])
    one = save(tmp_path / "a" / "x.png", tinted(pictures[0]))
    other = save(tmp_path / "b" / "x.png", tinted(pictures[1]))
    with pytest.raises(UserError, match=r"two references are called x\.png: .*rename one"):
        read_references([one, other])
    with pytest.raises(MediaError, match=r"absent\.png does not exist"):
        read_references([tmp_path / "absent.png"])


def test_a_reference_is_bound_to_the_frame_it_is_named_after(tmp_path, folder, pictures):
    given = read_references(
        [
            save(tmp_path / "r" / "7.png", tinted(pictures[7])),  # the name of a file of the source
            save(tmp_path / "r" / "frame_0003.jpg", tinted(pictures[3])),  # its number
            save(tmp_path / "r" / "sheet-99.png", tinted(pictures[0])),  # no such frame
            save(tmp_path / "r" / "wrong_1.png", tinted(255 - pictures[1])),  # another drawing
        ]
    )
    heard: list[Event] = []
    with open_source(folder) as source, listening(heard.append):
        found = find_frames(given, source, count=COUNT)
    said = [event.text for event in heard if isinstance(event, Remark)]
    assert [each.frame for each in found] == [7, 3, None, None]
    assert said == [
        "sheet-99.png is called after frame 99, but the frames are 0 to 10: it serves wherever it "
        "fits",
        "wrong_1.png does not show frame 1, after which it is named: it serves wherever it fits",
    ]


@pytest.fixture(scope="module")
def cartoon() -> list[np.ndarray]:
    """24 frames in colour of two drawn shots: figures that walk, a camera that moves."""
    series = CartoonSeries(seed=9201, size=(90, 160), shots=6, frames_per_shot=12, effects=False)
    return [np.asarray(frame) for shot in (2, 3) for frame in series.color(shot)]


def luma(colored: np.ndarray) -> np.ndarray:
    return (colored @ np.array([0.299, 0.587, 0.114])).round().astype(np.uint8)


def repainted(colored: np.ndarray, *, seed: int) -> np.ndarray:
    """The same lines, and between them tones of their own: each colour half way to another."""
    tones = np.random.default_rng(seed).integers(60, 255, (8, 8, 8, 3))
    paint = tones[tuple(np.moveaxis(colored // 32, 2, 0))]
    lines = luma(colored)[..., None] < 50
    return np.where(lines, colored, 0.5 * paint + 0.5 * colored).astype(np.uint8)


def found_and_said(folder: Path, files: list[Path], **how: Any) -> tuple[list[int | None], Any]:
    heard: list[Event] = []
    with open_source(folder) as source, listening(heard.append):
        found = find_frames(read_references(files), source, count=24, **how)
    return [each.frame for each in found], [e.text for e in heard if isinstance(e, Remark)]


@pytest.mark.parametrize("paint", [False, True])
@pytest.mark.parametrize("true", [0, 5, 13, 23])
def test_a_number_counted_from_one_leads_to_the_frame_that_is_drawn(tmp_path, cartoon, true, paint):
    folder = write_frames(tmp_path / "in", [luma(each) for each in cartoon])
    picture = repainted(cartoon[true], seed=true) if paint else cartoon[true]
    file = save(tmp_path / f"frame_{true + 1:04d}.png", picture)  # as ffmpeg numbers what it saves
    frames, said = found_and_said(folder, [file])
    assert frames == [true]
    assert said == [f"{file.name} shows frame {true}, not {true + 1}: it is taken for frame {true}"]
    file = save(tmp_path / f"frame_{true:04d}.png", picture)  # counted from 0, as we do
    assert found_and_said(folder, [file]) == ([true], [])


def test_a_number_far_from_the_frame_leads_to_it_all_the_same(tmp_path, cartoon):
    scene = [np.roll(cartoon[0], 3 * step, axis=1) for step in range(24)]
    folder = write_frames(tmp_path / "in", [luma(each) for each in scene])
    file = save(tmp_path / "frame_0022.png", scene[3])
    assert found_and_said(folder, [file], spans=[(0, 24)]) == (
        [3],
        ["frame_0022.png shows frame 3, not 22: it is taken for frame 3"],
    )
    assert found_and_said(folder, [file]) == (  # without its shot no further than twelve frames
        [None],
        ["frame_0022.png does not show frame 22, after which it is named: it serves wherever it "
         "fits"],
    )  # fmt: skip


def test_every_number_of_a_name_is_tried_and_a_copy_keeps_its_frame(tmp_path, cartoon):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, frame in enumerate(cartoon):
        save(folder / f"f{number + 1000}.png", np.dstack([luma(frame)] * 3))
    names = {"f1004 (1).png": 4, "f1005_gray.png": 5, "f1006-final.png": 6, "take 7 v2.png": 7}
    files = [save(tmp_path / name, cartoon[frame]) for name, frame in names.items()]
    assert found_and_said(folder, files) == (list(names.values()), [
        "take 7 v2.png shows frame 7, not 2: it is taken for frame 7",
    ])  # fmt: skip


def test_parts_left_gray_are_told(tmp_path, cartoon):
    folder = write_frames(tmp_path / "in", [luma(each) for each in cartoon])
    half = cartoon[13].copy()
    half[:, :80] = luma(half)[:, :80, None]
    frames, said = found_and_said(folder, [save(tmp_path / "f_13.png", half)])
    assert frames == [13]
    [line] = said
    share = re.fullmatch(
        r"f_13\.png is as gray as frame 13 in (\d+)% of what it shows, which is taken for its "
        r"colour; make transparent what is not painted yet",
        line,
    )
    assert 35 < int(share[1]) <= 51, "half of it, less black and white"


def test_two_pictures_of_one_frame_are_told(tmp_path, cartoon):
    folder = write_frames(tmp_path / "in", [luma(each) for each in cartoon])
    files = [save(tmp_path / name, cartoon[3]) for name in ("a_3.png", "b_3.png")]
    frames, said = found_and_said(folder, files)
    assert frames == [3, 3]
    assert said == [
        "a_3.png and b_3.png both show frame 3: it gets the colours of the first; remove the one "
        "that you do not want"
    ]


def test_shots_get_the_references_that_are_chosen_and_kept_ones_none(
    monkeypatch, tmp_path, folder, colorizer, pictures
):
    asked = []

    def likeness(gray, known):
        asked.append((gray.shape, known.counts))
        return [0.9, 0.2, 0.6][-known.total :]

    monkeypatch.setattr(colorizer, "likeness", likeness)
    monkeypatch.setattr(choice, "LEAST_LIKENESS", 0.5)
    files = [save(tmp_path / "r" / f"{name}.png", tinted(pictures[0])) for name in "abc"]
    frames = (None, None, 2)
    bound = [Reference(file.name, str(file), "", n) for file, n in zip(files, frames, strict=True)]
    shots = [Shot(0, 6, auto=0), Shot(6, 11, auto=0), Shot(6, 11, auto=KEEP)]
    with open_source(folder) as source:
        chosen = guided(shots, source, library_of(bound, source, colorizer))
    # Both look at the loose ones in three frames, the second at all of them in its middle.
    assert [shape for shape, _ in asked] == [(1, 1, 32, 48)] * 6
    assert [counts for _, counts in asked] == [(2,), (2,), (2,), (2,), (3,), (2,)]
    assert chosen[0].guided_by == ("c.png", "b.png")
    assert chosen[1].guided_by == ("a.png", "b.png", "c.png")
    assert chosen[2].guided_by == ()


def transparent(gray, *, hidden, shown=slice(0, 48)):
    """A frame in colour, shown in some columns alone, with something arbitrary under the rest."""
    picture = np.dstack([np.full((*gray.shape, 3), hidden, np.uint8), np.zeros_like(gray)])
    picture[:, shown, :3], picture[:, shown, 3] = tinted(gray)[:, shown], 255
    return picture


def test_colours_that_nobody_sees_do_not_make_a_reference(tmp_path, pictures):
    gray = np.dstack([pictures[0]] * 3)
    clear = np.dstack([gray, np.where(np.arange(96) < 48, 255, 0) + np.zeros((64, 1))])
    clear[:, 48:, :3] = (255, 0, 255)
    file = save(tmp_path / "gray.png", clear.astype(np.uint8))
    with pytest.raises(UserError, match="has no colours"):
        read_references([file])
    nothing = save(tmp_path / "no.png", transparent(pictures[0], hidden=(9, 99, 9), shown=slice(0)))
    with pytest.raises(UserError, match="has no colours"):
        read_references([nothing])
    # A figure of few pixels on a large transparent sheet has colours all the same.
    small = transparent(pictures[0], hidden=(255, 255, 255), shown=slice(30, 34))
    assert len(read_references([save(tmp_path / "small.png", small)])) == 1


def test_a_frame_in_part_transparent_is_still_that_frame(tmp_path, folder, pictures):
    files = [
        save(tmp_path / "r" / f"{number}.png", transparent(pictures[number], hidden=hidden))
        for number, hidden in ((2, (0, 0, 0)), (7, (255, 0, 255)))
    ]
    with open_source(folder) as source:
        found = find_frames(read_references(files), source, count=COUNT)
    assert [each.frame for each in found] == [2, 7]


@pytest.mark.parametrize("name", ["2.png", "sheet.png"])
def test_colours_under_transparency_never_reach_the_film(
    tmp_path, folder, colour, pictures, monkeypatch, name
):
    monkeypatch.setattr(choice, "LEAST_LIKENESS", -1.0)
    outputs = []
    for hidden in ((0, 0, 0), (255, 0, 255)):
        folder_of_this = tmp_path / f"out-{hidden[0]}"
        given = save(tmp_path / f"r-{hidden[0]}" / name, transparent(pictures[2], hidden=hidden))
        colour(folder, folder_of_this, references=[given])
        outputs.append(read(folder_of_this))
    assert all(np.array_equal(a, b) for a, b in zip(*outputs, strict=True))
    assert np.abs(outputs[0][2].astype(int) - tinted(pictures[2]))[:, 52:].max() > 10


def test_a_reference_comes_out_with_its_own_colours(tmp_path, folder, colour, pictures):
    own = tinted(pictures[2])
    given = save(tmp_path / "r" / "2.png", own)
    colour(folder, tmp_path / "out", references=[given])
    colored = read(tmp_path / "out")[2].astype(int)
    luma = colored @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma - pictures[2]).max() <= 1  # the drawing is the source's
    inside = (pictures[2] >= 60) & (pictures[2] <= 190)
    assert inside.mean() > 0.3
    assert np.abs(colored - own)[inside].max() <= 2


def test_a_reference_changes_its_shot_alone(tmp_path, folder, colour, pictures):
    output = tmp_path / "out"
    colour(folder, output)
    plain = read(output)
    given = save(tmp_path / "r" / "8.png", tinted(pictures[8]))
    # What serves other shots too is not the matter here.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "LEAST_LIKENESS", 2.0)
        done = colour(folder, output, references=[given])
    guided = read(output)
    changed = [not np.array_equal(a, b) for a, b in zip(plain, guided, strict=True)]
    assert done.rendered == LENGTHS[1]
    assert changed == [False] * 6 + [True] * 5

    again = colour(folder, output)  # goes on with the reference of the job
    assert again.rendered == 0
    without = colour(folder, output, references=[])
    assert without.rendered == LENGTHS[1]
    assert all(np.array_equal(a, b) for a, b in zip(plain, read(output), strict=True))


def test_a_person_may_choose_the_references_of_a_shot(tmp_path, folder, colour, pictures):
    output = tmp_path / "out"
    given = [save(tmp_path / "r" / f"{n}.png", tinted(pictures[n])) for n in (1, 8)]
    colour(folder, output, references=given)
    path = output / ".job" / "manifest.json"
    content = json.loads(path.read_text())
    content["shots"][1]["references"] = []
    path.write_text(json.dumps(content))
    assert colour(folder, output).rendered == LENGTHS[1]
    assert read_manifest(path).shots[1].guided_by == ()

    content["shots"][1]["references"] = ["auto", "1.png"]
    path.write_text(json.dumps(content))
    colour(folder, output)
    # What is chosen automatically stays; 1.png is a frame of the first shot.
    assert read_manifest(path).shots[1].guided_by == ("8.png", "1.png")
    with pytest.raises(UserError, match=r"shot 2 names the reference 1\.png, which is not given"):
        colour(folder, output, references=[given[1]])

    content["shots"][1]["references"] = ["3.png"]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"shot 2 names the reference '3\.png'; did you mean"):
        colour(folder, output)


def test_a_shot_is_given_a_reference_beside_those_that_are_chosen() -> None:
    shot = Shot(0, 6, auto=0, auto_references=("a", "b"))
    given = shot.with_reference("c")
    assert given.guided_by == ("a", "b", "c")
    assert replace(given, auto_references=("d",)).guided_by == ("d", "c"), "the choice goes on"
    assert given.with_reference("a") == given, "it serves already"
    assert given.without_reference("c") == shot
    assert given.without_reference("b").guided_by == ("a", "c")
    assert given.without_reference("b").references == ("a", "c")
    assert shot.without_reference("a").guided_by == ("b",)
    assert shot.without_reference("z") == shot


def test_references_of_all_kinds_serve_a_shot_together(tmp_path, folder, colour, pictures):
    names = {"1.png": 1, "sheet.png": 4, "5.png": 5, "other sheet.png": 2}
    given = [save(tmp_path / "r" / name, tinted(pictures[n])) for name, n in names.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "LEAST_LIKENESS", -1.0)
        colour(folder, tmp_path / "out", references=given)
    manifest = read_manifest(tmp_path / "out" / ".job" / "manifest.json")
    assert set(manifest.shots[0].guided_by) == set(names)
    assert manifest.shots[0].guided_by[:2] == ("1.png", "5.png"), "its own frames come first"


def test_what_serves_no_shot_is_told_with_what_to_do(tmp_path, folder, colour, pictures):
    sheet = save(tmp_path / "r" / "sheet.png", tinted(pictures[0]))
    heard: list[Event] = []
    with pytest.MonkeyPatch.context() as patch, listening(heard.append):
        patch.setattr(choice, "LEAST_LIKENESS", 2.0)
        colour(folder, tmp_path / "out", references=[sheet])
    assert [e.text for e in heard if isinstance(e, Remark)] == [
        "1 reference serves 0 of 2 shots",
        "sheet.png: shown in too small a part of every shot's first, middle and last frame to be "
        'used by itself; to use it all the same, add it to "references" of a shot in the '
        'manifest: ["auto", NAME]',
    ]


def test_a_model_without_references_says_so(tmp_path, folder, colour, pictures):
    model = write_safetensors(tmp_path / "plain.safetensors")
    given = save(tmp_path / "r" / "1.png", tinted(pictures[1]))
    with pytest.raises(UserError, match="this model takes no references; leave --reference out"):
        colour(folder, tmp_path / "out", model=model, references=[given])


def test_a_single_picture_takes_references_too(tmp_path, folder, colour, pictures):
    given = save(tmp_path / "r" / "sheet.png", tinted(pictures[0], red=60))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "LEAST_LIKENESS", -1.0)
        colour(folder / "1.png", tmp_path / "with.png", references=[given])
    colour(folder / "1.png", tmp_path / "without.png")
    first, second = (np.array(Image.open(tmp_path / f"{n}.png")) for n in ("with", "without"))
    assert not np.array_equal(first, second)


def hints_of(gray: np.ndarray, *, under: int) -> np.ndarray:
    """One red dot of 3 by 3 pixels of a frame that is transparent else; anything lies under it."""
    painted = np.full((*gray.shape, 4), under, np.uint8)
    painted[..., 3] = 0
    painted[20:23, 30:33] = (220, 60, 60, 255)
    return painted


@pytest.mark.parametrize("under", [0, 255, 128])
def test_a_dot_is_a_hint_for_the_frame_after_which_it_is_named(tmp_path, folder, pictures, under):
    file = save(tmp_path / "r" / "4.png", hints_of(pictures[4], under=under))
    remarks = []
    with open_source(folder) as source, listening(remarks.append):
        (found,) = find_frames(read_references([file]), source, count=COUNT)
    assert found.frame == 4
    assert not [each for each in remarks if isinstance(each, Remark)]


def test_a_hint_colours_its_frame_and_the_shot_around_it(tmp_path, folder, colour, pictures):
    """The dot keeps its colour, the rest of its frame and the frames beside it change by it."""
    file = save(tmp_path / "r" / "4.png", hints_of(pictures[4], under=255))
    plain, hinted = tmp_path / "plain", tmp_path / "hinted"
    colour(folder, plain)
    colour(folder, hinted, references=[file])
    before, after = read(plain), read(hinted)
    chroma = [np.float32(each[..., 0]) - each[..., 2] for each in (before[4], after[4])]
    red = chroma[1][20:23, 30:33]  # the frame is dark there, and holds no more
    assert (red > 20).all()
    assert red.max() > 150
    changed = [np.abs(np.float32(a) - b).mean() for a, b in zip(after, before, strict=True)]
    assert changed[4] > 1
    assert min(changed[3], changed[5]) > 0.2


def test_examples_of_a_palette_serve_as_references_of_parts(colour, folder, pictures, tmp_path):
    path = tmp_path / "series.json"
    painted_series("#c03020").write(path)
    plain = tmp_path / "plain"
    colour(folder, plain)
    output = tmp_path / "out"
    first = colour(folder, output, references=[path])
    manifest = read_manifest(output / ".job" / "manifest.json")
    assert [each.name for each in manifest.references] == ["series.json: shot 1"]
    assert manifest.references[0].frame is None
    assert any(shot.guided_by for shot in manifest.shots)
    served = read(output)
    assert any(np.any(mine != his) for mine, his in zip(served, read(plain), strict=True))
    assert first.rendered == COUNT
    assert colour(folder, output).rendered == 0  # goes on with the palette of the manifest
    painted_series("#2030c0").write(path)
    assert colour(folder, output, references=[path]).rendered > 0


def painted_series(color: str) -> Series:
    gray = moving_blocks(LENGTHS)[0]
    layer = np.where(gray > gray.mean(), 3, 0).astype(np.uint16)
    frame = Frame(0, "", np.repeat(gray[..., None], 3, axis=2) if gray.ndim == 2 else gray)
    shape = frame.rgb.shape[:2]
    example = example_of(frame, layer.reshape(*shape, -1)[..., 0].copy(), "shot 1")
    return Series(Palette((Swatch(3, color, "block"),)), (example,))
