"""Mistakes that are told without Hydra, and settings and folders that can be typed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from colorize.base.arguments import check_arguments, pasted, typed
from colorize.base.errors import UserError
from colorize.base.settings_command import config_directory
from colorize.training.settings import TrainConfig


def check(*arguments: str) -> None:
    check_arguments(
        arguments, schema=TrainConfig, folder=config_directory(), program="colorize-train"
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("trainer.max_epoch=3", "unknown setting trainer.max_epoch; did you mean 'max_epochs'?"),
        ("+sampling.stils=3", "unknown setting sampling.stils; did you mean 'stills'?"),
        ("~dat", "unknown setting dat; did you mean 'data'?"),
        ("weights.segment=3", "unknown setting weights: it is called loss_weights now"),
        ("optimizer=adam", "optimizer holds several settings: set one of optimizer.learning_rate"),
        ("experiment=prototyp", "no config experiment/prototyp; did you mean 'prototype'?"),
        (
            "experiment=rank_diversity_segment",
            "did you mean 'table1/rank_diversity_segment'?",
        ),
        (
            "+experiment/table1=rank_diversity_segment",
            "files of experiment are chosen by experiment=table1/rank_diversity_segment",
        ),
        ("loss=[rank_diversity,segmnt]", "no config loss/segmnt; did you mean 'segment'?"),
        ("model=prototype,prototype_chrom", "did you mean 'prototype_chroma'?"),
        ("--dry-run", "colorize-train has no option --dry-run: settings are written SETTING=VALUE"),
        ("segment", "segment is no setting: expected SETTING=VALUE; see colorize-train --help"),
    ],
)
def test_a_mistake_is_named_with_what_to_write(argument: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        check(argument)
    assert message in str(error.value)


def test_a_folder_for_a_setting_is_told_which(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"write data=clips data\.root={tmp_path}"):
        check(str(tmp_path))


def test_what_hydra_knows_is_left_to_it() -> None:
    check("-m", "--cfg", "job", "hydra/launcher=joblib", "hydra.sweep.dir=x", "--package=a")
    check("loss=[a-file-of-mine]", "hydra.searchpath=[file://conf]", "mine=1")
    check("model=${other}", "experiment=glob(table1/*)", "experiment=null", "~augment")
    check("loss.anything.at.all=1", "data.root='a b'", "metric@x=psnr", "trainer={max_epochs: 1}")
    check("sampling.stages=[{epochs: 1, size: [8, 8]}]", "protocol.epochs=3", "protocol=null")


@pytest.mark.parametrize(
    "value", ["runs/a", "a b", "it's", "a=b", "x,y", "$HOME`", 'say "x"', "Säge", "a\\b", "[1]"]
)
def test_what_is_pasted_is_what_hydra_reads(value: str) -> None:
    (word,) = shlex.split(pasted("directory", value))
    override = OverridesParser.create().parse_override(word)
    assert override.key_or_group == "directory"
    read = override.value()
    assert (read if isinstance(read, str) else read.text) == value


def test_folders_of_jobs_can_be_typed() -> None:
    assert typed([("seed", "1"), ("model", "prototype")]) == "model-prototype_seed-1"
    assert typed([("experiment", "table1/rank_diversity_segment")]) == "rank_diversity_segment"
    lists = [("loss", "[rank_diversity,segment]"), ("model.inputs", "gray_pair")]
    assert typed(lists) == "loss-rank_diversity+segment_model.inputs-gray_pair"
    odd = typed([("data.root", "/a b/'c'=d"), ("x", "")])
    assert odd == "data.root--ab-c-d_x-none"
    for name in (odd, typed(lists)):
        assert shlex.split(name) == [name]
        assert pasted("init", name) == f"init={name}"
