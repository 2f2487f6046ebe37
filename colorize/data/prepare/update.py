"""Make a dataset, or bring it up to date with a request, doing only what is new or changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from colorize.base.progress import task, tracked
from colorize.data.manifest import (
    FITS,
    RATIO,
    SIZE,
    SPLITS,
    ClipRecord,
    DatasetError,
    Manifest,
    load_manifest,
    save_manifest,
)
from colorize.data.prepare.convert import Job, convert_all, read_record, remove_clip
from colorize.data.prepare.sources import (
    Row,
    assign,
    clips_needed,
    expand,
    match_rows,
    merge,
    name_sources,
    read_splits,
)
from colorize.data.prepare.summary import remarks, split_table
from colorize.media import MediaError, open_source


@dataclass(frozen=True)
class Request:
    """What a dataset shall become; None leaves what it has, or the default of a new one.

    ``train``, ``val`` and ``test`` are sources of that split, as are those in folders of these
    names; where there is one, other new sources are for training.
    """

    sources: Sequence[Path]
    root: Path
    size: tuple[int, int] | None = None
    fit: str | None = None
    splits: Path | None = None
    ratio: tuple[float, float, float] | None = None
    seed: int | None = None
    first_frame: int | None = None
    train: Sequence[Path] = ()
    val: Sequence[Path] = ()
    test: Sequence[Path] = ()
    workers: int = 1
    prune: bool = False


def prepare(request: Request) -> list[str]:
    """Make or update a dataset and print what it holds.

    Returns:
        One line for each source that cannot be read; the others are in the dataset.

    Raises:
        DatasetError: The request cannot be fulfilled; nothing has been changed. Or no source can
            be read.
    """
    root = request.root
    old = load_manifest(root) if (root / "manifest.json").exists() else None
    sources = _sources(request)
    names = name_sources(list(sources), _known(root, old))
    stated = {names[path]: split for path, split in sources.items() if split}
    kept = [] if old is None or request.prune else _others(old.clips, names)
    new = _settings(request, old, kept)
    rows: dict[str, Row] = {}
    if request.splits is not None:
        rows = match_rows(read_splits(request.splits), names, kept, request.splits)
        stated = {name: row.split for name, row in rows.items()}
    planned = _splits({*names.values(), *(clip.name for clip in kept)}, old, stated, new)
    _refuse_empty_splits(request, planned.values())
    jobs = [
        Job(path, root, name, new.size, new.fit, _first_frame(name, rows, request))
        for path, name in names.items()
    ]
    (root / "frames").mkdir(parents=True, exist_ok=True)
    for leftover in (*root.glob(".*.part"), *root.glob("frames/.*.part")):  # of a killed run
        leftover.unlink(missing_ok=True)
    records, fresh, skipped = _convert_all(jobs, workers=request.workers)
    if not records and not kept:
        raise DatasetError(f"no source can be read: {'; '.join(skipped)}")
    splits = _splits({clip.name for clip in (*kept, *records)}, old, stated, new)
    clips = [replace(clip, split=splits[clip.name]) for clip in (*kept, *records)]
    manifest = replace(new, clips=tuple(sorted(clips, key=lambda clip: clip.name)))
    save_manifest(manifest, root)
    if request.prune and old is not None:
        for record in _others(old.clips, names):
            remove_clip(root, record.name)
    _report(manifest, root, fresh=fresh)
    return skipped


def _known(root: Path, old: Manifest | None) -> list[ClipRecord]:
    """Return the records of all clips there, also those that a killed run finished."""
    names = {path.stem for path in (root / "frames").glob("*.json")}
    finished = [read_record(root, name) for name in sorted(names)]
    listed = [] if old is None else [clip for clip in old.clips if clip.name not in names]
    return [record for record in finished if record is not None] + listed


def _others(clips: Iterable[ClipRecord], names: Mapping[Path, str]) -> list[ClipRecord]:
    """Return the clips that the command does not name."""
    return [clip for clip in clips if clip.name not in names.values()]


def _settings(request: Request, old: Manifest | None, kept: Sequence[ClipRecord]) -> Manifest:
    """Return the settings of the dataset to be, without clips.

    Raises:
        DatasetError: Clips that stay would not fit them.
    """
    new = Manifest(
        size=request.size or (old.size if old else SIZE),
        fit=request.fit or (old.fit if old else FITS[0]),
        ratio=request.ratio or (old.ratio if old else RATIO),
        seed=request.seed if request.seed is not None else (old.seed if old else 0),
        clips=(),
    )
    for record in kept:
        if (record.size, record.fit) != (new.size, new.fit):
            raise DatasetError(
                f"{request.root}: {record.name!r} was prepared at {as_text(record.size)} "
                f"({record.fit}), not {as_text(new.size)} ({new.fit}); name its source too, "
                "or pass --prune, or another -o"
            )
    if old and not request.splits and (old.ratio, old.seed) != (new.ratio, new.seed):
        raise DatasetError(
            f"{request.root}: was split with ratio {old.ratio} and seed {old.seed}; "
            "to split it anew, delete its manifest.json and run the same command"
        )
    return new


def _first_frame(name: str, rows: Mapping[str, Row], request: Request) -> int:
    """Return how many frames of a clip to leave out: the CSV's, the option's, or as before."""
    row = rows.get(name)
    if row is not None and row.first_frame is not None:
        return row.first_frame
    if request.first_frame is not None:
        return request.first_frame
    record = read_record(request.root, name)
    return record.first_frame if record is not None else 0


def _convert_all(
    jobs: Sequence[Job], *, workers: int
) -> tuple[list[ClipRecord], set[str], list[str]]:
    """Return the records of readable clips, names of those made now, and reasons of the rest."""
    records, fresh, skipped = [], set(), []
    readable, total = [], 0
    for job in tracked(jobs, "opening", unit="clip"):
        try:
            with open_source(job.path) as source:
                total += source.count or 0
            readable.append(job)
        except MediaError as error:
            skipped.append(str(error))
    with (
        task("preparing", total=total, unit="frame") as bar,
        closing(convert_all(readable, workers=workers, advance=bar.advance)) as results,
    ):
        for job, result in results:
            if isinstance(result, MediaError):
                skipped.append(str(result))
                continue
            record, made_now = result
            records.append(record)
            fresh |= {job.name} if made_now else set()
    return records, fresh, skipped


def _sources(request: Request) -> dict[Path, str]:
    """Return all sources with the split that an option or a folder says, or ""."""
    options = {split: getattr(request, split) for split in SPLITS}
    named = [split for split, paths in options.items() if paths]
    if request.splits is not None and named:
        raise DatasetError(f"--splits and --{named[0]} both say splits: pass one of them")
    sources = expand(request.sources)
    for split in named:
        merge(sources, expand(options[split], split=split))
    if not sources:
        raise DatasetError("no source is given: colorize-prepare SOURCE... -o DATASET")
    if request.ratio is not None and any(sources.values()):
        raise DatasetError(
            "--ratio does nothing beside folders that say their split: leave it out, or name "
            "folders that are not called train, val or test"
        )
    return sources


def _splits(
    names: Iterable[str], old: Manifest | None, stated: Mapping[str, str], settings: Manifest
) -> dict[str, str]:
    """Return the splits of clips: those stated, those they had, or by ratio."""
    names = set(names)
    splits = {clip.name: clip.split for clip in (old.clips if old else ()) if clip.name in names}
    splits |= {name: split for name, split in stated.items() if name in names}
    rest = sorted(names - splits.keys())
    if stated:
        return splits | dict.fromkeys(rest, "train")
    return splits | assign(rest, assigned=splits, ratio=settings.ratio, seed=settings.seed)


def _refuse_empty_splits(request: Request, splits: Iterable[str]) -> None:
    """Refuse a ratio that was asked for and leaves a split with a share of its own empty."""
    if request.ratio is None:
        return
    there = Counter(splits)
    shares = dict(zip(SPLITS, request.ratio, strict=True))
    empty = [split for split, share in shares.items() if share and not there[split]]
    if not empty:
        return
    needed = clips_needed(request.ratio)
    raise DatasetError(
        f"--ratio {','.join(map(str, request.ratio))} leaves no clip for {' and '.join(empty)}: "
        f"it needs {needed or 'more than 1000'} clips, and there are {there.total()}; give more, "
        "or name folders instead: --train FOLDER --test FOLDER"
    )


def _report(manifest: Manifest, root: Path, *, fresh: set[str]) -> None:
    """Print what the dataset holds."""
    clips = manifest.clips
    counted = f"{len(clips)} clip{'s' * (len(clips) != 1)}"
    print(f"{root}: {counted} of {as_text(manifest.size)}, {len(fresh)} of them made now")
    print(split_table(clips))
    for remark in remarks(clips):
        print(remark)
    dark, repeated = sum(c.dark_frames for c in clips), sum(c.repeated_frames for c in clips)
    if dark or repeated:
        print(f"kept, and noted in the manifest: {dark} nearly black, {repeated} repeated frames")


def as_text(size: Sequence[int]) -> str:
    """Return ``HEIGHTxWIDTH``."""
    return "x".join(map(str, size))
