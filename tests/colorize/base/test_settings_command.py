"""Commands that take settings: help and refusals, and what the YAML files are for."""

from __future__ import annotations

import pytest

from colorize.base.settings_command import SettingsCommand, config_directory, described
from colorize.training.settings import TrainConfig

COMMAND = SettingsCommand(
    program="tool",
    sentence="Do it.",
    examples="examples:\n  tool seed=1\n\nMore.",
    config="train",
    schema=lambda: TrainConfig,
)


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_begins_with_what_the_command_does(word: str, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        COMMAND.check(["seed=1", word])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("Do it.\n\nexamples:\n  tool seed=1\n\nusage: tool")


def test_a_mistake_is_one_line_and_exit_code_2(capsys) -> None:
    COMMAND.check(["seed=1"])
    with pytest.raises(SystemExit) as stopped:
        COMMAND.check(["sed=1"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: unknown setting sed; did you mean 'seed'?\n"


def test_files_are_described_by_their_first_comment() -> None:
    found = described(config_directory() / "experiment" / "table1")
    assert found["rank_diversity_segment"] == (
        "Table I: RankDiv + Segment, main network, in the paper's two sizes."
    )
    assert found["rank_diversity_bilateral_temporal_refined"].startswith("Table I: Bilateral + Ran")
