"""Other sites that the same browser has open must not reach the page."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from colorize.app.server import make_app
from tests.colorize.app.pages import OWN, Page


def test_the_page_opens_with_headers_that_shut_everything_else_out(page):
    answer = page.client.get("/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert page.client.get("/static/js/main.js").headers["x-content-type-options"] == "nosniff"


def test_another_name_of_this_machine_is_refused(page):
    """A site may let its own name point here (DNS rebinding)."""
    answer = page.client.get("/api/jobs", headers={"Host": "evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", **OWN},
        {"Origin": "http://testserver:81", **OWN},
        {"Sec-Fetch-Site": "cross-site", **OWN},
        {"Sec-Fetch-Site": "same-site", **OWN},
        {},
    ],
)
def test_a_request_of_another_site_is_refused(page, headers):
    client = TestClient(page.client.app)
    assert client.post("/api/jobs", json={}, headers=headers).status_code == 403
    assert page.get("/api/jobs") == []


def test_a_picture_cannot_be_embedded_elsewhere(page):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert page.client.get("/api/jobs", headers=headers).status_code == 403
    assert page.client.get("/", headers=headers).status_code == 200


def test_with_a_key_nobody_gets_in_without_it(tmp_path):
    page = Page(tmp_path)
    client = TestClient(make_app(page.studio, hosts=["*"], key="secret"), headers=OWN)
    for path in ("/", "/api/jobs", "/static/js/main.js", "/?key=wrong"):
        assert client.get(path).status_code == 401
    assert client.get("/?key=secret").status_code == 200
    assert client.get("/api/jobs").json() == []


def test_what_is_not_there_is_one_line(page):
    assert page.get("/api/nothing", 404) == {"error": "there is nothing here"}
    assert page.client.get("/static/../server.py").status_code == 404
    assert page.client.get("/static/..%2Fserver.py").status_code == 404


def test_a_request_that_is_no_object_or_too_long_is_refused(page):
    for content, status in ((b"[1]", 400), (b"{", 400), (b" " * 70_000, 413)):
        assert page.client.post("/api/jobs", content=content).status_code == status


def test_folders_are_listed_without_what_is_hidden(page, tmp_path):
    for name in (".secret.png", "b 10.png", "b 2.png", "notes.txt"):
        (tmp_path / "pictures" / name).write_bytes(b"")
    (tmp_path / "pictures/more").mkdir()
    assert page.get("/api/folders")["folders"] == ["models", "pictures"]
    found = page.get("/api/folders?path=pictures")
    assert (found["folders"], found["files"]) == (["more"], ["b 2.png", "b 10.png"])
