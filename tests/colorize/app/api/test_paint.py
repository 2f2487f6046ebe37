"""The Paint tab's server side: layers, the palette, drafts, and what the film is given."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize.films.command import main as colorize
from colorize.films.painting.series import read_series
from colorize.films.plan.manifest import read_manifest
from tests.colorize.app.pages import LENGTHS, Page, frame_files, gray_frames
from tests.colorize.tiny import write_reference_safetensors

SIZE = (64, 96)
GREEN = "#40a040"


@pytest.fixture
def job(page: Page, tmp_path: Path) -> str:
    write_reference_safetensors(tmp_path / "models/guided.safetensors")
    # Without stillness: a random network's frames have little to do with each other.
    job = page.job(frame_files(), checkpoint="models/guided.safetensors", stillness=0.0)
    page.post(f"{job}/start", {"plan_only": True})
    assert page.wait(f"{job}")["state"] == "planned"
    return job


def unpacked(content: bytes) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Read an answer as the page's script does."""
    length = int.from_bytes(content[:4], "little")
    head = json.loads(content[4 : 4 + length])
    arrays, at = [], 4 + length
    for kind, count in head["arrays"]:
        array = np.frombuffer(content, kind, count, at)
        arrays.append(array)
        at += -(-array.nbytes // 4) * 4
    return head, arrays


def layer(page: Page, job: str, frame: int) -> tuple[np.ndarray, str]:
    head, (luma, data) = unpacked(page.get(f"{job}/paint/frames/{frame}"))
    assert np.array_equal(luma.reshape(SIZE), gray_frames()[frame])
    return data.reshape(SIZE), head["version"]


def keep(page: Page, job: str, frame: int, data: np.ndarray, version: str, status=200) -> Any:
    body = gzip.compress(np.ascontiguousarray(data, dtype="<u2").tobytes())
    headers = {"If-Match": f'"{version}"'}
    answer = page.client.put(f"{job}/paint/frames/{frame}", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def add(page: Page, job: str, color: str = GREEN, name: str | None = None) -> int:
    version = page.get(f"{job}/paint")["palette_version"]
    return page.post(
        f"{job}/paint/palette/add", {"version": version, "color": color, "name": name}
    )["id"]


def paint(page: Page, job: str, frame: int, swatch: int, rows: slice = slice(0, 20)) -> str:
    data, version = layer(page, job, frame)
    data = data.copy()
    data[rows, 50:90] = swatch
    return keep(page, job, frame, data, version)["version"]


def draft(page: Page, job: str, frame: int, **asked: Any) -> tuple[dict[str, Any], Any]:
    head, arrays = unpacked(
        page.client.post(f"{job}/paint/frames/{frame}/draft", json=asked).content
    )
    return head, [np.asarray(Image.open(io.BytesIO(each.tobytes()))) for each in arrays]


def of(page: Page, job: str) -> Any:
    return page.studio.jobs.get(job.split("/")[-1])


def test_a_layer_is_kept_and_comes_back_and_nothing_is_overwritten_unseen(page, job):
    number = add(page, job)
    data, version = layer(page, job, 4)
    assert not data.any()
    assert version == ""
    first = paint(page, job, 4, number)
    assert layer(page, job, 4)[1] == first
    assert (layer(page, job, 4)[0] > 0).sum() == 20 * 40
    said = keep(page, job, 4, np.zeros(SIZE), "", 412)["error"]
    assert said.startswith("frame 4 was changed in another tab or window")
    [painted] = page.get(f"{job}/paint")["painted"]
    assert (painted["frame"], painted["version"], painted["swatches"]) == (4, first, [number])
    assert keep(page, job, 4, np.zeros(SIZE), first)["version"] == ""
    assert page.get(f"{job}/paint")["painted"] == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"no gzip", "the layer did not come whole"),
        (gzip.compress(bytes(2 * 64 * 96))[:-9], "a layer of another size came"),
        (gzip.compress(bytes(2 * 64 * 96 + 2)), "a layer of another size came"),
        (gzip.compress(bytes(50 * 2**20)), "a layer of another size came"),
        (gzip.compress(np.full(SIZE, 9, "<u2").tobytes()), "painted with swatch 9, which the"),
    ],
    ids=["nothing", "cut", "longer", "bomb", "unknown"],
)
def test_what_is_no_layer_of_the_frame_is_refused(page, job, body, line):
    answer = page.client.put(f"{job}/paint/frames/4", content=body, headers={"If-Match": '""'})
    assert answer.status_code == 400
    assert line in answer.json()["error"]
    assert page.get(f"{job}/paint")["painted"] == []


def test_a_body_beyond_all_sizes_is_not_even_read(page, job):
    said = page.client.put(f"{job}/paint/frames/4", content=bytes(2**18)).json()["error"]
    assert said.endswith("bytes came")


@pytest.mark.parametrize("way", ["frames/24", "frames/24/regions"])
def test_frames_beyond_the_film_are_none(page, job, way):
    assert sum(LENGTHS) == 24
    assert page.get(f"{job}/paint/{way}", 404)["error"] == "there is no frame 24"


def test_regions_are_sent_with_a_level_that_a_click_takes(page, job):
    head, (finest, *levels) = unpacked(page.get(f"{job}/paint/frames/4/regions"))
    assert finest.size == 64 * 96
    assert all(len(each) == finest.max() + 1 for each in levels)
    assert 0 <= head["usual"] < len(levels)


def test_the_palette_changes_everywhere_and_only_once(page, job):
    green, blue = add(page, job, GREEN, "grass"), add(page, job, "#2040c0")
    assert add(page, job, "#2040c0") == blue
    info = page.get(f"{job}/paint")
    changed = {"id": green, "color": "#105010", "name": "grass"}
    stale = page.post(f"{job}/paint/palette/change", {"version": "", **changed}, 412)["error"]
    assert stale.startswith("the palette was changed in another tab")
    answer = page.post(
        f"{job}/paint/palette/change", {"version": info["palette_version"], **changed}
    )
    assert answer["palette"][0] == changed
    paint(page, job, 4, blue)
    version = answer["palette_version"]
    gone = {"version": version, "id": blue}
    said = page.post(f"{job}/paint/palette/remove", gone, 409)["error"]
    assert said == "frame 4 is painted with it: give that another colour first"
    left = page.post(f"{job}/paint/palette/remove", {"version": version, "id": green})
    assert [each["id"] for each in left["palette"]] == [blue]


def test_the_palette_goes_to_gimp_and_comes_back(page, job):
    add(page, job, GREEN, "grass")
    text = page.client.get(f"{job}/paint/palette.gpl").text
    assert text.splitlines()[0] == "GIMP Palette"
    assert text.splitlines()[-1] == " 64 160  64\tgrass"
    other = text.replace(" 64 160  64", "  1   2   3") + "255 0 0\tred\n"
    answer = page.put(f"{job}/paint/palette.gpl", other, 200)
    assert [(each["color"], each["name"]) for each in answer["palette"]] == [
        ("#010203", "grass"), ("#ff0000", "red")
    ]  # fmt: skip
    assert "is no palette of GIMP" in page.put(f"{job}/paint/palette.gpl", "x", 400)["error"]


def test_a_draft_shows_what_is_painted_and_is_sure_there(page, job):
    head, (before, unsure) = draft(page, job, 4)
    assert before.shape == (*SIZE, 3)
    assert unsure.min() > 0
    paint(page, job, 4, add(page, job))
    after, (picture, surer) = draft(page, job, 4)
    assert after["key"] != head["key"]
    assert after["mean"] < head["mean"]
    red, green, blue = picture[2:18, 54:86].reshape(-1, 3).mean(axis=0)
    assert green > max(red, blue) + 20
    height, width = surer.shape
    assert surer[: height // 4, int(0.56 * width) : int(0.9 * width)].max() == 0
    luma = picture.astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(luma - gray_frames()[4]).mean() < 3


def test_only_what_paint_reaches_is_drafted_anew(page, job):
    number = add(page, job)
    paint(page, job, 4, number)
    heads = {frame: draft(page, job, frame)[0] for frame in (2, 12)}
    paint(page, job, 3, number)
    same = draft(page, job, 12, known=heads[12]["key"], playing=True)[0]
    assert same == {"same": True, "arrays": []}  # of another shot
    again = draft(page, job, 2, known=heads[2]["key"], playing=True)[0]
    assert again["key"] != heads[2]["key"]


def test_accepted_paint_is_a_reference_of_the_manifest_and_colours_the_film(page, job, tmp_path):
    number = add(page, job)
    paint(page, job, 4, number)
    assert not page.get(f"{job}/paint")["painted"][0]["accepted"]
    info = page.post(f"{job}/paint/frames/4/accept")
    assert info["painted"][0]["accepted"]
    path = of(page, job).store(page.studio.roots).manifest
    manifest = read_manifest(path)
    assert [(each.name, each.frame) for each in manifest.references] == [("04.png", 4)]
    assert [shot.guided_by for shot in manifest.shots] == [("04.png",), (), ()]
    picture = np.asarray(Image.open(of(page, job).references / "04.png"))
    assert picture.shape == (*SIZE, 4)
    assert set(np.unique(picture[..., 3])) == {0, 255}
    page.post(f"{job}/start")
    assert page.wait(job)["state"] == "done"
    assert [(e.name, e.frame) for e in read_manifest(path).references] == [("04.png", 4)]
    result = np.asarray(Image.open(of(page, job).folder / "output/04.png"))
    assert np.array_equal(result[:20, 50:90], picture[:20, 50:90, :3])
    drafted = draft(page, job, 4)[1][0]
    assert np.abs(drafted.astype(int) - result).mean() < 3
    # The same by the command line.
    hints = tmp_path / "hints"
    with zipfile.ZipFile(io.BytesIO(page.get(f"{job}/paint/hints.zip"))) as archive:
        archive.extractall(hints)
    assert np.array_equal(np.asarray(Image.open(hints / "04.png")), picture)
    arguments = [str(of(page, job).folder / "input"), "-o", str(tmp_path / "again")]
    model = str(tmp_path / "models/guided.safetensors")
    colorize([*arguments, "--checkpoint", model, "--stillness", "0", "--reference", str(hints)])
    for name in ("04.png", "08.png", "12.png"):
        same = (tmp_path / "again" / name).read_bytes()
        assert same == (of(page, job).folder / "output" / name).read_bytes()


def test_a_changed_colour_follows_into_the_film_and_cleared_paint_leaves_it(page, job):
    number = add(page, job)
    paint(page, job, 4, number)
    page.post(f"{job}/paint/frames/4/accept")
    before = (of(page, job).references / "04.png").read_bytes()
    version = page.get(f"{job}/paint")["palette_version"]
    page.post(
        f"{job}/paint/palette/change",
        {"version": version, "id": number, "color": "#c02020", "name": "grass"},
    )
    assert (of(page, job).references / "04.png").read_bytes() != before
    assert page.get(f"{job}/paint")["painted"][0]["accepted"]
    paint(page, job, 4, number, slice(30, 40))
    assert not page.get(f"{job}/paint")["painted"][0]["accepted"]  # until it is given again
    assert page.delete(f"{job}/paint/frames/4")["painted"] == []
    assert page.get(job)["references"] == []
    manifest = read_manifest(of(page, job).store(page.studio.roots).manifest)
    assert manifest.references == ()
    assert [shot.guided_by for shot in manifest.shots] == [(), (), ()]


def test_frames_are_suggested_and_the_shots_found_before(page, tmp_path):
    write_reference_safetensors(tmp_path / "models/guided.safetensors")
    job = page.job(frame_files(), checkpoint="models/guided.safetensors")
    assert page.get(f"{job}/paint")["shots"] == []
    said = page.client.post(f"{job}/paint/frames/1/draft", json={}).json()["error"]
    assert said == "the shots are not found yet; let frames be suggested"
    page.post(f"{job}/paint/suggest", {"count": 2})
    assert page.wait(job)["state"] == "planned"
    info = page.get(f"{job}/paint")
    assert [each["start"] for each in info["shots"]] == [0, 9, 16]
    frames = [each["frame"] for each in info["suggestions"]]
    assert 1 <= len(set(frames)) == len(frames) <= 2
    assert all(0 <= frame < 24 for frame in frames)
    page.post(f"{job}/paint/suggest", {"count": 0}, 400)


def test_a_model_that_takes_no_references_is_refused_for_drafts(page):
    job = page.job(frame_files())
    page.post(f"{job}/start", {"plan_only": True})
    assert page.wait(job)["state"] == "planned"
    answer = page.client.post(f"{job}/paint/frames/1/draft", json={})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("this model takes no references")


def test_named_colours_go_to_the_next_episode(page, job, tmp_path):
    plain = add(page, job, "#2040c0")
    paint(page, job, 4, plain)
    said = page.get(f"{job}/paint/series.json", 404)["error"]
    assert said == "no colour that is painted has a name: name those that come back"
    grass = add(page, job, GREEN, "grass")
    paint(page, job, 12, grass, slice(30, 60))
    path = tmp_path / "series.json"
    path.write_bytes(page.client.get(f"{job}/paint/series.json").content)
    series = read_series(path)
    assert series.palette[grass].name == "grass"
    [example] = series.examples  # what has no name stays here
    assert example.name == "12"
    assert np.array_equal(example.gray, gray_frames()[12])
    assert set(np.unique(example.layer)) == {0, grass}
