"""What a job's folder says is finished."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from colorize.base.errors import UserError
from colorize.films.plan.parts import Part
from colorize.films.store import Store, job_folder

PART = Part(0, 3, 0, 0, "ab" * 32, None)
OTHER = Part(3, 6, 0, 0, "cd" * 32, PART.key)


def test_where_a_job_lies() -> None:
    assert job_folder(Path("out/frames"), kind="folder") == Path("out/frames/.job")
    assert job_folder(Path("out/film.mp4"), kind="video") == Path("out/.film.mp4.job")


def test_files_of_a_folder_must_all_be_there(tmp_path: Path) -> None:
    store = Store(tmp_path / ".job", frames=tmp_path)
    assert not store.is_done(PART)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"1")
    store.finish(PART, names=["a.png", "b.png"], state={})
    assert store.is_done(PART)
    assert not store.is_done(OTHER)
    (tmp_path / "a.png").write_bytes(b"")
    assert not store.is_done(PART)
    (tmp_path / "a.png").unlink()
    assert not store.is_done(PART)


def test_a_damaged_marker_is_none(tmp_path: Path) -> None:
    store = Store(tmp_path / ".job", frames=tmp_path)
    store.finish(PART, names=[], state={})
    (tmp_path / ".job" / "done" / f"{PART.key}.json").write_text("[")
    assert not store.is_done(PART)


def test_states_come_back_until_they_are_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path / ".job", frames=None)
    state = {"a": torch.arange(3.0), "b": torch.ones(2, 2, dtype=torch.uint8)}
    store.finish(PART, names=[], state=state)
    back = store.state(PART.key)
    assert back is not None
    assert {name: each.tolist() for name, each in back.items()} == {
        "a": [0, 1, 2],
        "b": [[1, 1], [1, 1]],
    }
    assert store.state(OTHER.key) is None
    (tmp_path / ".job" / "states" / f"{OTHER.key}.safetensors").write_bytes(b"broken")
    assert store.state(OTHER.key) is None
    store.forget_state(PART.key)
    assert store.state(PART.key) is None


def test_sweeping_leaves_what_belongs_to_the_job(tmp_path: Path) -> None:
    store = Store(tmp_path / ".job", frames=None)
    for part in (PART, OTHER):
        store.film_part(part).parent.mkdir(parents=True, exist_ok=True)
        store.film_part(part).write_bytes(b"film")
        store.keep_state(part, {"a": torch.zeros(1)})
    store.manifest.write_text("{}")
    store.sweep([OTHER])
    assert not store.is_done(PART)
    assert store.is_done(OTHER)
    assert store.state(PART.key) is None
    assert store.state(OTHER.key) is not None
    assert store.manifest.is_file()


def test_a_lock_keeps_others_out_until_it_ends(tmp_path: Path) -> None:
    store = Store(tmp_path / ".job", frames=None)
    with store.locked("run", output=Path("film.mp4")):
        with (
            pytest.raises(UserError, match=r"film.mp4 is being coloured by another process"),
            store.locked("run", output=Path("film.mp4")),
        ):
            pass
        with store.locked("other", output=Path("film.mp4")):
            pass
    with store.locked("run", output=Path("film.mp4")):
        pass
