import subprocess
import sys
from typing import Literal

import pytest

from colorize.base.devices import choose_device
from colorize.base.errors import did_you_mean, fail, one_line_errors, require, require_choice
from colorize.inference.checkpoints import load_checkpoint


def test_a_value_error_of_ours_becomes_one_line_and_exit_code_2(capsys):
    with pytest.raises(SystemExit) as stopped, one_line_errors():
        choose_device("gpu17")
    assert stopped.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: --device is 'gpu17'")


def test_a_value_error_of_a_library_keeps_its_traceback():
    with pytest.raises(ValueError, match="invalid literal"), one_line_errors():
        int("three")


def test_a_missing_file_is_named(capsys, tmp_path):
    with pytest.raises(SystemExit), one_line_errors():
        (tmp_path / "absent.txt").read_text()
    assert "absent.txt: No such file or directory" in capsys.readouterr().err


def test_several_lines_are_joined(capsys):
    with pytest.raises(SystemExit):
        fail("first\n  second")
    assert capsys.readouterr().err == "error: first second\n"


def test_debug_mode_shows_the_traceback(monkeypatch, tmp_path):
    monkeypatch.setenv("TOONCOLOR_DEBUG", "1")
    with pytest.raises(ValueError, match="no such checkpoint"), one_line_errors():
        load_checkpoint(tmp_path / "absent.ckpt")


def test_ctrl_c_is_one_line_and_exit_code_130(capsys):
    with pytest.raises(SystemExit) as stopped, one_line_errors():
        raise KeyboardInterrupt
    assert stopped.value.code == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_importing_the_package_does_no_work():
    program = "import colorize, sys; print('torch' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert output.stdout.strip() == "False", output.stderr


def test_a_choice_that_does_not_exist_names_the_others():
    with pytest.raises(ValueError, match=r"model\.head is 'sepia': expected rgb, chroma or lab$"):
        require_choice("model.head", "sepia", Literal["rgb", "chroma", "lab"])
    require_choice("model.head", "chroma", Literal["rgb", "chroma", "lab"])


def test_what_does_not_hold_is_refused_with_what_was_expected():
    with pytest.raises(ValueError, match=r"^augment\.flip is 1\.5: expected a probability$"):
        require("augment.flip", False, 1.5, "a probability")
    require("augment.flip", True, 0.5, "a probability")


def test_did_you_mean_lists_all_names_when_none_is_near():
    assert did_you_mean("epochs", ["epoch", "size"]) == "; did you mean 'epoch'?"
    assert did_you_mean("zzz", ["b", "a"]) == "; valid: a, b"
