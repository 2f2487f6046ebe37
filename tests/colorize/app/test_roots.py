"""Nothing outside the named folders can be reached, and nothing says where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from colorize.app.error import PageError
from colorize.app.roots import Roots


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    (tmp_path / "films" / "old").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "work").mkdir()
    return Roots({"films": tmp_path / "films"}, private=(tmp_path / "work",))


def test_a_path_below_a_root_is_found(roots, tmp_path):
    assert roots.path("films") == tmp_path / "films"
    assert roots.path("films/old/new name.mp4") == tmp_path / "films/old/new name.mp4"
    assert roots.show(tmp_path / "films/old/new name.mp4") == "films/old/new name.mp4"


@pytest.mark.parametrize(
    "text",
    [
        "../../etc/passwd",
        "films/../../etc/passwd",
        "films/old/../../secret.txt",
        "/etc/passwd",
        "films//etc/passwd",
        "films/.hidden",
        "films/./old",
        "films\\..\\secret.txt",
        "films/..\\secret.txt",
        "films/C:/Windows",
        "films/a\0b",
        "",
        "other/x",
    ],
)
def test_what_leads_elsewhere_is_refused(roots, text):
    with pytest.raises(PageError):
        roots.path(text)


def test_a_link_out_of_a_root_is_refused(roots, tmp_path):
    (tmp_path / "films" / "link").symlink_to(tmp_path)
    with pytest.raises(PageError, match=r"films/link/secret\.txt leads out of films"):
        roots.path("films/link/secret.txt")
    (tmp_path / "films" / "file.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(PageError, match="leads out of films"):
        roots.existing("films/file.txt")
    assert not roots.holds(tmp_path / "films" / "file.txt")


def test_a_link_within_a_root_is_followed(roots, tmp_path):
    (tmp_path / "films" / "here").symlink_to(tmp_path / "films" / "old")
    assert roots.path("films/here/a.png") == tmp_path / "films/old/a.png"


def test_messages_name_no_place_of_the_server(roots, tmp_path):
    inside = tmp_path / "work/jobs/0123456789abcdef/input/my film.mp4"
    said = roots.hide(f"{inside} is damaged; {tmp_path}/films/old/a.png too, and /usr/lib/x.so")
    assert said == "my film.mp4 is damaged; films/old/a.png too, and x.so"
    assert "page" not in roots.hide(f"/home/page/{'x' * 9}/y.png: gone")


def test_ordinary_words_stay(roots):
    said = "72/72 frames, 1/2 done; close --shard I/N or pass --device cpu"
    assert roots.hide(said) == said


def test_a_root_must_be_a_folder(tmp_path):
    with pytest.raises(ValueError, match="no such folder; make it"):
        Roots({"films": tmp_path / "nothing"})
    with pytest.raises(ValueError, match="without slashes"):
        Roots({"a/b": tmp_path})
