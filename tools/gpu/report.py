"""Put the results of one call, or of several, on one page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gpu.plan import STAGES

_FILE = "results.json"


class Results:
    """The results of a call in its folder: written anew, with the page, after each stage."""

    def __init__(self, folder: Path, machine: dict[str, Any]) -> None:
        self.folder, self.machine = folder, machine
        self.stages: dict[str, dict[str, Any]] = {}

    def write(self, stage: str, result: dict[str, Any]) -> None:
        """Add the result of a stage."""
        self.stages[stage] = result
        content = {"machine": self.machine, "stages": self.stages}
        _write(self.folder / _FILE, json.dumps(content, indent=2) + "\n")
        _write(self.folder / "report.md", page([content]))

    @property
    def complete(self) -> bool:
        """Whether every stage came to its end."""
        return all(each["status"] == "done" for each in self.stages.values())


def read(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the results in folders, in their order; OSError where there are none."""
    return [json.loads((folder / _FILE).read_text()) for folder in folders]


def page(calls: Sequence[dict[str, Any]]) -> str:
    """Return the page of calls; of a stage that ran in several the last one counts."""
    lines = ["# What a GPU said", ""]
    stages: dict[str, dict[str, Any]] = {}
    for call in calls:
        lines += [_machine(call["machine"], list(call["stages"])), ""]
        stages |= call["stages"]
    write = {"tests": _tests, "speed": _speed, "train": _train, "table": _table}
    for name in STAGES:
        if name in stages:
            lines += [f"## {name}: {_status(stages[name])}", "", *write[name](stages[name]), ""]
    return "\n".join(lines)


def _machine(machine: dict[str, Any], stages: Sequence[str]) -> str:
    card = machine.get("card") or "no card, on the CPU"
    memory = f", {machine['card_memory_gib']} GiB" if machine.get("card_memory_gib") else ""
    return (
        f"{', '.join(stages)}: **{card}**{memory}; {machine.get('cores')} cores; PyTorch "
        f"{machine.get('torch')}, CUDA {machine.get('cuda')}, Python {machine.get('python')}; "
        f"commit {machine.get('commit') or 'unknown'}."
    )


def _status(result: dict[str, Any]) -> str:
    reason = f" ({result['reason']})" if result.get("reason") else ""
    return f"{result['status']}{reason} after {result.get('seconds', 0)} s"


def _tests(result: dict[str, Any]) -> list[str]:
    counts = [f"{result.get(each, 0)} {each}" for each in ("passed", "failed", "skipped")]
    return [f"{', '.join(counts)}.", *(f"- {name}" for name in result.get("failures", []))]


def _speed(result: dict[str, Any]) -> list[str]:
    lines = ["| what | ms | frames or samples a second | peak MiB |", "| --- | --: | --: | --: |"]
    for figure in result.get("figures", []):
        peak = figure.get("peak_mib", "")
        if "error" in figure:
            lines.append(f"| {figure['what']} | {figure['error']} | | {peak} |")
        elif "samples_per_second" in figure:
            height, width = figure["size"]
            told = f"{figure['what']}, {figure['batch_size']} x {height}x{width}, fed by loaders"
            alone = figure["samples_per_second_without_loading"]
            lines.append(f"| {told} | | {figure['samples_per_second']:.1f} | {peak} |")
            told = f"the same batch again; device busy {figure['device_busy']:.0%} when fed"
            lines.append(f"| {told} | | {alone:.1f} | |")
        else:
            milliseconds, rate = 1000 * figure["seconds"], figure["frames_per_second"]
            lines.append(f"| {figure['what']} | {milliseconds:.2f} | {rate:.1f} | {peak} |")
    return lines


def _train(result: dict[str, Any]) -> list[str]:
    if "recipe" not in result:
        return []
    begun = "going on with an earlier call" if result.get("resumed") else "from its start"
    lines = [
        f"`experiment={result['recipe']}`, {begun}, {result['minutes']} minutes in all, "
        f"{result.get('epochs', 0)} epochs. Files: {', '.join(result['files']) or 'none'}."
    ]
    if history := result.get("history"):
        scores = [name for name in history[-1] if name.startswith("val/")]
        lines += ["", "| score | first epoch | last epoch |", "| --- | --: | --: |"]
        lines += [f"| {name} | {history[0].get(name)} | {history[-1][name]} |" for name in scores]
    return lines


def _table(result: dict[str, Any]) -> list[str]:
    if "epochs" not in result:
        return []
    told = ", ".join(f"{row} {epochs}" for row, epochs in result["epochs"].items())
    lines = [f"At most {result['minutes']} minutes a row, all rows at once. Epochs: {told}.", ""]
    table = result.get("table") or "No row came to its end."
    return lines + [f"##{line}" if line.startswith("#") else line for line in table.splitlines()]


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text)
    part.replace(path)
