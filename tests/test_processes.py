"""Whole processes are measured by their own revision, of which one takes more of everything."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from colorize.base.errors import UserError
from tests.places import TOOLS

_SCRIPT = '[project.scripts]\ntoy = "toy:main"\n'
_SLOW = """
def main():
    import time
    held = bytearray(range(256)) * (1 << 18)  # 64 MiB
    end = time.process_time() + 0.3
    while time.process_time() < end: pass
    print("made", file=open("made.txt", "x"))
"""
_QUICK = 'def main():\n    print("made", file=open("made.txt", "x"))\n'


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose first commit is slow and large, and whose working tree is neither."""
    monkeypatch.syspath_prepend(str(TOOLS))
    folder = tmp_path / "toy"
    folder.mkdir()

    def git(*words: str) -> None:
        who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    git("init")
    (folder / "pyproject.toml").write_text(_SCRIPT)
    (folder / "toy.py").write_text(_SLOW)
    git("add", "-A")
    git("commit", "-m", "slow")
    git("tag", "slow")
    (folder / "toy.py").write_text(_QUICK)
    return folder


def test_both_revisions_run_as_themselves_and_nothing_is_left(repository: Path, capsys) -> None:
    from benchmarks.processes import Case, compare

    case = Case("make", "toy", [], made=["made.txt"])
    report = compare([case], against="slow", repetitions=2, repository=repository)["make"]
    assert report["then"]["cpu"] > 0.3 > report["now"]["cpu"]
    assert report["then"]["memory"] > 64 > report["now"]["memory"] > 1
    assert report["then"]["wall"] > 0.3
    for key, ratio in report["ratio"].items():
        assert ratio == pytest.approx(report["now"][key] / report["then"][key])
    assert f"make, ratio{report['ratio']['wall']:>36.2f}".split() in [
        line.split()[:3] for line in capsys.readouterr().out.splitlines()
    ]
    trees = subprocess.run(
        ["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert len(trees.stdout.splitlines()) == 1


def test_a_command_that_fails_and_an_unknown_revision_are_named(repository: Path) -> None:
    from benchmarks.processes import Case, compare

    with pytest.raises(UserError, match="FileExistsError"):
        compare([Case("make", "toy", [])], against="slow", repetitions=1, repository=repository)
    with pytest.raises(UserError, match="gone"):
        compare([], against="gone", repetitions=1, repository=repository)
