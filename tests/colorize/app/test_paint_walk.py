"""From a gray film and no coloured picture to a film in colour, in the page, by clicks."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from colorize.cartoon import CartoonSeries
from colorize.cartoon.points import clicks
from colorize.films.plan.manifest import read_manifest
from colorize.inference.shipped import weights_path
from colorize.media import VideoSource, write_video
from tests.colorize.app.test_browser import CHROMIUM, REASON, browser  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=REASON)
if CHROMIUM is not None:
    from playwright.sync_api import Browser, expect
    from playwright.sync_api import Page as Tab

SIZE, SHOTS, LENGTH = (180, 320), 4, 8
LIMIT = 60_000  # milliseconds of any step, on a machine that is busy with other things
LUMA = np.array([0.299, 0.587, 0.114])
WEIGHTS = weights_path("default")  # before other tests hide them


class Story:
    """A film of four shots, the third where the first was, with its true colours and regions."""

    def __init__(self) -> None:
        self.series = CartoonSeries(
            seed=9402, size=SIZE, shots=SHOTS, frames_per_shot=LENGTH, scenes=2, effects=False
        )
        self.shots = [self.series.shot(number) for number in range(SHOTS)]
        self.colors = np.concatenate([shot.color for shot in self.shots])
        self.gray = np.repeat((self.colors @ LUMA).round().astype(np.uint8)[..., None], 3, axis=3)

    def write(self, path: Path) -> None:
        write_video(path, iter(self.gray), rate=Fraction(12))

    def places(self, frame: int, count: int) -> list[tuple[int, int, str]]:
        """The innermost points (y, x) of the largest regions of a frame, and their true colours."""
        segments = self.shots[frame // LENGTH].segments[frame % LENGTH]
        return clicks(segments, self.colors[frame], count)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@contextmanager
def server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the page in a process of its own, which can be killed."""
    start = "from colorize.app.command import main; main()"
    command = [sys.executable, "-c", start, f"models={folder / 'models'}"]
    arguments = ["--work", str(folder / "page"), "--port", str(port)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([*command, *arguments], stdout=log, stderr=log)
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield process
        finally:
            process.kill()
            process.wait()


class Painter:
    """What a person does in the Paint tab."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    def click(self, y: int, x: int) -> None:
        box = self.tab.get_by_test_id("easel").bounding_box()
        scale = min(box["width"] / SIZE[1], box["height"] / SIZE[0])
        left = box["x"] + (box["width"] - scale * SIZE[1]) / 2
        top = box["y"] + (box["height"] - scale * SIZE[0]) / 2
        with self.tab.expect_response(lambda r: r.url.endswith("/draft"), timeout=LIMIT):
            self.tab.mouse.click(left + (x + 0.5) * scale, top + (y + 0.5) * scale)

    def colour(self, color: str, name: str | None = None) -> None:
        with self.tab.expect_response(lambda r: r.url.endswith("/palette/add")):
            self.tab.get_by_label("a new colour").evaluate(
                "(e, v) => { e.value = v; e.dispatchEvent(new Event('change')); }", color
            )
        expect(self.tab.get_by_label("this colour", exact=True)).to_have_value(color)
        if name is not None:
            with self.tab.expect_response(lambda r: r.url.endswith("/palette/change")):
                self.tab.get_by_label("name of this colour").fill(name)
                self.tab.get_by_label("name of this colour").press("Enter")

    def fill(self, story: Story, frame: int, count: int, **names: str) -> None:
        for number, (y, x, color) in enumerate(story.places(frame, count)):
            self.colour(color, names.get(f"n{number}"))
            self.click(y, x)

    def drafted(self) -> None:
        expect(self.tab.get_by_test_id("said")).to_contain_text("coloured in", timeout=LIMIT)

    def pixels(self) -> np.ndarray:
        """What the easel shows."""
        shot = self.tab.get_by_test_id("easel").screenshot()
        pixels = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
        return cv2.resize(pixels, SIZE[::-1], interpolation=cv2.INTER_AREA)


def test_a_gray_film_is_painted_by_clicks_and_comes_out_in_colour(
    browser: Browser,  # noqa: F811
    tmp_path: Path,
) -> None:
    story = Story()
    story.write(tmp_path / "a story.mp4")
    (tmp_path / "models").mkdir()
    shutil.copyfile(WEIGHTS, tmp_path / "models/default.safetensors")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tab = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.set_default_timeout(LIMIT)
    painter = Painter(tab)
    with server(tmp_path, port) as process:
        # Drop the film, let frames be suggested, take the first.
        tab.goto(f"http://127.0.0.1:{port}")
        tab.locator(".drop input").set_input_files(tmp_path / "a story.mp4")
        tab.get_by_role("link", name="Paint frames").click()
        tab.get_by_label("how many frames").fill("4")
        tab.get_by_test_id("begin").click()
        cards = tab.locator(".frame-card")
        expect(cards).to_have_count(4, timeout=2 * LIMIT)
        first = int(cards.first.get_attribute("data-frame"))
        cards.first.click()
        painter.drafted()
        expect(tab.get_by_test_id("size")).not_to_have_text("regions …")

        # Fill its largest regions: the result changes at once, everywhere.
        before = painter.pixels()
        painter.fill(story, first, 8, n0="the ground")
        painter.drafted()
        after = painter.pixels()
        assert np.abs(after.astype(int) - before).mean() > 2
        tab.keyboard.press("2")  # painted only
        tab.wait_for_timeout(200)
        assert np.abs(painter.pixels().astype(int) - after).mean() > 0.5
        tab.keyboard.press("1")

        # Undo takes the last fill back, redo gives it again.
        tab.get_by_test_id("undo").click()
        expect(tab.get_by_test_id("redo")).to_be_enabled()
        tab.keyboard.press("Control+Shift+z")
        expect(tab.get_by_test_id("redo")).to_be_disabled()

        # Play the shot until it is drafted, and paint another frame of it.
        tab.get_by_test_id("play-shot").click()
        expect(tab.get_by_test_id("shot-text")).to_contain_text(
            f"{LENGTH} of {LENGTH} drafted", timeout=LIMIT
        )
        tab.get_by_test_id("play-shot").click()
        shot = first // LENGTH
        other = shot * LENGTH + (0 if first % LENGTH >= LENGTH // 2 else LENGTH - 1)
        tab.get_by_test_id("shot-place").fill(str(other))
        tab.get_by_test_id("paint-here").click()
        expect(tab.get_by_test_id("paint-here")).to_be_hidden()
        painter.drafted()
        expect(tab.get_by_test_id("size")).not_to_have_text("regions …")
        painter.fill(story, other, 3)
        expect(tab.locator(".frame-card", has_text="painted")).to_have_count(2)
        process.kill()

    # The server was killed: what is painted is there when it comes back.
    with server(tmp_path, port):
        tab.goto(f"http://127.0.0.1:{port}/#paint")
        tab.reload()
        tab.get_by_role("link", name="a story.mp4").click()
        expect(tab.locator(".frame-card", has_text="painted")).to_have_count(2)
        for number in (first, other):
            tab.locator(f"[data-frame='{number}']").click()
            painter.drafted()
            tab.get_by_test_id("accept").click()
            expect(
                tab.locator(f"[data-frame='{number}']").get_by_text("in the film")
            ).to_be_visible()

        # Where the named colour is found again, it is offered, and taken by a click.
        back = (first + 2 * LENGTH) % (SHOTS * LENGTH)
        tab.get_by_label("number of another frame").fill(str(back))
        tab.get_by_role("button", name="Paint frame", exact=True).click()
        tab.locator(".offer").first.click()
        expect(tab.locator(f"[data-frame='{back}']").get_by_text("painted")).to_be_visible()
        tab.get_by_test_id("accept").click()
        expect(tab.locator(f"[data-frame='{back}']").get_by_text("in the film")).to_be_visible()

        # One frame of each other shot, then the film.
        for number in [int(each.get_attribute("data-frame")) for each in cards.all()]:
            if number // LENGTH not in (shot, back // LENGTH):
                tab.locator(f"[data-frame='{number}']").click()
                painter.drafted()
                expect(tab.get_by_test_id("size")).not_to_have_text("regions …")
                painter.fill(story, number, 8)
                tab.get_by_test_id("accept").click()
                expect(
                    tab.locator(f"[data-frame='{number}']").get_by_text("in the film")
                ).to_be_visible()
        tab.get_by_test_id("colour-film").click()
        expect(tab.locator("main h2 .badge").first).to_have_text("done", timeout=3 * LIMIT)
        with tab.expect_download() as download:
            tab.get_by_role("link", name="Download the film").click()
        download.value.save_as(tmp_path / "coloured.mp4")
    assert problems == []

    result = np.stack([frame.rgb for frame in VideoSource(tmp_path / "coloured.mp4")])
    assert result.shape == story.colors.shape
    gain = psnr(result, story.colors) - psnr(story.gray, story.colors)
    assert gain > 2, f"{gain:.2f} dB above gray"
    [manifest] = (tmp_path / "page/jobs").glob("*/output/.*.job/manifest.json")
    frames = {each.frame for each in read_manifest(manifest).references}
    assert {first, other, back} <= frames
