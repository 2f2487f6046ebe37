from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from colorize.base import provenance as module
from colorize.base.provenance import provenance, source_commit


def test_provenance_names_data_code_and_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/some/where/colorize-evaluate", "data=my clips"])
    monkeypatch.setattr(module, "source_commit", lambda _: "abc")
    record = provenance(data="clips", weights={"lpips": "Caffe"}, seed=7)
    assert record["command"] == "colorize-evaluate 'data=my clips'"
    assert (record["data"], record["commit"], record["seed"]) == ("clips", "abc", 7)
    assert (record["device"], record["checkpoint"]) == ("cpu", None)
    assert record["packages"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert record["threads"] == torch.get_num_threads()
    assert record["cpu"]
    assert json.loads(json.dumps(record)) == record


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_of_the_code_and_its_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A git hook that runs the tests sets GIT_DIR and more, which would reach its own repository.
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, "-c", "commit.gpgsign=false", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    package = tmp_path / "package"
    package.mkdir()
    code = package / "code.py"
    code.write_text("x = 1\n")
    assert source_commit(package) == "unknown (not a git checkout)"
    git("init", "--quiet")
    assert source_commit(package) == "unknown (the code is not tracked by git)"
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    commit = git("rev-parse", "HEAD")
    (tmp_path / "notes.txt").write_text("results beside the code are no change of the code")
    assert source_commit(package) == commit
    code.write_text("x = 2\n")
    assert source_commit(package) == f"{commit} + local changes"


def test_without_git_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert source_commit(tmp_path) == "unknown (git is not installed)"
