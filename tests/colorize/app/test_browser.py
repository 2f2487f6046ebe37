"""The real page in a real browser: what a user does, from the first drop to the download."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from colorize.films.plan.manifest import read_manifest
from colorize.inference.settings import RenderSettings, declared_settings
from colorize.media import VideoSource
from tests.classify.samples import class_folders
from tests.classify.tiny import write_checkpoint
from tests.colorize.app.pages import LENGTHS, Page, film_bytes, gray_frames, png
from tests.colorize.films.drawn import tinted
from tests.colorize.inference.test_settings import other
from tests.colorize.tiny import write_reference_safetensors, write_safetensors

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REASON = "no chromium on the path; install it (Debian: apt-get install chromium)"
COUNT = sum(LENGTHS)

if CHROMIUM is None and os.environ.get("CI"):
    pytest.fail(REASON, pytrace=False)  # never skipped where the page must be known to work
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=REASON)
if CHROMIUM is not None:
    import uvicorn
    from playwright.sync_api import Browser, Locator, expect, sync_playwright
    from playwright.sync_api import Page as Tab


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        expect.set_options(timeout=20_000)  # a machine may be busy with other things
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Page, str]]:
    """A page with checkpoints and pictures to screen, and its address."""
    from colorize.app.server import make_app

    page = Page(tmp_path)
    write_safetensors(tmp_path / "models/tiny/model.safetensors")
    write_checkpoint(tmp_path / "models/cats/model.safetensors", target="cat")
    class_folders(tmp_path / "pictures/all", count=10)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(make_app(page.studio), port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield page, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def tab(browser: Browser, served: tuple[Page, str]) -> Iterator[Tab]:
    """A tab that tolerates no error of a script and nothing from outside."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("console", lambda m: problems.append(m.text) if "Content Security" in m.text else None)
    tab.on(
        "request",
        lambda r: (
            None
            if served[1] in r.url or r.url.startswith(("blob:", "data:", "about:"))
            else problems.append(r.url)
        ),
    )
    tab.set_default_timeout(20_000)
    tab.goto(served[1])
    yield tab
    context.close()
    assert problems == []


def drop(place: Locator, files: object) -> None:
    place.locator("input[type=file]").set_input_files(files)


def open_settings(tab: Tab) -> None:
    tab.get_by_text("How it looks").click()


def picture(name: str, rgb: np.ndarray) -> dict[str, object]:
    """A file to be dropped."""
    return {"name": name, "mimeType": "image/png", "buffer": png(rgb[..., ::-1])}


def state(tab: Tab, word: str) -> None:
    expect(tab.locator("main h2 .badge").first).to_have_text(word, timeout=30_000)


def test_a_clip_is_coloured_one_shot_chosen_anew_and_downloaded(tab, served, tmp_path):
    page, _ = served
    film = tmp_path / "a clip.mkv"
    film.write_bytes(film_bytes(tmp_path))
    drop(tab.locator(".drop"), film)
    expect(tab.get_by_label("Model")).to_have_value("models/tiny/model.safetensors")
    tab.get_by_role("button", name="Colour", exact=True).click()
    state(tab, "done")
    expect(tab.locator(".tag.right")).to_have_text("result")

    tab.get_by_role("link", name="Choose colours by shot").click()
    shots = tab.locator(".shot")
    expect(shots).to_have_count(len(LENGTHS))
    expect(tab.get_by_test_id("render")).to_have_text("All is coloured")
    shots.nth(1).get_by_role("radio", name="colouring 1").click()
    expect(tab.get_by_test_id("render")).to_have_text(f"Colour 1 shot ({LENGTHS[1]} frames)")
    expect(shots.nth(1).locator(".badge")).to_have_text("to be coloured")
    expect(shots.nth(0).locator(".badge")).to_have_text("coloured")
    tab.get_by_test_id("render").click()
    expect(tab.get_by_test_id("render")).to_have_text("All is coloured", timeout=30_000)

    [job] = page.studio.jobs.all()
    assert page.studio.ticket(job).result["rendered"] == LENGTHS[1]
    assert [
        shot.variant for shot in read_manifest(job.store(page.studio.roots).manifest).shots
    ] == [
        "auto",
        1,
        "auto",
    ]
    tab.get_by_role("link", name="Look at the film").click()
    with tab.expect_download() as download:
        tab.get_by_role("link", name="Download the film").click()
    assert download.value.suggested_filename == "a clip-colour.mkv"
    path = tmp_path / "downloaded.mkv"
    download.value.save_as(path)
    check_film(path, film)


def check_film(path: Path, source: Path) -> None:
    """The same frames, times and sound as the source; in colour, and drawn as before."""
    import av

    with av.open(str(path)) as opened:
        assert [stream.type for stream in opened.streams] == ["video", "audio"]
    coloured, gray = list(VideoSource(path)), list(VideoSource(source))
    assert len(coloured) == len(gray) == COUNT
    for before, after in zip(gray, coloured, strict=True):
        assert before.time == after.time
        assert np.ptp(after.rgb.astype(int), axis=2).max() > 8
        assert np.abs(before.gray() - after.gray()).mean() < 0.03


def test_every_setting_of_the_form_is_sent(tab, served, tmp_path):
    page, _ = served
    (tmp_path / "a.png").write_bytes(png(gray_frames()[0]))
    drop(tab.locator(".drop"), tmp_path / "a.png")
    open_settings(tab)
    expect(tab.get_by_label("Colouring").locator("option")).to_have_text(
        ["choose for each shot", "always number 0", "always number 1"]  # as many as the model has
    )
    for setting in declared_settings():
        if setting.label is None:
            continue
        control, value = tab.get_by_label(setting.label), other(setting)
        match setting.kind:
            case "check":
                control.set_checked(value)
            case "choice":
                control.select_option(str(value))
            case _:
                control.fill(str(value))
    tab.get_by_role("button", name="Colour", exact=True).click()
    state(tab, "done")
    [job] = page.studio.jobs.all()
    wanted = {each.name: other(each) for each in declared_settings() if each.label is not None}
    assert job.asked.values() == {**RenderSettings().values(), **wanted}
    tab.reload()
    expect(tab.get_by_label("Working size (short side)")).to_have_value("48")
    expect(tab.get_by_label("Colouring")).to_have_value("1")
    expect(tab.get_by_label("Stillness of colours")).to_have_value("0.5")
    expect(tab.get_by_label("Colour faster")).to_be_checked()


def test_the_divider_and_the_film_follow_mouse_and_keyboard(tab, served, tmp_path):
    (tmp_path / "film.mkv").write_bytes(film_bytes(tmp_path))
    drop(tab.locator(".drop"), tmp_path / "film.mkv")
    tab.get_by_role("button", name="Colour", exact=True).click()
    state(tab, "done")
    divider, view = tab.get_by_role("slider", name="divider"), tab.locator(".compare")
    expect(divider).to_have_attribute("aria-valuenow", "50")
    box = view.bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] / 4, box["y"] + 60, steps=3)
    tab.mouse.up()
    expect(divider).to_have_attribute("aria-valuenow", "25")
    divider.press("End")
    expect(divider).to_have_attribute("aria-valuenow", "100")
    divider.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "98")
    tab.get_by_role("button", name="one frame on").click()
    frame = tab.get_by_label("frame", exact=True)
    expect(frame).to_have_value("1")
    expect(tab.locator(".compare .tag.right")).to_have_text("result")
    tab.get_by_role("button", name="play").click()
    expect(frame).to_have_value(str(COUNT - 1), timeout=20_000)
    sizes = tab.evaluate(
        "[...document.querySelectorAll('.compare canvas')].map((c) => [c.width, c.height])"
    )
    assert sizes == [[96, 64], [96, 64]]
    # What is drawn of the last frame is what the server has of it, gray before and not after.
    spreads = tab.evaluate(
        """[...document.querySelectorAll('.compare canvas')].map((c) => {
            const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
            let most = 0;
            for (let i = 0; i < data.length; i += 4) {
                const rgb = data.slice(i, i + 3);
                most = Math.max(most, Math.max(...rgb) - Math.min(...rgb));
            }
            return most;
        })"""
    )
    assert spreads[0] <= 4 < spreads[1]


def test_frames_survive_a_closed_tab_and_come_back_as_an_archive(browser, served, tmp_path):
    _, address = served
    files = [
        {"name": f"{n:02d}.png", "mimeType": "image/png", "buffer": png(frame)}
        for n, frame in enumerate(gray_frames())
    ]
    context = browser.new_context()
    first = context.new_page()
    first.goto(address)
    drop(first.locator(".drop"), files)
    first.get_by_role("button", name="Colour", exact=True).click()
    expect(first.locator("main h2 .badge").first).not_to_have_text("new")
    first.close()
    second = context.new_page()
    second.goto(address)
    second.get_by_role("link", name=f"00.png and {COUNT - 1} more").click()
    state(second, "done")
    with second.expect_download() as download:
        second.get_by_role("link", name="Download the frames").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == [file["name"] for file in files]
    context.close()


def test_references_are_dropped_and_what_becomes_of_them_is_said(tab, served):
    drop(
        tab.locator(".drop"),
        {"name": "a.png", "mimeType": "image/png", "buffer": png(gray_frames()[0])},
    )
    card = tab.locator(".card", has=tab.get_by_role("heading", name="References"))
    content = png(tinted(gray_frames()[1])[..., ::-1])
    drop(card, {"name": "coloured.png", "mimeType": "image/png", "buffer": content})
    expect(card.locator("li")).to_contain_text("coloured.png")
    expect(card.locator("li")).to_contain_text("kept, not used")
    expect(tab.get_by_test_id("no-references")).to_contain_text("takes no references")
    card.get_by_role("button", name="remove coloured.png").click()
    expect(card.locator("li")).to_have_count(0)


def test_a_reference_says_which_shot_it_serves(tab, served, tmp_path):
    write_reference_safetensors(tmp_path / "models/guided/model.safetensors")
    tab.reload()
    frames = gray_frames()
    files = [
        {"name": f"{n:02d}.png", "mimeType": "image/png", "buffer": png(frame)}
        for n, frame in enumerate(frames)
    ]
    drop(tab.locator(".drop"), files)
    card = tab.locator(".card", has=tab.get_by_role("heading", name="References"))
    content = png(tinted(frames[10])[..., ::-1])
    drop(card, {"name": "10.png", "mimeType": "image/png", "buffer": content})
    expect(card.locator("li")).to_contain_text("looked at when you colour")
    open_settings(tab)
    tab.get_by_label("Model").select_option("models/tiny/model.safetensors")
    expect(card.locator("li")).to_contain_text("kept, not used")
    tab.get_by_label("Model").select_option("models/guided/model.safetensors")
    tab.get_by_role("button", name="Find the shots first").click()
    state(tab, "shots found")
    # A network of random weights finds its likeness in every shot.
    expect(card.locator("li")).to_contain_text(re.compile(r"serves shots? (\d, )*2\b"))
    tab.get_by_role("link", name="Choose colours by shot").click()
    expect(tab.locator(".shot").nth(1)).to_contain_text("follows 10.png")


def test_references_on_their_way_are_waited_for(tab, served, guided):
    page, _ = served
    drop(tab.locator(".drop"), guided)
    card = tab.locator(".card", has=tab.get_by_role("heading", name="References"))
    expect(card).to_be_visible()

    def slowly(route):  # type: ignore[no-untyped-def]
        time.sleep(1.5)
        route.continue_()

    tab.route("**/references/*", slowly)
    drop(card, picture("short_0001.png", tinted(gray_frames()[1])))
    tab.get_by_role("button", name="Colour", exact=True).click()
    state(tab, "done")
    [job] = page.studio.jobs.all()
    manifest = read_manifest(job.store(page.studio.roots).manifest)
    assert [each.frame for each in manifest.references] == [1]


def test_curves_and_recorded_tables_are_shown_side_by_side(tab, served, tmp_path):
    for name, scores in (("first", (18, 19)), ("second", (18, 21))):
        run = tmp_path / "models/runs" / name
        run.mkdir(parents=True)
        rows = [f"{epoch},{score}" for epoch, score in enumerate(scores, 1)]
        (run / "history.csv").write_text("\n".join(["epoch,val/psnr/first", *rows]))
    readme = "# Second\n\nBetter <b>by far</b>.\n\n| run | PSNR |\n| --- | --: |\n| 2 | **21** |\n"
    (run / "README.md").write_text(readme)
    tab.get_by_role("tab", name="Runs").click()
    expect(tab.locator(".chart polyline")).to_have_count(1)
    tab.get_by_role("checkbox", name="runs/first").check()
    expect(tab.locator(".chart polyline")).to_have_count(2)
    expect(tab.locator("article td strong")).to_have_text("21")
    expect(tab.locator("article")).to_contain_text(["<b>by far</b>"])
    expect(tab.get_by_role("row", name="models/runs/second 21.00")).to_be_visible()


def test_what_is_no_picture_is_refused_in_one_line(tab, served):
    html = {
        "name": "drawing.png",
        "mimeType": "image/png",
        "buffer": b"<html><script>alert(1)</script>",
    }
    drop(tab.locator(".drop"), html)
    expect(tab.get_by_role("alert")).to_contain_text(
        "drawing.png is no picture, whatever its name says"
    )
    expect(tab.locator(".drop")).to_be_visible()


def test_shots_are_split_and_merged_by_keyboard(tab, served, tmp_path):
    (tmp_path / "film.mkv").write_bytes(film_bytes(tmp_path))
    drop(tab.locator(".drop"), tmp_path / "film.mkv")
    tab.get_by_role("button", name="Find the shots first").click()
    state(tab, "shots found")
    tab.get_by_role("tab", name="Shots").press("Enter")
    shots = tab.locator(".shot")
    expect(shots).to_have_count(3)
    shots.nth(0).get_by_role("button", name="Split").press("Enter")
    tab.get_by_label("first frame of the new shot").press("Home")
    tab.get_by_role("button", name="Split here").press("Enter")
    expect(shots).to_have_count(4)
    expect(shots.nth(0)).to_contain_text("frames 0–0")
    expect(shots.nth(1).get_by_role("button", name="Merge with next")).to_be_enabled()
    shots.nth(0).get_by_role("button", name="Merge with next").press("Enter")
    expect(shots).to_have_count(3)
    expect(shots.nth(0).get_by_role("button", name="Merge with next")).to_be_enabled()
    chosen = shots.nth(2).get_by_role("radio", checked=True)
    chosen.press("ArrowRight")
    tab.keyboard.press("Enter")
    expect(shots.nth(2).get_by_role("radio", name="colouring 1")).to_be_checked()


def test_pictures_are_classified_on_the_second_page_and_deleted(tab, served, tmp_path):
    tab.get_by_role("tab", name="Classify").click()
    pictures = tmp_path / "pictures/all"
    drop(tab.locator(".drop"), [pictures / "cat/000.png", pictures / "dog/001.png"])
    expect(tab.locator(".thumbs li")).to_have_count(2)
    tab.get_by_role("button", name="Submit 2").click()
    verdicts = tab.locator(".verdict")
    expect(verdicts).to_have_count(2)
    expect(verdicts.nth(0)).to_contain_text("cat")
    expect(verdicts.nth(1).get_by_role("heading")).to_have_text("dog")
    verdicts.nth(0).get_by_role("button", name="delete 000.png").click()
    expect(verdicts).to_have_count(1)
    tab.get_by_role("button", name="Back to the pictures").click()
    expect(tab.locator(".thumbs li")).to_have_count(1)
    tab.get_by_role("button", name="delete 001.png").click()
    expect(tab.get_by_role("button", name="Submit")).to_be_disabled()


def test_twenty_pictures_are_screened_at_two_thresholds_corrected_and_undone(tab, served, tmp_path):
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("tab", name="Screen").click()
    tab.get_by_label("Classifier").select_option("models/cats/model.safetensors")
    expect(tab.get_by_label("Looking for")).to_have_value("cat")
    tab.get_by_label("Folder to look through", exact=True).fill("pictures/all")
    tab.get_by_label("Kept pictures go to", exact=True).fill("pictures/kept")
    for threshold, kept in (("0.5", 10), ("0", 20)):
        tab.get_by_label("Keep from probability").fill(threshold)
        tab.get_by_role("button", name="Start").click()
        expect(tab.locator("[data-side=kept] li")).to_have_count(kept)
        expect(tab.locator("[data-count=kept] dd")).to_have_text(str(kept))
        expect(tab.locator("[data-count=all] dd")).to_have_text("20")
        assert len(list((tmp_path / "pictures/kept").glob("*.png"))) == kept
    expect(tab.get_by_role("log")).to_contain_text("kept 0.")
    tab.locator("[data-side=kept] [data-file='dog/003.png']").click()
    expect(tab.locator("[data-side=rejected] li")).to_have_count(1)
    assert len(list((tmp_path / "pictures/kept").glob("*.png"))) == 19
    tab.reload()
    expect(tab.get_by_label("Kept pictures go to", exact=True)).to_have_value("pictures/kept")
    tab.get_by_test_id("undo").click()
    expect(tab.locator("[data-side=kept]")).to_have_count(0)
    assert not list((tmp_path / "pictures/kept").glob("*.png"))
    assert len(list((tmp_path / "pictures/all").rglob("*.png"))) == 20


def test_a_folder_of_the_page_is_chosen_and_nothing_else_is_offered(tab, served, tmp_path):
    tab.get_by_role("button", name="From one of the page's folders").click()
    dialog = tab.get_by_role("dialog")
    expect(dialog.locator(".entries li")).to_have_count(2)
    dialog.get_by_role("button", name="pictures").click()
    dialog.get_by_role("button", name="all").click()
    dialog.get_by_role("button", name="cat").click()
    dialog.get_by_role("button", name="Choose this folder").click()
    expect(tab.get_by_role("heading", name="cat new")).to_be_visible()
    assert str(tmp_path) not in tab.content()


def test_light_and_dark_are_remembered_and_tabs_walked_by_keys(tab, served):
    root = tab.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    tab.get_by_role("button", name="Dark").click()
    expect(root).to_have_attribute("data-theme", "dark")
    tab.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    tab.get_by_role("tab", name="Colour").focus()
    for name in ("Paint", "Shots", "Classify", "Screen", "Runs", "Colour"):
        tab.keyboard.press("ArrowRight")
        expect(tab.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")


@pytest.fixture
def guided(served, tmp_path) -> str:
    """The film of the clip, at whose job a model works that follows references."""
    (tmp_path / "models/tiny/model.safetensors").unlink()
    write_reference_safetensors(tmp_path / "models/guided/model.safetensors")
    (tmp_path / "short.mkv").write_bytes(film_bytes(tmp_path))
    return str(tmp_path / "short.mkv")


def test_an_archivist_corrects_a_frame_and_gives_a_second_reference(tab, served, guided):
    page, _ = served
    drop(tab.locator(".drop"), guided)
    expect(tab.get_by_test_id("facts")).to_contain_text("24 frames a second · 96×64 · sound: aac")
    tab.get_by_role("button", name="Colour", exact=True).click()
    state(tab, "done")
    expect(tab.get_by_test_id("facts")).to_have_text(
        "24 frames · 0:01.0 · 24 frames a second · 96×64 · sound: aac, stereo, 48 kHz"
    )
    expect(tab.locator(".controls output")).to_have_text("0:00 · frame 0 of 0–23")

    # Frame 1 is saved by its name and comes back under another.
    tab.get_by_role("button", name="one frame on").click()
    expect(tab.locator(".correct > strong")).to_have_text("Correct frame 1")
    with tab.expect_download() as saved:
        tab.get_by_role("link", name="Save it in colour").click()
    assert saved.value.suggested_filename == "short_0001.png"
    with tab.expect_download() as saved:
        tab.get_by_role("link", name="Save it in gray").click()
    assert saved.value.suggested_filename == "short_0001_gray.png"
    card = tab.locator(".card", has=tab.get_by_role("heading", name="References"))
    drop(tab.locator(".correct .drop"), picture("download (7).png", tinted(gray_frames()[1])))
    expect(tab.locator("#notices")).to_contain_text("short_0001.png is taken for frame 1.")
    expect(card.locator("li")).to_contain_text("short_0001.png")
    expect(card.locator("li")).to_contain_text("new: looked at with the next Colour")

    # What was left gray is asked about.
    half = tinted(gray_frames()[12])
    half[:, :48] = gray_frames()[12][:, :48, None]
    drop(card, picture("short_0012.png", half))
    question = tab.get_by_role("dialog")
    expect(question).to_contain_text(re.compile(r"\d\d % of short_0012.png is gray"))
    question.get_by_role("button", name="Not painted yet").click()
    expect(card.locator("li")).to_have_count(2)

    # A number counted from 1 and one beyond the film are told.
    drop(card, picture("short_0021.png", tinted(gray_frames()[20])))
    expect(tab.locator("#notices")).to_contain_text(
        "short_0021.png shows frame 20, not 21: it is taken for frame 20"
    )
    drop(card, picture("short_0099.png", tinted(gray_frames()[20])))
    expect(tab.locator("#notices")).to_contain_text("the frames are 0 to 23")
    card.get_by_role("button", name="remove short_0099.png").click()

    tab.get_by_role("button", name="Colour again what changed").click()
    expect(card.locator("li").nth(0)).to_contain_text(re.compile("frame 1, serves shots? 1"))
    expect(card.locator("li").nth(1)).to_contain_text("frame 12, serves shot")
    state(tab, "done")
    card.get_by_label("give short_0001.png to a shot").select_option("-1")
    state(tab, "to be coloured")
    expect(tab.get_by_role("link", name="Download")).to_have_count(0)
    card.get_by_label("give short_0001.png to a shot").select_option("1")
    expect(card.locator("li").nth(0)).to_contain_text(re.compile(r"serves shots? 1\b"))
    [job] = page.studio.jobs.all()
    manifest = read_manifest(job.store(page.studio.roots).manifest)
    assert {each.name: each.frame for each in manifest.references} == {
        "short_0001.png": 1,
        "short_0012.png": 12,
        "short_0021.png": 20,
    }


def test_what_is_gone_leads_to_the_list_with_one_line(tab, served, tmp_path):
    page, address = served
    tab.on("dialog", lambda dialog: dialog.accept())
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    (tmp_path / "a.png").write_bytes(png(gray_frames()[0]))

    def nothing_is_asked_for_in_vain() -> None:
        expect(tab.locator(".drop.large")).to_be_visible()
        tab.wait_for_timeout(700)
        assert not [each for each in asked if re.search("/api/jobs/(new|$)", each)]

    for _ in range(2):  # New, another tab, Colour
        tab.get_by_role("link", name="New").click()
        tab.get_by_role("tab", name="Runs").click()
        tab.get_by_role("tab", name="Colour").click()
        nothing_is_asked_for_in_vain()
        drop(tab.locator(".drop"), tmp_path / "a.png")
        state(tab, "new")
        tab.get_by_role("button", name="Delete").click()
        nothing_is_asked_for_in_vain()
        tab.get_by_role("tab", name="Shots").click()
        tab.get_by_role("tab", name="Colour").click()
        nothing_is_asked_for_in_vain()
    assert page.studio.jobs.all() == []
    for place in ("colour", "shots"):
        tab.goto("about:blank")
        asked.clear()
        tab.goto(f"{address}/#{place}/0123456789abcdef")
        expect(tab.locator("#notices")).to_have_text(re.compile("there is no such job any more"))
        expect(tab.locator(".drop.large")).to_be_visible()
        tab.wait_for_timeout(1000)
        assert len([each for each in asked if "0123456789abcdef" in each]) == 1
        expect(tab.get_by_role("tab", name="Colour")).to_have_attribute("aria-selected", "true")
    tab.goto("about:blank")
    tab.goto(f"{address}/#classify/0123456789abcdef")
    expect(tab.locator("#notices")).to_contain_text("there are no such pictures any more")
    expect(tab.locator(".drop.large")).to_be_visible()


def test_a_second_tab_follows_the_first(tab, tmp_path):
    tab.on("dialog", lambda dialog: dialog.accept())
    (tmp_path / "film.mkv").write_bytes(film_bytes(tmp_path))
    drop(tab.locator(".drop"), tmp_path / "film.mkv")
    tab.get_by_role("button", name="Find the shots first").click()
    state(tab, "shots found")
    second = tab.context.new_page()
    second.goto(tab.url.replace("#colour", "#shots"))
    third = tab.context.new_page()
    third.goto(tab.url)
    expect(second.locator(".shot")).to_have_count(3)
    tab.get_by_role("tab", name="Shots").click()
    tab.locator(".shot").nth(0).get_by_role("button", name="Merge with next").click()
    expect(second.locator(".shot")).to_have_count(2)
    tab.locator(".shot").nth(0).get_by_role("button", name="Split").click()
    tab.get_by_role("button", name="Split here").click()
    expect(second.locator(".shot")).to_have_count(3)
    tab.get_by_role("tab", name="Colour").click()
    tab.get_by_role("button", name="Delete").click()
    for follower in (second, third):
        expect(follower.locator("#notices")).to_contain_text("there is no such job any more")
        expect(follower.locator(".drop.large")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_telephone_reaches_every_tab_and_sees_the_page(tab, served, guided, theme):
    tab.set_viewport_size({"width": 390, "height": 844})
    if theme == "dark":
        tab.get_by_role("button", name="Dark").click()
    drop(tab.locator(".drop"), guided)
    tab.get_by_role("button", name="Colour", exact=True).click()
    state(tab, "done")
    tab.get_by_role("link", name="Choose colours by shot").click()
    expect(tab.locator(".shot")).to_have_count(3)
    for name in ("Paint", "Shots", "Classify", "Screen", "Runs", "Colour"):
        box = tab.get_by_role("tab", name=name).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        tab.get_by_role("tab", name=name).click()
        tab.wait_for_timeout(200)
        covered = tab.evaluate(
            """[...document.querySelectorAll('body *')]
                .filter((e) => ['fixed', 'sticky'].includes(getComputedStyle(e).position))
                .map((e) => e.offsetHeight * e.offsetWidth / innerWidth / innerHeight)"""
        )
        assert all(share < 0.25 for share in covered), covered
        assert tab.locator("header.top").bounding_box()["height"] < 844 / 8
        wide = tab.evaluate("document.getElementById('scroll').scrollWidth")
        assert wide <= 390, f"{name} is wider than the screen"


def test_a_message_covers_nothing(tab, served):
    html = {"name": "drawing.png", "mimeType": "image/png", "buffer": b"<html>"}
    drop(tab.locator(".drop"), html)
    said = tab.get_by_role("alert").bounding_box()
    for place in (tab.locator("header.top"), tab.locator(".drop"), tab.locator("aside")):
        box = place.bounding_box()
        assert said["y"] + said["height"] <= box["y"] or box["y"] + box["height"] <= said["y"]


def test_a_server_that_does_not_answer_is_told_once(tab, served, guided):
    drop(tab.locator(".drop"), guided)
    state(tab, "new")
    tab.route("**/api/jobs**", lambda route: route.abort())
    expect(tab.get_by_role("alert")).to_have_text(
        "colorize-app does not answer; is it still running?✕"
    )
    tab.wait_for_timeout(4000)
    expect(tab.get_by_role("alert")).to_have_count(1)
    tab.unroute("**/api/jobs**")
    tab.get_by_role("button", name="Find the shots first").click()
    state(tab, "shots found")
