"""Say what a prepared dataset holds, split by split, and what cannot be trained on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from colorize.data.manifest import SPLITS, ClipRecord, held_out

# Losses that compare consecutive frames, by how many (colorize.losses.Loss.frames).
COMPARING = {2: ("temporal", "refinement"), 3: ("temporal_second_order",)}


def split_table(clips: Sequence[ClipRecord]) -> str:
    """Return a line for each split: clips, shots, frames, pairs and triples of one shot, jumps.

    Pairs and triples are consecutive frames; a jump is one in the numbers of a frame folder, which
    ends a shot.
    """
    head = ("split", "clips", "shots", "frames", "pairs", "triples", "jumps")
    lines = [head, *(_counts(split, clips) for split in SPLITS)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _counts(split: str, clips: Sequence[ClipRecord]) -> tuple[str, ...]:
    own = [clip for clip in clips if clip.split == split]
    counts = (
        len(own),
        sum(len(clip.shots) for clip in own),
        sum(clip.frames for clip in own),
        *(sum(clip.runs(length) for clip in own) for length in (2, 3)),
        sum(len(clip.jumps) for clip in own),
    )
    return (split, *map(str, counts))


def remarks(clips: Sequence[ClipRecord]) -> Iterator[str]:
    """Yield what the splits mean for training and measuring, one line each."""
    by_split = {split: [clip for clip in clips if clip.split == split] for split in SPLITS}
    train = by_split["train"]
    for clip in clips:
        if clip.jumps:
            places = ", ".join(map(str, clip.jumps[:3])) + (", …" if len(clip.jumps) > 3 else "")
            yield (
                f"{clip.name}: the numbers of its files jump before frame {places}: a shot ends "
                "there, for flow, pairs and all that compares frames"
            )
    if train and not by_split["val"]:
        yield f"no val: {served(train)}"
    if not by_split["test"]:
        yield (
            "no test: colorize-evaluate and colorize-table have nothing to measure; "
            "name clips with --test FOLDER"
        )
    if not train:
        yield "no train: nothing can be trained on it; name clips with --train FOLDER"
        return
    for length, losses in COMPARING.items():
        if not sum(clip.runs(length) for clip in train):
            yield (
                f"cannot be trained on it: {' and '.join(losses)}, for no shot of train has "
                f"{length} consecutive frames"
            )


def served(train: Sequence[ClipRecord]) -> str:
    """Return which shots of training clips serve for validation."""
    counts = held_out([clip.shots_in_frames for clip in train])
    named = [f"{count} of {clip.name}" for clip, count in zip(train, counts, strict=True) if count]
    if not named:
        return "the one shot that there is serves for training and for validation"
    shown = ", ".join(named[:3]) + (", …" if len(named) > 3 else "")
    return f"the last shots of training clips serve, and are not trained on: {shown}"
