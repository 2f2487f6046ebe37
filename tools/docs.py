"""Build the documentation: lay its pages out in build/docs, and render them into build/site.

The pages are those of docs/, the records of experiments/ and CONTRIBUTING.md. Rooms, settings and
targets are derived from the code and conf/ where a page says ``<!-- generated: NAME -->``. Links to
files that are no part of the site become their bare text. Any remark of the renderer, a link that
leads nowhere, or a page that would load something from elsewhere, is an error.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from colorize.base.errors import UserError, one_line_errors

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "build" / "docs"
SITE = ROOT / "build" / "site"
ASSETS = {".csv", ".json", ".png", ".svg"}

_LINK = re.compile(r"(?<!\\)\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s]+)\)")
_SOURCE = re.compile(r'\b(?P<name>src|href)="(?P<target>[^"]+)"')
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"<!-- generated: (\w+) -->")
_REMARKS = re.compile(r"^(Build started|Build finished in .*|No issues found|)$")
_LOADED = re.compile(r"<(?:script|link|img|source|iframe)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//")


def main() -> None:
    """Build the site; with ``--pages``, only lay out what it is rendered from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", action="store_true", help="lay the pages out, render nothing")
    options = parser.parse_args()
    with one_line_errors():
        lay_out()
        if not options.pages:
            render()
            refuse_loading(SITE)
            print(f"the documentation is in {SITE.relative_to(ROOT)}/index.html")


def lay_out() -> None:
    """Write all pages, and what they show, into an empty ``build/docs``."""
    shutil.rmtree(PAGES, ignore_errors=True)
    for page in pages():
        target = PAGES / place(page)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(laid_out(page))


def pages() -> Iterator[Path]:
    """Yield the Markdown files that become pages."""
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield from sorted((ROOT / "experiments").rglob("*.md"))
    yield ROOT / "CONTRIBUTING.md"


def place(path: Path) -> Path:
    """Return where a file of the repository lies in the site.

    Raises:
        ValueError: It is no part of it.
    """
    inside = path.relative_to(ROOT)
    page = path.suffix == ".md"
    if inside.parts[0] == "docs" and (page or path.suffix in ASSETS):
        return Path(*inside.parts[1:])
    if inside.parts[0] == "experiments" and (page or path.suffix in ASSETS):
        return inside.with_name("index.md") if inside.name == "README.md" else inside
    if inside == Path("CONTRIBUTING.md"):
        return Path("contributing.md")
    raise ValueError(f"{inside} is no part of the site")


def laid_out(page: Path) -> str:
    """Return a page as the site has it: what is generated filled in, links as they lie there."""
    text = _GENERATED.sub(lambda found: GENERATED[found[1]](), page.read_text())
    parts = _FENCE.split(text)
    parts[::2] = [_relinked(part, page) for part in parts[::2]]
    return "".join(parts)


def _relinked(text: str, page: Path) -> str:
    def link(found: re.Match[str]) -> str:
        target = _target(found["target"], page)
        return found["text"] if target is None else f"[{found['text']}]({target})"

    def source(found: re.Match[str]) -> str:
        return f'{found["name"]}="{_target(found["target"], page)}"'

    return _SOURCE.sub(source, _LINK.sub(link, text))


def _target(target: str, page: Path) -> str | None:
    """Return a link of a page as it must read in the site, None if it leads out of it.

    Raises:
        ValueError: It leads to nothing.
    """
    path, anchor, heading = target.partition("#")
    if not path or re.match(r"\w+:", path):
        return target
    file = (page.parent / path).resolve()
    if not file.exists():
        raise UserError(f"{page.relative_to(ROOT)}: {target} leads to no file")
    if file.is_dir() and (file / "README.md").is_file():
        file /= "README.md"
    try:
        placed = place(file)
    except ValueError:
        return None
    if file.suffix in ASSETS:
        (PAGES / placed).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, PAGES / placed)
    return os.path.relpath(placed, place(page).parent) + anchor + heading


def rooms() -> str:
    """Return a table of the rooms, highest first, in the words of their docstrings."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    lines = ["| floor | room | what it is for | what it imports |", "| --: | --- | --- | --- |"]
    layers = contract["contracts"][0]["layers"]
    for floor, layer in zip(range(len(layers) - 1, -1, -1), layers, strict=True):
        for room in layer.split(" | "):
            text = ast.get_docstring(
                ast.parse((ROOT / "colorize" / room / "__init__.py").read_text())
            )
            paragraphs = [" ".join(each.split()) for each in (text or "").split("\n\n")]
            says = next(each for each in paragraphs if re.search(r"\bimport\b", each))
            imports = re.findall(r"[^.]*\bimport\b[^.]*\.", says)[-1].strip()
            purpose = re.sub(r"``", "`", paragraphs[0])
            lines.append(f"| {floor} | `{room}/` | {purpose} | {imports} |")
    return "\n".join(lines)


def settings() -> str:
    """Return every file of conf/, group by group, with the comment that opens it."""
    conf = ROOT / "conf"
    text = []
    for group in sorted({path.parent for path in conf.rglob("*.yaml")}):
        name = group.relative_to(conf).as_posix()
        text.append("## Programs" if name == "." else f"## {name}")
        for path in sorted(group.glob("*.yaml")):
            text.append(f"### {name}={path.stem}" if name != "." else f"### {path.name}")
            text.append(_setting(path))
    return "\n\n".join(text)


def _setting(path: Path) -> str:
    lines = path.read_text().rstrip().splitlines()
    count = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    told = [line.removeprefix("#").removeprefix(" ") for line in lines[:count]]
    remark = _remark([line for line in told if not line.startswith("@package")])
    block = "\n".join(lines[count:])
    where = f"`{path.relative_to(ROOT)}`"
    return "\n\n".join(each for each in (remark, where, block and f"```yaml\n{block}\n```") if each)


def _remark(lines: list[str]) -> str:
    """Return a comment as Markdown: indented lines are commands."""
    text, told = "", []
    for line in [*lines, ""]:
        if line.startswith("  "):
            text += _escaped(" ".join(told)) + f"\n\n    {line.strip()}\n\n"
            told = []
        else:
            told.append(line)
    return (text + _escaped(" ".join(told))).strip()


def _escaped(text: str) -> str:
    return re.sub(r"([*<\[\]])", r"\\\1", text)


def targets() -> str:
    """Return what losses can ask for, as the module that computes it says."""
    module = ast.parse((ROOT / "colorize/data/targets/compute.py").read_text())
    rule = re.search(r"^=+ .*^=+ [= ]*$", ast.get_docstring(module) or "", re.MULTILINE | re.DOTALL)
    assert rule is not None
    rows = ["| target | type and axes | what it is |", "| --- | --- | --- |"]
    for line in rule[0].splitlines()[1:-1]:
        name, shape, meaning = (each.strip() for each in (line[:24], line[24:46], line[46:]))
        if name:
            rows.append(f"| {name.replace('``', '`')} | `{shape}` | {_in_markdown(meaning)} |")
        else:
            rows[-1] = rows[-1].removesuffix(" |") + f" {_in_markdown(meaning)} |"
    return "\n".join(rows)


def _in_markdown(text: str) -> str:
    """Return a line of a docstring with its references and code in backquotes."""
    return re.sub(r":\w+:`([^`]*)`", r"`\1`", text).replace("``", "`")


GENERATED: dict[str, Callable[[], str]] = {
    "rooms": rooms,
    "settings": settings,
    "targets": targets,
}


def render() -> None:
    """Let Zensical render build/docs as mkdocs.yml says.

    Raises:
        ValueError: It fails, or remarks anything.
    """
    program = Path(sys.executable).with_name("zensical")
    if not program.is_file():
        raise UserError(f"{program} is not there: pip install -c constraints.txt -e '.[docs]'")
    done = subprocess.run(
        [program, "build", "--strict", "--clean"], cwd=ROOT, capture_output=True, text=True
    )
    said = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
    if done.returncode or not all(map(_REMARKS.match, said.splitlines())):
        print(re.sub(r"^(Traceback .*|  (?:File|  ) .*)\n", "", said, flags=re.M), file=sys.stderr)
        raise UserError("the documentation has mistakes, listed above: mend docs/ or the docstring")


def refuse_loading(site: Path) -> None:
    """Refuse pages that load anything from elsewhere.

    Raises:
        ValueError: A page does.
    """
    for page in sorted(site.rglob("*.html")):
        if found := _LOADED.search(page.read_text()):
            raise UserError(f"{page}: loads from elsewhere: {found[0]}")


if __name__ == "__main__":
    main()
