#!/bin/bash
# swscale takes gray for full range, whatever the frame is tagged and whatever it is told.
# Guess: a gray HEVC film tagged limited range (16 black, 235 white) comes out 0, 128, 255 as RGB, as the
# same levels in yuv420p do. Seen: gray stays 16, 126, 235. Fails if that changes.
set -e
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" -q install av==18.1.0 numpy==2.3.5
"$place/env/bin/python" - "$place" <<'P'
import sys
import av
import numpy as np
from av.video.reformatter import ColorRange

print("PyAV", av.__version__, "libswscale", av.library_versions["libswscale"])
luma = np.repeat(np.repeat(np.uint8([16, 126, 235]), 32)[None], 64, axis=0)
found = {}
for name in ("gray", "yuv420p"):
    path = f"{sys.argv[1]}/{name}.mp4"
    chroma = np.full((32, 96), 128, np.uint8)
    stored = luma if name == "gray" else np.concatenate([luma, chroma])
    options = {"x265-params": "lossless=1:log-level=none"}
    with av.open(path, "w") as film:
        video = film.add_stream("libx265", rate=8, options=options)
        video.width, video.height, video.pix_fmt = 96, 64, name
        video.codec_context.color_range = ColorRange.MPEG
        frame = av.VideoFrame.from_ndarray(stored, format=name)
        frame.color_range = ColorRange.MPEG
        film.mux(video.encode(frame))
        film.mux(video.encode())
    with av.open(path) as film:
        frame = next(film.decode(video=0))
    assert (frame.format.name, frame.color_range) == (name, ColorRange.MPEG)
    rgb = frame.reformat(
        format="rgb24", src_color_range=ColorRange.MPEG, dst_color_range=ColorRange.JPEG
    ).to_ndarray()
    found[name] = [int(value) for value in rgb[32, 16::32, 0]]
    print(name, found[name])
assert found["yuv420p"] == [0, 128, 255], "limited range of yuv420p is no longer stretched"
assert found["gray"] == [16, 126, 235], "limited range of gray is stretched now"
P
