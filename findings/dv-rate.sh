#!/bin/bash
# The average rate of a bare DV stream is its clock, 60000 a second, not 25.
# Guess: stream.average_rate of a .dv tape of 25 frames a second is 25. Seen: 60000, while guessed_rate and
# base_rate say 25; of the same tape in AVI all say 25. Fails if that changes.
set -e
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" -q install av==18.1.0 numpy==2.3.5
"$place/env/bin/python" - "$place" <<'P'
import sys
import av
import numpy as np

print("PyAV", av.__version__, "libavformat", av.library_versions["libavformat"])
found = {}
for suffix in ("dv", "avi"):
    path = f"{sys.argv[1]}/tape.{suffix}"
    with av.open(path, "w") as film:
        video = film.add_stream("dvvideo", rate=25)
        video.width, video.height, video.pix_fmt = 720, 576, "yuv420p"
        for index in range(4):
            picture = np.full((576, 720, 3), 60 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            film.mux(video.encode(frame))
        film.mux(video.encode())
    with av.open(path) as film:
        stream = film.streams.video[0]
        found[suffix] = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    print(suffix, *found[suffix])
assert found["avi"] == [25, 25, 25], "the tape in AVI"
assert found["dv"] == [60000, 25, 25], "the bare tape"
P
