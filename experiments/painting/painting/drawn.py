"""Gray films whose true colours are known, as folders of frames, and coloured as colorize does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from colorize.cartoon import CartoonSeries
from colorize.data import PreparedClips
from colorize.films.plan.digests import Digests, take_digests
from colorize.films.plan.manifest import Manifest, Settings
from colorize.films.plan.planning import make_plan
from colorize.films.plan.references import library_of, read_references
from colorize.imaging.tensors import to_tensor
from colorize.inference.engine import ShotEngine
from colorize.inference.loaded import LoadedNetworks
from colorize.inference.settings import RenderSettings
from colorize.media import Source, open_source
from colorize.metrics.psnr import psnr

SIZE = (108, 192)
SHOTS, FRAMES = 9, (6, 14)  # of a procedural series
EVERY = 4  # frames of clips of 24 a second
NEAREST = 20 * float(np.log10(255))  # dB: a whole step of 8 bits everywhere; nothing counts nearer


@dataclass(frozen=True)
class Film:
    """A film by its name, and its true frames, shot after shot."""

    name: str
    frames: UInt8[np.ndarray, "t h w 3"]


def procedural(seed: int, *, shots: int = SHOTS) -> Film:
    """Return a procedural series as one film."""
    series = CartoonSeries(seed=seed, size=SIZE, shots=shots, frames_per_shot=FRAMES)
    pictures = [series.color(number) for number in range(shots)]
    return Film(f"procedural series {seed}", np.concatenate(pictures))


def clips(root: Path, split: str, *, every: int = EVERY) -> Film:
    """Return the clips of a split of a prepared dataset joined to one film."""
    found = PreparedClips(root=str(root)).split(split).clips
    return Film(
        f"Penny & Chip, {split} clips", np.concatenate([np.array(c.frames[::every]) for c in found])
    )


@dataclass
class Measured:
    """A film on the disk, in gray and in colour, of which every colouring of a shot is kept."""

    film: Film
    folder: Path
    colorizer: LoadedNetworks
    _known: dict[tuple[int, int, tuple[str, ...]], Float[np.ndarray, " n"]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        for name in ("gray", "truth"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(self.film.frames):
            image, name = Image.fromarray(picture), f"frame_{number:04d}.png"
            image.save(self.folder / "truth" / name)
            image.convert("L").save(self.folder / "gray" / name)  # Pillow's L is BT.601 luma

    @property
    def source(self) -> Source:
        """The gray film."""
        return open_source(self.folder / "gray")

    def plan(self, coloured: Sequence[int]) -> Manifest:
        """Return what ``colorize`` plans with some frames in their true colours as references."""
        paths = [self.folder / "truth" / f"frame_{number:04d}.png" for number in coloured]
        settings = Settings.of(self.colorizer, RenderSettings())
        with self.source as source:
            return make_plan(
                source, self._digests, settings, colorizer=self.colorizer,
                references=read_references(paths),
            )  # fmt: skip

    @property
    def _digests(self) -> Digests:
        with self.source as source:
            return take_digests(source)

    def figures(self, coloured: Sequence[int]) -> Float[np.ndarray, " n"]:
        """Return the PSNR of every frame (dB), coloured with some frames in their true colours."""
        manifest = self.plan(coloured)
        with self.source as source:
            library = library_of(manifest.references, source, self.colorizer)
        engine = ShotEngine(self.colorizer, manifest.settings, library=library)
        return np.concatenate(list(self._shots(manifest, engine)))

    def _shots(self, manifest: Manifest, engine: ShotEngine) -> Iterator[Float[np.ndarray, " n"]]:
        for shot in manifest.shots:
            key = (shot.start, shot.stop, shot.guided_by)
            if key not in self._known:
                with self.source as source:
                    frames = source.frames(shot.start, shot.stop)
                    made = [each.rgb for (each,) in engine(frames, names=shot.guided_by, variant=0)]
                truth = self.film.frames[shot.start : shot.stop]
                found = psnr(to_tensor(np.stack(made)), to_tensor(truth))
                self._known[key] = found.clamp_max(NEAREST).numpy()
            yield self._known[key]
