"""A page to be asked without a browser, whose work is done in this very process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from colorize.app.server import make_app
from colorize.app.studio import Studio
from colorize.app.tasks import TASKS, Models
from colorize.app.uploads import Limits
from colorize.base.errors import line_for_user
from colorize.base.progress import Event, Remark, listening

OWN = {"X-Tooncolor": "1"}
LENGTHS = (9, 7, 8)  # frames of the shots of the clip below


class InProcess:
    """A worker without a process of its own; ``asked`` are the requests it got."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self._models = Models()

    def start(self) -> None: ...

    def ask(self, request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        self.asked.append(request)
        said: list[str] = []

        def listener(event: Event) -> None:
            if isinstance(event, Remark):
                said.append(event.text)

        values = {key: value for key, value in request.items() if key != "task"}
        try:
            with listening(listener):
                result = TASKS[request["task"]](self._models, **values)
        except Exception as error:  # noqa: BLE001 - as the real one
            line = line_for_user(error) or f"a defect: {error!r}"
            yield from (("say", line) for line in said)
            yield "failed", line
            return
        yield from (("say", line) for line in said)
        yield "done", result

    def stop(self) -> None: ...

    def close(self) -> None: ...


class Page:
    """A page on folders of its own below ``folder``: roots ``models`` and ``pictures``."""

    def __init__(self, folder: Path, *, limits: Limits | None = None, **roots: Path) -> None:
        self.folder = folder
        for name in ("models", "pictures"):
            (folder / name).mkdir(exist_ok=True)
        self.worker = InProcess()
        self.studio = Studio(
            work=folder / "work",
            roots={"models": folder / "models", "pictures": folder / "pictures", **roots},
            limits=limits,
            make_worker=lambda: self.worker,
        )
        self.client = TestClient(
            make_app(self.studio, hosts=["testserver"]), headers=OWN, raise_server_exceptions=True
        )

    def get(self, path: str, status: int = 200) -> Any:
        return self._answer(self.client.get(path), status)

    def post(self, path: str, content: Any = None, status: int = 200) -> Any:
        return self._answer(self.client.post(path, json=content or {}), status)

    def put(self, path: str, content: Any, status: int = 201) -> Any:
        return self._answer(self.client.put(path, content=content), status)

    def delete(self, path: str, status: int = 200) -> Any:
        return self._answer(self.client.delete(path), status)

    def wait(self, path: str) -> Any:
        """Ask until what is at work there has ended."""
        for _ in range(1200):
            answer = self.get(path)
            if answer["state"] not in ("waiting", "running"):
                return answer
            time.sleep(0.05)
        raise AssertionError(answer)

    def job(self, files: Mapping[str, bytes], **asked: Any) -> str:
        """Make a job of dropped files and return its address."""
        path = f"/api/jobs/{self.post('/api/jobs', status=201)['id']}"
        for name, content in files.items():
            self.put(f"{path}/input/{name}", content)
        self.post(f"{path}/settings", {"checkpoint": "models/model.safetensors", **asked})
        return path

    @staticmethod
    def _answer(response: Any, status: int) -> Any:
        assert response.status_code == status, response.text[:500]
        is_json = response.headers["content-type"].startswith("application/json")
        return response.json() if is_json else response.content


def gray_frames(size: tuple[int, int] = (64, 96)) -> list[np.ndarray]:
    """Gray frames of three shots, each a still background with a bright block that moves."""
    random = np.random.default_rng(1)
    height, width = size
    frames = []
    for length in LENGTHS:
        coarse = random.integers(30, 200, (6, 8), dtype=np.uint8)
        background = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        for step in range(length):
            frame = background.copy()
            frame[20:36, 4 + 3 * step : 20 + 3 * step] = 240
            frames.append(frame)
    return frames


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def frame_files() -> dict[str, bytes]:
    return {f"{number:02d}.png": png(frame) for number, frame in enumerate(gray_frames())}


def film_bytes(folder: Path, *, suffix: str = ".mkv") -> bytes:
    """The same frames as a film with sound."""
    import av

    path = folder / f"made{suffix}"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=24)
        video.height, video.width, video.pix_fmt = 64, 96, "yuv420p"
        sound = container.add_stream("aac", rate=48000)
        container.start_encoding()
        for frame in gray_frames():
            rgb = np.repeat(frame[..., None], 3, axis=2)
            container.mux(video.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(video.encode())
        wave = (np.sin(np.arange(2000 * sum(LENGTHS)) / 17) * 0.3).astype(np.float32)
        for first in range(0, len(wave), 1024):
            piece = np.tile(wave[first : first + 1024], (2, 1))
            audio = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
            audio.sample_rate, audio.pts = 48000, first
            container.mux(sound.encode(audio))
        container.mux(sound.encode())
    return path.read_bytes()


def is_colored(path: Path) -> bool:
    """Whether any pixel of a picture differs between its channels."""
    rgb = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return bool((rgb.max(axis=2) - rgb.min(axis=2)).max() > 8)
