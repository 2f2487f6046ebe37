"""Take the pictures of the page's tabs, light and dark, that the documentation shows.

The film, the references and the faces are drawn by procedures of this repository; the checkpoints
are those of any training on them::

  colorize-train data=cartoon name=cartoon
  classify-train classifier=expressions
  python tools/screenshots.py --checkpoint runs/cartoon/model.safetensors \\
      --classifier runs/expressions/model.safetensors
"""

from __future__ import annotations

import argparse
import io
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import uvicorn
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from classify.data.faces import EXPRESSIONS, draw_artist, draw_face
from colorize.app.server import make_app
from colorize.app.studio import Studio
from colorize.base.errors import fail
from colorize.cartoon import CartoonSeries
from colorize.cartoon.points import clicks
from colorize.media import write_video

ROOT = Path(__file__).resolve().parents[1]
SHOTS = (100, 103, 105, 108)  # far behind those of a training
SIZE, LENGTH = (360, 640), 24
NAMES = ("sky", "sand", "sea")
LARGEST = 120_000  # bytes of a picture
PATIENCE = 300_000  # milliseconds that a job may take


def main() -> None:
    """Take all pictures."""
    options = _parse()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_material(folder, options)
        with serving(folder) as address, sync_playwright() as playwright:
            playwright.selectors.set_test_id_attribute("data-test")
            browser = playwright.chromium.launch(
                executable_path=options.chromium, args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            for tab in options.tabs:
                TABS[tab](page, address, folder)
                for theme in ("light", "dark"):
                    set_theme(page, theme)
                    page.wait_for_timeout(400)
                    path = options.output / f"{tab}-{theme}.png"
                    save_small(page.screenshot(), path)
                    print(path, path.stat().st_size)
            browser.close()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--checkpoint", type=Path, required=True, help="of colorize-train, on cartoons")
    add("--classifier", type=Path, required=True, help="of classify-train, of expressions")
    add("-o", "--output", type=Path, default=ROOT / "docs/page", help="default docs/page")
    add("--chromium", default=shutil.which("chromium"), help="default: that of the path")
    add("--tabs", nargs="+", choices=list(TABS), default=list(TABS), help="default: all")
    options = parser.parse_args()
    if options.chromium is None:
        fail("no chromium is on the path; install it, or name another browser by --chromium")
    options.output.mkdir(parents=True, exist_ok=True)
    return options


def draw_material(folder: Path, options: argparse.Namespace) -> None:
    """Draw the film, the references and the faces; copy the checkpoints into runs of their own."""
    series = _series()
    shots = [series.color(number) for number in SHOTS]
    (folder / "references").mkdir()
    for number in (0, 2):
        path = folder / "references" / f"At the seaside_{LENGTH * number + 6:04d}.png"
        Image.fromarray(shots[number][6]).save(path)
    gray = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for shot in shots for frame in shot)
    pictures = (np.repeat(each[..., None], 3, axis=2) for each in gray)
    write_video(folder / "At the seaside.mp4", pictures, rate=Fraction(12))
    random = np.random.default_rng(3)
    (folder / "drawings/faces").mkdir(parents=True)
    for number in range(20):
        face = draw_face(draw_artist(random), EXPRESSIONS[number % 4], random)
        Image.fromarray(face).save(folder / "drawings/faces" / f"face {number + 1:02d}.png")
    for name, path in (("cartoon", options.checkpoint), ("expressions", options.classifier)):
        (folder / "models" / name).mkdir(parents=True)
        shutil.copyfile(path, folder / "models" / name / "model.safetensors")


def _series() -> CartoonSeries:
    return CartoonSeries(seed=0, size=SIZE, shots=120, frames_per_shot=LENGTH, effects=False)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the page on a free port and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    roots = {
        "models": folder / "models",
        "drawings": folder / "drawings",
        "experiments": ROOT / "experiments",
    }
    studio = Studio(work=folder / "work", roots=roots)
    server = uvicorn.Server(uvicorn.Config(make_app(studio), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.1)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def show_colour(page: Page, address: str, folder: Path) -> None:
    """Colour the film, and look at a frame of it with its references dropped."""
    page.goto(f"{address}/#colour")
    page.set_input_files(".drop input", folder / "At the seaside.mp4")
    card = page.locator(".card", has=page.get_by_role("heading", name="References"))
    card.locator("input").set_input_files(sorted((folder / "references").iterdir()))
    page.get_by_role("button", name="Colour", exact=True).click()
    expect(page.locator("main h2 .badge").first).to_have_text("done", timeout=PATIENCE)
    page.get_by_label("frame", exact=True).fill("7")
    page.wait_for_timeout(2000)


def show_shots(page: Page, address: str, folder: Path) -> None:
    """Colour the film by weights that know four ways, and choose another for the second shot."""
    page.goto(f"{address}/#colour")
    page.get_by_role("link", name="New").click()
    page.set_input_files(".drop input", folder / "At the seaside.mp4")
    page.get_by_text("How it looks").click()
    page.get_by_label("Model").select_option("models/cartoon/model.safetensors")
    page.get_by_role("button", name="Colour", exact=True).click()
    expect(page.locator("main h2 .badge").first).to_have_text("done", timeout=PATIENCE)
    page.get_by_role("link", name="Choose colours by shot").click()
    page.locator('[data-shot="2"] [data-value="3"]').click()
    expect(page.get_by_test_id("render")).to_contain_text("1 shot")
    page.wait_for_timeout(1500)


def show_paint(page: Page, address: str, folder: Path) -> None:
    """Let frames be suggested, and fill the first in its true colours, as far as it is done."""
    page.goto(f"{address}/#colour")
    page.get_by_role("link", name="New").click()
    page.set_input_files(".drop input", folder / "At the seaside.mp4")
    page.get_by_role("link", name="Paint frames").click()
    page.get_by_test_id("begin").click()
    expect(page.locator(".frame-card").first).to_be_visible(timeout=PATIENCE)
    card = page.locator(".frame-card").first
    frame = int(card.get_attribute("data-frame") or 0)
    card.click()
    expect(page.get_by_test_id("size")).not_to_have_text("regions …", timeout=PATIENCE)
    shot = _series().shot(SHOTS[frame // LENGTH])
    places = clicks(shot.segments[frame % LENGTH], shot.color[frame % LENGTH], 22)
    for number, (y, x, color) in enumerate(places):
        page.get_by_label("a new colour").evaluate(
            "(e, v) => { e.value = v; e.dispatchEvent(new Event('change')); }", color
        )
        page.wait_for_timeout(300)
        if number < len(NAMES):
            page.get_by_label("name of this colour").fill(NAMES[number])
            page.get_by_label("name of this colour").press("Enter")
        box = page.get_by_test_id("easel").bounding_box()
        assert box is not None
        page.mouse.click(
            box["x"] + (x + 0.5) * box["width"] / SIZE[1],
            box["y"] + (y + 0.5) * box["height"] / SIZE[0],
        )
        page.wait_for_timeout(1200)
    page.get_by_test_id("play-shot").click()
    page.wait_for_timeout(4000)
    page.get_by_test_id("play-shot").click()
    page.get_by_test_id("shot-place").fill(str(frame))
    page.wait_for_timeout(1500)


def show_classify(page: Page, address: str, folder: Path) -> None:
    """Classify nine faces."""
    page.goto(f"{address}/#classify")
    faces = sorted((folder / "drawings/faces").iterdir())[:9]
    page.set_input_files(".drop input", faces)
    page.get_by_role("button", name="Submit 9").click()
    expect(page.locator(".verdict")).to_have_count(9, timeout=PATIENCE)


def show_screen(page: Page, address: str, folder: Path) -> None:
    """Screen all faces for smiles with open eyes."""
    page.goto(f"{address}/#screen")
    page.get_by_label("Looking for").select_option("smile-eyes-open")
    page.get_by_label("Keep from probability").fill("0.5")
    page.get_by_label("Folder to look through", exact=True).fill("drawings/faces")
    page.get_by_label("Kept pictures go to", exact=True).fill("drawings/smiling")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_test_id("undo")).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(1500)


def show_runs(page: Page, address: str, folder: Path) -> None:
    """Look at a recorded training."""
    page.goto(f"{address}/#runs/experiments%2Ffirst-light")
    expect(page.locator(".chart").first).to_be_visible(timeout=PATIENCE)


TABS = {
    "colour": show_colour,
    "paint": show_paint,
    "shots": show_shots,
    "classify": show_classify,
    "screen": show_screen,
    "runs": show_runs,
}


def set_theme(page: Page, theme: str) -> None:
    """Switch to light or dark as a user does."""
    if page.locator("html").get_attribute("data-theme") != theme:
        page.locator("#theme").click()
        page.mouse.move(600, 790)
    page.evaluate("document.activeElement.blur(), document.getElementById('scroll').scrollTo(0, 0)")


def save_small(content: bytes, path: Path) -> None:
    """Save a screenshot at 960 pixels width, in as many colours as its limit of bytes allows."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    image = image.resize((960, 640), Image.Resampling.LANCZOS)
    for colors in (256, 192, 128, 96, 64, 48, 32):
        palette = image.quantize(palette=_palette(image, colors), dither=Image.Dither.NONE)
        palette.save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            return


def _palette(image: Image.Image, colors: int) -> Image.Image:
    """Return a palette that serves small things too: every colour counts by its root.

    Pillow's own, by the median, spends itself on large soft areas. An eighth of it are grays, so
    that what is black and white stays so.
    """
    pixels = np.asarray(image).reshape(-1, 3) // 4 * 4 + 2
    kinds, counts = np.unique(pixels, axis=0, return_counts=True)
    vivid = np.ptp(kinds.astype(int), axis=1) > 4
    kinds, counts = kinds[vivid], counts[vivid]
    grays = np.linspace(0, 255, colors // 8).round()[:, None].repeat(3, axis=1)
    repeated = np.repeat(kinds, np.ceil(np.sqrt(counts) / 4).astype(int), axis=0)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 12, 0)
    cv2.setRNGSeed(0)
    _, _, centres = cv2.kmeans(
        repeated.astype(np.float32), colors - len(grays), None, stop, 1, cv2.KMEANS_PP_CENTERS
    )
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([grays, centres]).round().astype(np.uint8).tobytes())
    return palette


if __name__ == "__main__":
    main()
