"""The command a user types: what comes out of it, and the one line that says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from colorize.films import command as cli
from colorize.inference import joining
from colorize.inference.colorizer import Colorizer
from colorize.inference.settings import RenderSettings
from tests.colorize.media.films import NTSC, average_rate, frame_times, gray_ramp, make_film
from tests.colorize.tiny import write_safetensors

LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_safetensors(tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture
def run(checkpoint: Path, capsys):
    """Return a function: colour a source on the CPU, give what was printed."""

    def colorize(source: Path, target: Path, *options: str) -> str:
        common = ["--checkpoint", str(checkpoint), "--device", "cpu"]
        cli.main([str(source), "-o", str(target), *common, *options])
        return capsys.readouterr().out

    return colorize


def write_gray(path: Path, size: tuple[int, int], index: int = 0) -> np.ndarray:
    """Write an 8-bit gray picture and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = gray_ramp(size, index)[..., 0]
    Image.fromarray(picture).save(path)
    return picture


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def assert_coloured(picture: np.ndarray, gray: np.ndarray) -> None:
    """Colours are there, and the drawing is the input's: the promise of the README."""
    rgb = picture[..., :3].astype(float)
    assert rgb.shape[:2] == gray.shape
    assert np.ptp(rgb, axis=2).max() > 5
    assert np.mean(np.abs(rgb @ LUMA - gray) <= 1) >= 0.99


def test_a_folder_keeps_names_order_size_and_drawing(tmp_path: Path, run) -> None:
    names = ["a 1.png", "a 2.png", "a 10.png"]
    grays = {
        name: write_gray(tmp_path / "in" / name, (201, 357), i) for i, name in enumerate(names)
    }
    printed = run(tmp_path / "in", tmp_path / "out", "--batch-size", "2")
    assert printed == (
        f"3 frames coloured: {tmp_path / 'out'}; the job lies in {tmp_path / 'out' / '.job'}\n"
    )
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*names, ".job"}
    for name, gray in grays.items():
        assert_coloured(read(tmp_path / "out" / name), gray)


def test_a_film_keeps_its_frames_rate_and_sound(tmp_path: Path, run) -> None:
    source = make_film(tmp_path / "in.mp4", count=10, rate=NTSC, audio="aac")
    target = tmp_path / "out.mp4"
    assert run(source, target, "--batch-size", "3").startswith("10 frames coloured")
    assert frame_times(target) == frame_times(source)
    assert len(frame_times(target)) == 10
    assert average_rate(target) == NTSC
    with av.open(str(target)) as film:
        assert [stream.type for stream in film.streams] == ["video", "audio"]
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert np.ptp(pictures[5].astype(int), axis=2).max() > 20
    difference = pictures[5] @ LUMA - gray_ramp((48, 64), 5)[..., 0]
    assert np.abs(difference).mean() < 4  # two lossy encodings


def test_16_bits_stay_16_bits(tmp_path: Path, run) -> None:
    gray = np.linspace(900, 64000, 24 * 40, dtype=np.uint16).reshape(24, 40)
    cv2.imwrite(str(tmp_path / "in.png"), gray)
    assert run(tmp_path / "in.png", tmp_path / "out.png") == (
        f"1 frame coloured: {tmp_path / 'out.png'}\n"
    )
    result = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert result.dtype == np.uint16
    assert np.ptp(result.astype(int), axis=2).max() > 257 * 5
    assert np.abs(result @ LUMA - gray).max() <= 1.5


def test_transparency_is_kept(tmp_path: Path, run) -> None:
    pixels = np.dstack([gray_ramp((20, 30), 1), np.arange(600, dtype=np.uint8).reshape(20, 30)])
    Image.fromarray(pixels).save(tmp_path / "in.png")
    run(tmp_path / "in.png", tmp_path / "out.png")
    result = read(tmp_path / "out.png")
    np.testing.assert_array_equal(result[..., 3], pixels[..., 3])
    assert_coloured(result, pixels[..., 0])


def test_pictures_of_several_sizes_and_depths_in_one_folder(tmp_path: Path, run) -> None:
    sizes = [(24, 40), (24, 40), (40, 24), (64, 100), (24, 40)]
    folder = tmp_path / "in"
    grays = [write_gray(folder / f"{i}.png", size, i) for i, size in enumerate(sizes)]
    cv2.imwrite(str(folder / "5.png"), grays[4].astype(np.uint16) * 257)
    run(folder, tmp_path / "out", "--variant", "1", "--size", "16")
    for i, gray in enumerate(grays):
        assert_coloured(read(tmp_path / "out" / f"{i}.png"), gray)
    deep = cv2.imread(str(tmp_path / "out" / "5.png"), cv2.IMREAD_UNCHANGED)
    assert deep.dtype == np.uint16
    same = read(tmp_path / "out" / "4.png")[..., ::-1].astype(int)
    assert np.abs(deep / 257 - same).max() < 0.51


def test_variants_and_working_sizes_give_other_colours(tmp_path: Path, run) -> None:
    write_gray(tmp_path / "in.png", (40, 60))
    for name, options in {"0": (), "1": ("--variant", "1"), "small": ("--size", "9")}.items():
        run(tmp_path / "in.png", tmp_path / f"{name}.png", *options)
    first = read(tmp_path / "0.png").astype(int)
    assert np.abs(read(tmp_path / "1.png") - first).max() > 5
    assert np.abs(read(tmp_path / "small.png") - first).max() > 5


def test_quality_is_that_of_a_jpeg(tmp_path: Path, run) -> None:
    write_gray(tmp_path / "in.png", (80, 120))
    sizes = []
    for quality in ("20", "95"):
        run(tmp_path / "in.png", tmp_path / f"{quality}.jpg", "--quality", quality)
        sizes.append((tmp_path / f"{quality}.jpg").stat().st_size)
    assert sizes[0] < sizes[1]


def test_help_names_every_option_and_shows_examples(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    options = ["INPUT", "-o", "--output", "--checkpoint", "--variant", "--device", "--size"]
    more = ["--batch-size", "--quality", "--stillness", "--saturation", "--recolor", "--shard"]
    late = ["--plan", "--merge", "--reference", "--no-references", "--fast"]
    for option in [*options, *more, *late]:
        assert option in text
    assert "colorize film.mp4 -o film-colour.mp4 --reference coloured/" in text


def test_help_does_not_wait_for_pytorch() -> None:
    program = "import sys; from colorize.films import command; command.parser(); "
    program += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ([], {}),
        (["--size", "96"], {"short_side": 96}),
        (["--variant", "3"], {"variant": 3}),
        (["--variant", "auto"], {}),
        (["--saturation", "1.5"], {"saturation": 1.5}),
        (["--stillness", "0"], {"stillness": 0.0}),
        (["--quality", "75"], {"quality": 75}),
        (["--recolor"], {"recolor": True}),
        (["--no-refine"], {"refine": False}),
        (["--fast"], {"fast": True}),
    ],
)
def test_flags_are_settings(words: list[str], settings: dict[str, object]) -> None:
    options = cli.parser().parse_args(["in.mp4", "-o", "out.mp4", *words])
    assert cli.chosen_settings(options) == RenderSettings(**settings)


def empty_folder(folder: Path) -> list[str]:
    (folder / "frames").mkdir()
    return ["frames", "coloured"]


def text_named_png(folder: Path) -> list[str]:
    (folder / "in.png").write_text("no picture")
    return ["in.png", "out.png"]


def truncated_film(folder: Path) -> list[str]:
    path = make_film(folder / "in.mp4", count=6, faststart=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return ["in.mp4", "out.mp4"]


def film_without_index(folder: Path) -> list[str]:
    path = make_film(folder / "in.mp4", count=6)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return ["in.mp4", "out.mp4"]


def absent_input(folder: Path) -> list[str]:
    return ["nowhere.png", "out.png"]


def output_is_input(folder: Path) -> list[str]:
    write_gray(folder / "in.png", (20, 30))
    return ["in.png", "in.png"]


def output_is_the_input_folder(folder: Path) -> list[str]:
    write_gray(folder / "frames" / "1.png", (20, 30))
    return ["frames", "frames"]


def good(*options: str):
    def make(folder: Path) -> list[str]:
        write_gray(folder / "in.png", (20, 30))
        return ["in.png", "out.png", *options]

    return make


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (empty_folder, "frames holds no pictures"),
        (text_named_png, "in.png is not a picture"),
        (truncated_film, "in.mp4"),
        (film_without_index, "in.mp4"),
        (absent_input, "nowhere.png does not exist"),
        (output_is_input, "in.png is the input"),
        (output_is_the_input_folder, "frames is the input"),
        (good("--variant", "9"), "variant is 9: this model has 0 to 1"),
        (good("--size", "0"), "--size: '0' is not a positive whole number"),
        (good("--size", "wide"), "--size: 'wide' is not a positive whole number"),
        (good("--size", "²"), "--size: '²' is not a positive whole number"),
        (good("--batch-size", "0"), "--batch-size: '0' is not a positive whole number"),
        (good("--quality", "101"), "--quality"),
        (good("--variant", "best"), "--variant: 'best' is neither auto nor a whole number"),
        (good("--stillness", "1.5"), "--stillness: '1.5' is not a number from 0 to 1"),
        (good("--saturation", "-1"), "--saturation"),
        (good("--shard", "3/2"), "--shard: '3/2' is not a share like 2/8"),
        (good("--plan", "--merge"), "--merge: not allowed with argument --plan"),
        (good("--varient", "1"), "--varient"),
        (good("--device", "gpu"), "--device is 'gpu'"),
        (good("--checkpoint", "absent.ckpt"), "absent.ckpt: no such checkpoint"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch, capsys, checkpoint: Path, make, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source, target, *options = make(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(SystemExit) as stopped:
        cli.main(
            [source, "-o", target, "--checkpoint", str(checkpoint), "--device", "cpu", *options]
        )
    assert stopped.value.code == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert message in errors
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_missing_option_is_one_line(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["frames"])
    assert stopped.value.code == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "--output" in errors


def test_a_broken_frame_is_found_before_anything_is_coloured(tmp_path: Path, run, capsys) -> None:
    write_gray(tmp_path / "in" / "1.png", (24, 40))
    (tmp_path / "in" / "2.png").write_bytes(b"no picture")
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path / "in", tmp_path / "out", "--batch-size", "1")
    assert stopped.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"error: {tmp_path / 'in' / '2.png'} is not a picture")
    assert not (tmp_path / "out").exists()


def test_a_film_that_is_stopped_leaves_its_job_and_no_film(
    tmp_path: Path, run, monkeypatch, capsys
) -> None:
    source = make_film(tmp_path / "in.mp4", count=6)
    original = joining.to_integers

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(joining, "to_integers", fail)
    with pytest.raises(SystemExit) as stopped:
        run(source, tmp_path / "out.mp4")
    assert stopped.value.code == 130
    assert capsys.readouterr().err.endswith("stopped; the same command continues where it can\n")
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", ".out.mp4.job"}
    monkeypatch.setattr(joining, "to_integers", original)
    run(source, tmp_path / "out.mp4")
    assert len(frame_times(tmp_path / "out.mp4")) == 6
    assert run(source, tmp_path / "out.mp4").startswith("nothing to do: all 6 frames are coloured")


def two_shots(folder: Path) -> np.ndarray:
    """Write eight frames of one picture and eight of another, each moving a little; return them."""
    folder.mkdir()
    random = np.random.default_rng(0)
    frames = []
    for _ in range(2):
        coarse = random.integers(40, 216, (6, 8), dtype=np.uint8)
        picture = cv2.resize(coarse, (96, 64), interpolation=cv2.INTER_CUBIC)
        frames += [np.roll(picture, step, axis=1) for step in range(8)]
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number:02d}.png")
    return np.stack(frames)


@pytest.mark.parametrize("options", [[], ["--no-refine"]])
def test_a_refined_film_goes_on_within_a_shot_and_starts_anew_at_a_cut(
    tmp_path: Path, capsys, options: list[str]
) -> None:
    path = write_safetensors(tmp_path / "refined.safetensors", refiner={"channels": [4, 4]})
    frames = two_shots(tmp_path / "in")
    common = ["--checkpoint", str(path), "--device", "cpu", "--batch-size", "3", "--variant", "1"]
    common += ["--stillness", "0"]
    cli.main([str(tmp_path / "in"), "-o", str(tmp_path / "out"), *common, *options])
    capsys.readouterr()
    colorizer = Colorizer.load(path, device="cpu")
    settings = RenderSettings(stillness=0.0, refine=not options)
    first, second, uncut = (
        np.stack(colorizer(list(each), variant=1, settings=settings))
        for each in (frames[:8], frames[8:], frames)
    )
    result = np.stack([read(tmp_path / "out" / f"{number:02d}.png") for number in range(16)])
    assert np.abs(result - np.concatenate([first, second]).astype(int)).max() <= 1
    # Going on across the cut would look different, with a refiner alone.
    assert bool(np.abs(result[8:] - uncut[8:].astype(int)).max() > 5) is (not options)
