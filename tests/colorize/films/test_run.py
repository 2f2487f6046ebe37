"""Jobs that stop, go on, change their mind and share the work: always the same pictures."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from colorize.base.errors import UserError
from colorize.base.progress import Event, Remark, listening
from colorize.films import run
from colorize.films.plan.manifest import AUTO, Settings, read_manifest
from colorize.films.run import Done, Share, run_job
from colorize.inference import engine
from colorize.inference.effort import OutOfMemoryError
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Frame, MediaError, VideoSource, fingerprint
from tests.colorize.films.drawn import moving_blocks, write_frames
from tests.colorize.media.films import frame_times, packets
from tests.colorize.tiny import write_safetensors

LENGTHS = (9, 7, 12)  # of the shots of the source below
COUNT = sum(LENGTHS)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_safetensors(tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Gray frames of three shots, each a still background with a bright block that moves."""
    return moving_blocks(LENGTHS)


@pytest.fixture
def folder(tmp_path: Path, pictures: list[np.ndarray]) -> Path:
    return write_frames(tmp_path / "in", pictures)


@pytest.fixture
def film(tmp_path: Path, pictures: list[np.ndarray]) -> Path:
    """The same frames as a film with sound, losslessly encoded."""
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=24)
        video.height, video.width, video.pix_fmt = 64, 96, "gray"
        sound = container.add_stream("flac", rate=48000)
        sound.codec_context.layout = "mono"
        container.start_encoding()
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
        container.mux(video.encode())
        wave = (np.sin(np.arange(2000 * COUNT) / 17) * 8000).astype(np.int16)[None]
        for first in range(0, wave.shape[1], 4096):
            chunk = np.ascontiguousarray(wave[:, first : first + 4096])
            frame = av.AudioFrame.from_ndarray(chunk, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48000, first
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


@pytest.fixture
def colour(checkpoint: Path) -> Callable[..., Done]:
    """Return a function that runs a job with chosen settings."""

    def colour(source: Path, output: Path, **changes: Any) -> Done:
        model = changes.pop("model", checkpoint)
        said: list[str] = changes.pop("said", [])
        share = changes.pop("share", Share())
        batch_size = changes.pop("batch_size", 4)
        settings = Settings(
            checkpoint=str(model),
            weights=fingerprint(model),
            short_side=24,
            refine=False,
            variant=AUTO,
            stillness=0.5,
            saturation=1.0,
            quality=90,
            recolor=False,
        )
        settings = replace(settings, **changes)
        colorizer = LoadedNetworks.load(model, device="cpu", short_side=settings.short_side)

        def listener(event: Event) -> None:
            if isinstance(event, Remark):
                said.append(event.text)

        with listening(listener):
            return run_job(
                source,
                output,
                colorizer=colorizer,
                settings=settings,
                batch_size=batch_size,
                share=share,
            )

    return colour


def read(output: Path) -> list[np.ndarray]:
    """The pictures of a folder or film, in order."""
    if output.is_dir():
        files = sorted(output.glob("*.png"), key=lambda path: int(path.stem))
        return [np.array(Image.open(path)) for path in files]
    with av.open(str(output)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def same(first: list[np.ndarray], second: list[np.ndarray]) -> list[bool]:
    assert len(first) == len(second) == COUNT
    return [np.array_equal(a, b) for a, b in zip(first, second, strict=True)]


def manifest_of(output: Path) -> Path:
    folder = output / ".job" if output.is_dir() else output.with_name(f".{output.name}.job")
    return folder / "manifest.json"


def edit_shot(output: Path, number: int, **changes: object) -> None:
    """Change a shot of the manifest as a person would."""
    path = manifest_of(output)
    content = json.loads(path.read_text())
    content["shots"][number].update(changes)
    path.write_text(json.dumps(content))


class Killed(BaseException):
    """Stands for the end of the process: nothing in the job may catch it."""


@pytest.fixture
def kill_after(monkeypatch) -> Callable[[int], None]:
    """Return a function that ends the next run when it has written so many frames."""

    def kill_after(count: int) -> None:
        left = iter(range(count))
        original = {writer: writer.write for writer in (run.FilmWriter, run.PictureWriter)}

        def write(self: Any, part: Any, frame: Any) -> None:
            if next(left, None) is None:
                for writer, method in original.items():
                    monkeypatch.setattr(writer, "write", method)
                raise Killed
            original[type(self)](self, part, frame)

        for writer in original:
            monkeypatch.setattr(writer, "write", write)

    return kill_after


@pytest.fixture
def small_parts(monkeypatch) -> Iterator[None]:
    """Cut long shots after five frames, so that their states travel from part to part."""
    monkeypatch.setattr(run, "longest_piece", lambda size: 5)
    return


def test_the_shots_are_found_and_written_down(tmp_path: Path, folder: Path, colour) -> None:
    done = colour(folder, tmp_path / "out")
    assert (done.frames, done.rendered, done.complete) == (COUNT, COUNT, True)
    shots = read_manifest(manifest_of(tmp_path / "out")).shots
    assert [(shot.start, shot.stop) for shot in shots] == [(0, 9), (9, 16), (16, 28)]
    assert len(read(tmp_path / "out")) == COUNT


def test_what_is_finished_is_not_done_again(tmp_path: Path, film: Path, colour) -> None:
    output = tmp_path / "out.mkv"
    colour(film, output)
    before = output.stat().st_mtime_ns
    assert colour(film, output).rendered == 0
    assert output.stat().st_mtime_ns == before
    output.unlink()
    assert colour(film, output).rendered == 0  # joined from the parts alone
    assert len(read(output)) == COUNT


@pytest.mark.parametrize("form", ["folder", "film"])
@pytest.mark.parametrize("moments", [(2,), (11, 1, 8)])
def test_a_killed_job_goes_on_to_the_same_pictures(
    tmp_path: Path, request, colour, kill_after, form: str, moments: tuple[int, ...]
) -> None:
    source = request.getfixturevalue(form)
    names = ["whole", "killed"] if form == "folder" else ["whole.mkv", "killed.mkv"]
    whole, killed = (tmp_path / name for name in names)
    colour(source, whole)
    for count in moments:
        kill_after(count)
        with pytest.raises(Killed):
            colour(source, killed)
        assert form == "folder" or not killed.exists()
    done = colour(source, killed)
    assert 0 < done.rendered < COUNT or moments == (2,)
    assert all(same(read(whole), read(killed)))


def test_the_sound_and_times_of_a_film_stay(tmp_path: Path, film: Path, colour) -> None:
    colour(film, tmp_path / "out.mkv")
    assert frame_times(tmp_path / "out.mkv") == frame_times(film)
    assert packets(tmp_path / "out.mkv", "audio") == packets(film, "audio")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_the_quality_of_a_film_reaches_its_parts(
    tmp_path: Path, film: Path, colour, suffix: str
) -> None:
    sizes = []
    for quality in (20, 90):
        output = tmp_path / f"{quality}{suffix}"
        colour(film, output, quality=quality)
        assert len(read(output)) == COUNT
        sizes.append(output.stat().st_size)
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize("model", [{}, {"refiner": {"channels": [4, 4]}}, {"inputs": "gray_pair"}])
def test_a_shot_killed_in_its_middle_goes_on_from_its_state(
    tmp_path: Path, folder: Path, colour, kill_after, small_parts, model: dict[str, Any]
) -> None:
    path = write_safetensors(tmp_path / "sequential.safetensors", **model)
    settings = {"model": path, "refine": "refiner" in model}
    colour(folder, tmp_path / "whole", **settings)
    kill_after(23)  # inside the second of three parts of the last shot
    with pytest.raises(Killed):
        colour(folder, tmp_path / "killed", **settings)
    states = list((tmp_path / "killed" / ".job" / "states").iterdir())
    assert len(states) == 1
    done = colour(folder, tmp_path / "killed", **settings)
    assert done.rendered == 7
    assert all(same(read(tmp_path / "whole"), read(tmp_path / "killed")))
    assert not any((tmp_path / "killed" / ".job" / "states").iterdir())


@pytest.mark.parametrize("stillness", [0.0, 0.9])
def test_the_parts_of_a_shot_are_the_pieces_of_the_engine(
    tmp_path: Path, folder: Path, colour, small_parts, checkpoint, pictures, monkeypatch, stillness
) -> None:
    colour(folder, tmp_path / "out", stillness=stillness)
    monkeypatch.setattr(engine, "longest_piece", lambda size: 5)
    colorizer = LoadedNetworks.load(checkpoint, device="cpu", short_side=24)
    shots = engine.ShotEngine(colorizer, RenderSettings(stillness=stillness))
    start = COUNT - LENGTHS[2]
    frames = [Frame(n, "", np.dstack([pictures[n]] * 3)) for n in range(start, COUNT)]
    found = [each.rgb for (each,) in shots(frames, variant=0)]
    expected = read(tmp_path / "out")[start:]
    assert [np.array_equal(*pair) for pair in zip(found, expected, strict=True)] == [True] * 12


def test_a_lost_state_is_made_again(
    tmp_path: Path, folder: Path, colour, kill_after, small_parts
) -> None:
    colour(folder, tmp_path / "whole")
    kill_after(23)
    with pytest.raises(Killed):
        colour(folder, tmp_path / "killed")
    shutil.rmtree(tmp_path / "killed" / ".job" / "states")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed").glob("*.png")}
    assert colour(folder, tmp_path / "killed").rendered == 12  # the whole last shot
    assert all(same(read(tmp_path / "whole"), read(tmp_path / "killed")))
    first = tmp_path / "killed" / "17.png"  # gone through again, but not written again
    assert first.stat().st_mtime_ns == written[first]


def test_another_choice_renders_its_shot_only(tmp_path: Path, film: Path, colour) -> None:
    output = tmp_path / "out.mkv"
    colour(film, output, variant=0)
    first = read(output)
    edit_shot(output, 1, variant=1)
    assert colour(film, output, variant=0).rendered == LENGTHS[1]
    equal = same(first, read(output))
    assert equal[:9] == [True] * 9
    assert equal[16:] == [True] * 12
    assert not any(equal[9:16])
    edit_shot(output, 1, variant="keep")
    assert colour(film, output, variant=0).rendered == LENGTHS[1]
    gray = read(output)[12]
    assert frame_times(output) == frame_times(film)
    assert np.ptp(gray[64:].astype(int)) <= 2  # its chroma planes are empty


def test_shots_can_be_merged_and_split_by_hand(tmp_path: Path, folder: Path, colour) -> None:
    output = tmp_path / "out"
    colour(folder, output)
    path = manifest_of(output)
    content = json.loads(path.read_text())
    content["shots"] = [
        {"start": 0, "stop": 9},
        {"start": 9, "stop": 20},
        {"start": 20, "stop": 28},
    ]
    path.write_text(json.dumps(content))
    assert colour(folder, output).rendered == COUNT - 9
    assert [shot.start for shot in read_manifest(path).shots] == [0, 9, 20]


def test_a_choice_that_the_model_does_not_have_is_named(
    tmp_path: Path, folder: Path, colour
) -> None:
    colour(folder, tmp_path / "out")
    edit_shot(tmp_path / "out", 1, variant=7)
    with pytest.raises(UserError, match=r"manifest.json: shot 2: variant is 7: .* 0 to 1"):
        colour(folder, tmp_path / "out")


def test_a_changed_frame_makes_its_shot_stale_only(tmp_path: Path, folder: Path, colour) -> None:
    output, said = tmp_path / "out", []
    colour(folder, output)
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("*.png")}
    picture = np.array(Image.open(folder / "12.png"))
    Image.fromarray(255 - picture // 2).save(folder / "12.png")
    assert colour(folder, output, said=said).rendered == LENGTHS[1]
    after = {path.name: path.stat().st_mtime_ns for path in output.glob("*.png")}
    changed = {int(name[:-4]) for name in before if before[name] != after[name]}
    assert changed == set(range(9, 16))
    assert "the source has changed" in said[0]


def test_a_removed_frame_leaves_other_shots_alone(tmp_path: Path, folder: Path, colour) -> None:
    output, said = tmp_path / "out", []
    colour(folder, output, variant=0)
    edit_shot(output, 0, variant=1)
    colour(folder, output, variant=0)
    (folder / "27.png").unlink()
    done = colour(folder, output, variant=0, said=said)
    assert (done.frames, done.rendered) == (COUNT - 1, LENGTHS[2] - 1)
    assert "27 frames instead of 28" in said[0]
    assert read_manifest(manifest_of(output)).shots[0].variant == 1  # carried over


def test_a_removed_result_is_made_again(tmp_path: Path, folder: Path, colour) -> None:
    colour(folder, tmp_path / "out")
    first = read(tmp_path / "out")
    (tmp_path / "out" / "3.png").unlink()
    (tmp_path / "out" / "11.png").write_bytes(b"")  # as a power cut may leave it
    assert colour(folder, tmp_path / "out").rendered == LENGTHS[0] + LENGTHS[1]
    assert all(same(first, read(tmp_path / "out")))


def test_shards_make_the_same_film(tmp_path: Path, film: Path, colour) -> None:
    colour(film, tmp_path / "whole.mkv")
    output = tmp_path / "shared.mkv"
    assert colour(film, output, share=Share(only="plan")).rendered == 0
    rendered = [colour(film, output, share=Share(number, 3)).rendered for number in (3, 1)]
    assert not output.exists()
    with pytest.raises(UserError, match=r"shared.mkv: frames 9-15 are not coloured yet; run their"):
        colour(film, output, share=Share(only="merge"))
    rendered.append(colour(film, output, share=Share(2, 3)).rendered)
    assert sorted(rendered) == sorted(LENGTHS)
    assert colour(film, output, share=Share(2, 3, only="merge")).complete
    assert all(same(read(tmp_path / "whole.mkv"), read(output)))


def test_two_processes_do_not_do_the_same_work(tmp_path: Path, folder: Path, colour) -> None:
    colour(folder, tmp_path / "out", share=Share(only="plan"))
    store = run.Store(tmp_path / "out" / ".job", frames=tmp_path / "out")
    with (
        store.locked("run-1-of-1", output=tmp_path / "out"),
        pytest.raises(UserError, match="is being coloured by another process"),
    ):
        colour(folder, tmp_path / "out")
    assert colour(folder, tmp_path / "out").rendered == COUNT


def with_colour(folder: Path, first: int, last: int) -> None:
    """Give frames of the folder colours of their own."""
    random = np.random.default_rng(0)
    hues = cv2.resize(random.integers(0, 255, (4, 4, 3), dtype=np.uint8), (96, 64))
    for number in range(first, last):
        gray = np.array(Image.open(folder / f"{number}.png"))
        Image.fromarray((gray[..., None] // 2 + hues // 2).astype(np.uint8)).save(
            folder / f"{number}.png"
        )


def test_a_shot_in_colour_stays_as_it_is(tmp_path: Path, folder: Path, colour) -> None:
    with_colour(folder, 9, 16)
    said: list[str] = []
    done = colour(folder, tmp_path / "out", said=said)
    assert done.rendered == COUNT - LENGTHS[1]
    assert said == [
        "1 of 3 shots (7 frames) are in colour already and stay as they are; --recolor colours "
        "them too"
    ]
    for number in range(9, 16):
        name = f"{number}.png"
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()
    assert colour(folder, tmp_path / "out", recolor=True).rendered == LENGTHS[1]
    assert (tmp_path / "out" / "9.png").read_bytes() != (folder / "9.png").read_bytes()


def test_a_source_in_colour_is_refused_and_leaves_nothing(
    tmp_path: Path, folder: Path, colour
) -> None:
    with_colour(folder, 0, COUNT)
    with pytest.raises(UserError, match="in is in colour already; --recolor takes its luma"):
        colour(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert colour(folder, tmp_path / "out", recolor=True).rendered == COUNT


def test_memory_that_runs_out_costs_the_batch_not_the_colours(
    tmp_path: Path, folder: Path, colour, monkeypatch
) -> None:
    colour(folder, tmp_path / "whole")
    forward = torch.nn.Conv2d.forward

    def greedy(self: Any, images: torch.Tensor) -> torch.Tensor:
        if len(images) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB")
        return forward(self, images)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", greedy)
    said: list[str] = []
    colour(folder, tmp_path / "less", said=said)
    assert said == ["memory ran out: going on with 2 frames at a time"]
    for a, b in zip(read(tmp_path / "whole"), read(tmp_path / "less"), strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1


def test_memory_that_never_suffices_is_an_error_and_no_gray_frame(
    tmp_path: Path, folder: Path, colour, monkeypatch
) -> None:
    def greedy(self: Any, images: torch.Tensor) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(torch.nn.Conv2d, "forward", greedy)
    with pytest.raises(OutOfMemoryError, match="does not suffice for one frame"):
        colour(folder, tmp_path / "out", variant=0)
    assert list((tmp_path / "out").glob("*.png")) == []


def test_a_film_that_became_shorter_unnoticed_is_named(
    tmp_path: Path, film: Path, colour, monkeypatch
) -> None:
    colour(film, tmp_path / "out.mkv", share=Share(only="plan"))
    frames = VideoSource.frames
    monkeypatch.setattr(
        VideoSource, "frames", lambda self, *a, **k: islice(frames(self, *a, **k), 20)
    )
    with pytest.raises(MediaError, match=r"in.mkv ends before frame 20, which its job expects"):
        colour(film, tmp_path / "out.mkv")


def test_a_full_disk_is_named_and_the_job_goes_on_later(
    tmp_path: Path, film: Path, colour, kill_after, monkeypatch
) -> None:
    colour(film, tmp_path / "whole.mkv")
    calls = iter(range(100))
    finish = run.FilmWriter.finish

    def full(self: Any, part: Any) -> list[str]:
        if next(calls) == 1:
            monkeypatch.setattr(run.FilmWriter, "finish", finish)
            raise MediaError("cannot write out.mkv: No space left on device; free some space")
        return finish(self, part)

    monkeypatch.setattr(run.FilmWriter, "finish", full)
    with pytest.raises(MediaError, match="free some space"):
        colour(film, tmp_path / "out.mkv")
    assert not (tmp_path / "out.mkv").exists()
    assert colour(film, tmp_path / "out.mkv").rendered == COUNT - LENGTHS[0]
    assert all(same(read(tmp_path / "whole.mkv"), read(tmp_path / "out.mkv")))


def test_a_static_background_is_static_to_the_bit(tmp_path: Path, folder: Path, colour) -> None:
    colour(folder, tmp_path / "out", stillness=1.0)
    frames = read(tmp_path / "out")[16:28]
    # The block moves through rows 20 to 36: what is far from it never changes in the source.
    for before, after in itertools.pairwise(frames):
        np.testing.assert_array_equal(before[56:], after[56:])
    assert np.ptp(frames[0].astype(int), axis=2).max() > 5
    assert not np.array_equal(frames[0][20:36], frames[1][20:36])


def test_saturation_is_a_factor(tmp_path: Path, folder: Path, colour) -> None:
    spread = []
    for factor in (0.0, 0.05, 0.1):  # small: nothing is clipped at the border of the gamut
        colour(folder, tmp_path / str(factor), saturation=factor)
        frames = read(tmp_path / str(factor))
        spread.append(np.mean([np.ptp(frame.astype(int), axis=2).mean() for frame in frames]))
    assert spread[0] == 0
    assert spread[2] > 3
    assert spread[1] == pytest.approx(spread[2] / 2, rel=0.15)


def test_half_precision_is_a_setting_of_the_job_like_any_other(
    colour: Callable[..., Done], folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    assert colour(folder, output).rendered == COUNT
    exact = read(output)
    assert colour(folder, output, fast=True).rendered == COUNT
    fast = read(output)
    assert not all(same(exact, fast))
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(exact, fast, strict=True)) < 1
    assert colour(folder, output, fast=True).rendered == 0
