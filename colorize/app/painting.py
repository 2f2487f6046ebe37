"""The painting of a job: its frames, layers and palette, drafts, and what the film is given."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from colorize.app.corrections import forget_whole
from colorize.app.drafts import Kept, draft_key, shot_of, state_of, with_paint
from colorize.app.error import PageError
from colorize.app.jobs import Job
from colorize.app.live import Live
from colorize.app.paintings import MOST_PIXELS, Painted, Paintings
from colorize.app.roots import Roots
from colorize.app.uploads import Uploads
from colorize.app.weights import find_weights, weights_file
from colorize.base.files import write_atomically
from colorize.films.painting.layer import Layer, check_layer, painted
from colorize.films.painting.palette import Palette
from colorize.films.painting.series import MOST, Example, Series, example_of, is_example
from colorize.films.plan.analysis import luma_bytes
from colorize.films.plan.manifest import Manifest, Reference
from colorize.films.plan.references import frame_name
from colorize.imaging.fills import Regions, find_regions
from colorize.media import Frame, open_source
from colorize.media.pictures.coding import encode_picture

_LETTERS = 80  # of the name of an example


class Painting:
    """What somebody paints in a job, and what becomes of it."""

    def __init__(self, job: Job, *, roots: Roots, live: Live, kept: Kept, uploads: Uploads) -> None:
        self.job, self._roots, self._live, self._kept = job, roots, live, kept
        self._uploads = uploads
        self.store = Paintings(job.folder / "painting")

    def all(self) -> dict[str, Any]:
        """Return what is painted, what could be, and the palette, for the page.

        Raises:
            PageError: The job has no input yet.
        """
        with open_source(self.job.input(self._roots)) as source:
            (height, width), count, rate = source.size, source.count, source.rate
        manifest = self._manifest()
        palette, version = self.store.palette()
        shots = [] if manifest is None else manifest.shots
        return {
            "frames": manifest.source.frames if manifest else count,
            "width": width,
            "height": height,
            "rate": float(rate or 12),
            "shots": [{"start": shot.start, "stop": shot.stop} for shot in shots],
            "suggestions": self.store.suggestions(),
            "painted": [asdict(each) for each in self.store.all()],
            "palette": [asdict(each) for each in palette.swatches],
            "palette_version": version,
            "references": [asdict(each) for each in self._others(manifest)],
        }

    def luma(self, number: int) -> UInt8[np.ndarray, "h w"]:
        """Return the luma of a frame in 8 bits.

        Raises:
            PageError: There is no such frame, or it is too large to be painted in a browser.
        """
        return luma_bytes(self._frame(number))

    def regions(self, number: int) -> Regions:
        """Return the regions of a frame that a click fills."""
        frame = self._frame(number)
        return self._kept.get(
            ("regions", self._source_key(), number), lambda: find_regions(frame.gray())
        )

    def keep(self, number: int, layer: Layer, version: str) -> str:
        """Keep the layer of a frame; return its version. See :meth:`Paintings.keep`.

        Raises:
            PageError: Somebody changed it meanwhile, or it is painted with what there is not.
        """
        with self.job.lock:
            check_layer(layer, self._frame(number), self.store.palette()[0])
            return self.store.keep(number, layer, version=version)

    def clear(self, number: int) -> None:
        """Take the paint of a frame away, and the reference that was made of it."""
        with self.job.lock:
            self.store.path(number).unlink(missing_ok=True)
            if number in self.store.followed():
                self._give(number, None)

    def draft(
        self, number: int, short_side: int, *, playing: bool, known: str = ""
    ) -> dict[str, Any] | None:
        """Return a frame as its film will have it.

        It is what :func:`colorize.app.tasks.paint.draft_frame` returns;
        ``key`` of the answer tells what it was coloured by; None stands for what the page has
        already, the draft of a ``known`` key.

        Raises:
            PageError: A newer question came meanwhile, or something cannot be used.
        """
        request = self._request(number) | {"task": "draft", "short_side": short_side}
        key = draft_key(request, self.job.asked.references_per_frame)
        if key == known:
            return None
        topic = f"{self.job.id} {'play' if playing else 'paint'}"
        found: dict[str, Any] = self._live.ask(request, topic=topic)
        return found | {"key": key}

    def offers(self, number: int) -> list[dict[str, Any]]:
        """Return which named colours are found again in a frame, and where.

        See :func:`colorize.app.tasks.paint.offer_colors`; each offer has the ``name`` and the
        ``color`` of its swatch.

        Raises:
            PageError: A newer question came meanwhile, or something cannot be used.
        """
        palette, _ = self.store.palette()
        named = {each.id: each for each in palette.swatches if each.name is not None}
        shown = [
            each
            for each in self.store.all()
            if each.frame != number and not named.keys().isdisjoint(each.swatches)
        ]
        if not shown:
            return []
        asked = self._request(number) | {"task": "offers", "swatches": sorted(named)}
        for name in ("references", "palette"):
            del asked[name]
        asked["layers"] = [self._layer(each) for each in shown]
        found = self._live.ask(asked, topic=f"{self.job.id} offers")
        return [
            {**each, "name": named[each["swatch"]].name, "color": named[each["swatch"]].color}
            for each in found
        ]

    def _layer(self, paint: Painted) -> dict[str, Any]:
        """Return what a worker needs to read what is painted."""
        path = self.store.path(paint.frame)
        return {"frame": paint.frame, "path": str(path), "key": paint.key}

    def accept(self, number: int) -> None:
        """Give the film the paint of a frame as a reference, and its shot in the manifest.

        Raises:
            PageError: Nothing is painted there.
        """
        with self.job.lock:
            if not self.store.path(number).is_file():
                raise PageError(f"nothing is painted in frame {number}", status=404)
            self._give(number, self.store.of(number))

    def add_swatch(self, version: str, color: str, name: str | None) -> dict[str, Any]:
        """Add a colour to the palette; return that with the swatch's ``id``."""
        with self.job.lock:
            palette, new = self.store.palette()[0].added(color, name)
            return self._shown(palette, version) | {"id": new.id}

    def change_swatch(
        self, version: str, number: int, color: str, name: str | None
    ) -> dict[str, Any]:
        """Change a swatch; references that were made of it follow.

        Raises:
            PageError: The palette was changed meanwhile.
        """
        with self.job.lock:
            palette = self.store.palette()[0].changed(number, color=color, name=name)
            shown = self._shown(palette, version)
            followed = self.store.followed()
            for each in self.store.all():
                if each.frame in followed and number in each.swatches and not each.accepted:
                    self._give(each.frame, each)
            return shown

    def remove_swatch(self, version: str, number: int) -> dict[str, Any]:
        """Take a swatch away.

        Raises:
            PageError: It is painted somewhere, or the palette was changed meanwhile.
        """
        with self.job.lock:
            for each in self.store.all():
                if number in each.swatches:
                    raise PageError(
                        f"frame {each.frame} is painted with it: give that another colour first",
                        status=409,
                    )
            return self._shown(self.store.palette()[0].without(number), version)

    def import_colors(self, colors: Sequence[tuple[str, str | None]]) -> dict[str, Any]:
        """Take the colours of another palette into this one."""
        with self.job.lock:
            palette, version = self.store.palette()
            return self._shown(palette.with_colors(colors), version)

    def hints(self) -> bytes:
        """Return all that is painted as a ZIP archive of transparent PNG, named after frames.

        Raises:
            PageError: Nothing is painted.
        """
        known = self.store.all()
        if not known:
            raise PageError("nothing is painted yet", status=404)
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
            for each in known:
                archive.writestr(f"{self._stem(each.frame)}.png", self._picture(each.frame))
        return written.getvalue()

    def series(self) -> bytes:
        """Return the palette with examples of its named colours, for the next episode.

        Raises:
            PageError: No colour that is painted has a name.
        """
        palette, _ = self.store.palette()
        named = [each.id for each in palette.swatches if each.name is not None]
        examples: list[Example] = []
        for each in self.store.all():
            if set(named) & set(each.swatches) and len(examples) < MOST:
                frame = self._frame(each.frame)
                layer, _ = self.store.layer(each.frame, frame.rgb.shape[:2])
                kept = np.where(np.isin(layer, named), layer, 0).astype(np.uint16)
                example = example_of(frame, kept, self._stem(each.frame)[-_LETTERS:])
                if example.layer.any():  # not only a dot that is too small for an example
                    examples.append(example)
        if not examples:
            raise PageError(
                "no colour that is painted has a name: name those that come back", status=404
            )
        return Series(palette, tuple(examples)).encoded()

    def _shown(self, palette: Palette, version: str) -> dict[str, Any]:
        """Keep a palette, and return it for the page."""
        kept = self.store.set_palette(palette, version=version)
        return {"palette": [asdict(each) for each in palette.swatches], "palette_version": kept}

    def _picture(self, number: int) -> bytes:
        """Return the paint of a frame as a transparent PNG."""
        frame = self._frame(number)
        layer, _ = self.store.layer(number, frame.rgb.shape[:2])
        found = painted(frame, layer, self.store.palette()[0])
        return encode_picture(Path("paint.png"), found.rgb, found.alpha, 100)

    def _give(self, number: int, paint: Painted | None) -> None:
        """Write the reference that the paint of a frame makes, or remove it, and the manifest."""
        name = f"{self._stem(number)}.png"
        path = self.job.references / name
        manifest = self._manifest()
        forget_whole(self.job.references, name)
        if paint is None:
            path.unlink(missing_ok=True)
            self.store.accept(number, key=None)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, self._picture(number))
            self.store.accept(number, key=paint.key)
        self._uploads.recount(self.job.references)
        if manifest is not None:
            changed = with_paint(manifest, name, path, number if paint else None)
            changed.write(self.job.store(self._roots).manifest)

    def _request(self, number: int) -> dict[str, Any]:
        """Return what a worker needs to draft a frame."""
        source, manifest = self.job.input(self._roots), self._manifest()
        if manifest is None:
            raise PageError("the shots are not found yet; let frames be suggested", status=409)
        shot = shot_of(manifest, number)
        paint = self.store.all()
        stems = self._stems([each.frame for each in paint])
        layers = [each for each in paint if shot.start <= each.frame < shot.stop]
        own = {f"{stem}.png" for stem in stems.values()}
        known = {each.name: each for each in self._others(manifest)}
        served = [known[each] for each in shot.guided_by if each in known]
        followed = self.store.followed()
        # Paint of other shots that serves this one is taken as the film has it.
        served = [each for each in served if each.name not in own or each.frame in followed]
        inside = {f"{stems[each.frame]}.png" for each in layers}
        palette = self.store.palette_path
        return {
            "source": str(source),
            "frame": number,
            "checkpoint": str(weights_file(self.checkpoint(), self._roots)),
            "settings": self.job.asked.values(),
            "palette": str(palette) if palette.is_file() else None,
            "layers": [self._layer(each) for each in layers],
            "references": [
                asdict(replace(e, digest=state_of(e))) for e in served if e.name not in inside
            ],
        }

    def checkpoint(self) -> str:
        """Return the model of the job; where none was chosen, the first that takes references.

        Raises:
            PageError: There is none.
        """
        if not self.job.asked.checkpoint:
            for each in find_weights(self._roots):
                if each.purpose == "colour" and each.references is not False:
                    self.job.asked = replace(self.job.asked, checkpoint=each.path)
                    self.job.write()
                    break
            else:
                raise PageError("there is no model that takes references; colorize-train makes one")
        return self.job.asked.checkpoint

    def _others(self, manifest: Manifest | None) -> list[Reference]:
        """Return the references of the plan that are still there."""
        if manifest is None:
            return []
        return [
            each
            for each in manifest.references
            if is_example(each.path) or Path(each.path).is_file()
        ]

    def _manifest(self) -> Manifest | None:
        try:
            return self.job.manifest(self._roots)
        except PageError:
            return None

    def _frame(self, number: int) -> Frame:
        """Return a frame of the source."""
        return self._kept.get(("frame", self._source_key(), number), lambda: self._read(number))

    def _read(self, number: int) -> Frame:
        with open_source(self.job.input(self._roots)) as source:
            height, width = source.size
            if height * width > MOST_PIXELS:
                raise PageError(
                    f"frames of {width}×{height} pixels are too large to be painted here: at most "
                    f"{MOST_PIXELS // 10**6} million; paint them in another program, and drop them "
                    "under References"
                )
            found = next(iter(source.frames(number, number + 1)), None)
        if found is None:
            raise PageError(f"there is no frame {number}", status=404)
        return found

    def _source_key(self) -> tuple[Any, ...]:
        path = self.job.input(self._roots)
        return path, path.stat().st_mtime_ns

    def _stem(self, number: int) -> str:
        return self._stems([number])[number]

    def _stems(self, numbers: Sequence[int]) -> dict[int, str]:
        """Return by number the names, without suffix, that frames are known again by."""
        with open_source(self.job.input(self._roots)) as source:
            return {number: frame_name(source, number) for number in numbers}
