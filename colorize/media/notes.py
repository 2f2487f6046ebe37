"""Remarks about a source, each of one line, that a command shows to its user."""

from __future__ import annotations

import warnings
from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from PIL import Image


def film_notes(path: Path, container: InputContainer, frame: VideoFrame) -> tuple[str, ...]:
    """Return what of a film is not kept, or not as it should be; ``frame`` is its first."""
    streams = container.streams
    covers = [track for track in streams.video if track.disposition & Disposition.attached_pic]
    films = len(streams.video) - len(covers)
    remarks = {
        "is interlaced: its fields are coloured as one picture and stay interlaced; deinterlace it "
        "first if moving edges come out striped": frame.interlaced_frame,
        f"holds {films} video streams: only the first is coloured, the others are left out": (
            films > 1
        ),
        "is partly transparent: its alpha channel is left out": any(
            component.is_alpha for component in frame.format.components
        ),
        "holds a cover picture, which is left out": bool(covers),
        "holds data tracks (timecodes, telemetry), which are left out": bool(streams.data),
    }
    return tuple(f"{path} {remark}" for remark, applies in remarks.items() if applies)


def picture_notes(path: Path) -> tuple[str, ...]:
    """Return what of a readable picture is not kept."""
    with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
        profile = image.info.get("icc_profile") or b""
    # The name in a profile is ASCII in version 2 and UTF-16 in version 4 (ICC.1, 10.13 and 10.15).
    if not profile or b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile:
        return ()
    return (
        f"{path} has a colour profile other than sRGB, which is neither applied nor kept; convert "
        "it to sRGB first if its tones look off",
    )
