"""A command that takes settings: its help, and what it refuses, before Hydra is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from colorize.base.arguments import check_arguments
from colorize.base.command_line import Parser
from colorize.base.errors import one_line_errors

if TYPE_CHECKING:
    from omegaconf import DictConfig


@dataclass(frozen=True, kw_only=True)
class SettingsCommand:
    """A console script whose arguments are Hydra's.

    ``sentence`` and ``examples`` are what its help begins with, as :class:`Parser` takes them;
    ``config`` is the YAML file it composes, ``schema`` returns the dataclass of its settings. With
    ``options`` it takes those of Hydra too.
    """

    program: str
    sentence: str
    examples: str
    config: str
    schema: Callable[[], type]
    options: bool = True

    def run(self, function: Callable[[DictConfig], object]) -> None:
        """Run ``function`` on the settings that ``sys.argv`` says, or refuse them in one line."""
        self.check(sys.argv[1:])
        # Hydra takes half a second to import: --help and most mistakes need not wait for it.
        from colorize.base.config import entry, register_schema

        register_schema(self.config, self.schema())
        entry(self.config, function)

    def check(self, arguments: Sequence[str]) -> None:
        """Show the help and end, if it is asked for; refuse what no setting can be meant by."""
        if {"--help", "-h"} & set(arguments):
            self.parser().print_help()
            raise SystemExit(0)
        with one_line_errors():
            check_arguments(
                arguments,
                schema=self.schema(),
                folder=config_directory(),
                program=self.program,
                options=self.options,
            )

    def parser(self) -> Parser:
        """Return what shows the help; Hydra reads the arguments itself."""
        parser = Parser(self.program, self.sentence, self.examples)
        parser.add_argument(
            "settings", nargs="*", metavar="SETTING=VALUE", help="a setting; the last one counts"
        )
        if not self.options:
            return parser
        parser.add_argument("-m", "--multirun", action="store_true",
                            help="run every combination of values with commas")  # fmt: skip
        parser.add_argument("--cfg", metavar="job", help="show all settings instead of running")
        return parser


def config_directory() -> Path:
    """Return the folder of the YAML files: beside the package, or inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "conf"
    return checkout if checkout.is_dir() else package / "conf"


def described(folder: Path) -> dict[str, str]:
    """Return what each YAML file of a folder is, by name: its first comment but the package's."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        lines: list[str] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                break
            if not line.startswith("# @"):
                lines.append(line.lstrip("# "))
        found[path.stem] = " ".join(lines)
    return found
