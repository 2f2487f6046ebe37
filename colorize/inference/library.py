"""The coloured pictures of a film, by name: looked at once, handed out frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from colorize.imaging.color import rgb_to_chroma
from colorize.imaging.geometry import resize
from colorize.inference.loaded import Completed, LoadedNetworks, Unhinted, opaque_colors
from colorize.media import Frame
from colorize.media.frame import opacity
from colorize.networks.guided.references import References

_BESIDE = 4  # other pictures, at most, that what hints leave open is painted by


@dataclass(frozen=True)
class ColoredPicture:
    """A coloured picture that a film is to follow: its name, and how to read it.

    ``frame`` is the frame of the film that it shows, None for any other picture. ``drawing`` reads
    what it is painted on, in black and white, a frame of this film or of another: it stands where
    the picture is transparent, as around hints.
    """

    name: str
    read: Callable[[], Frame]
    frame: int | None = None
    drawing: Callable[[], Frame] | None = None


class Library:
    """What coloured pictures give to the shots of a film.

    Each is looked at once for each working size, and kept. Pictures of which parts are painted, and
    that are frames of the film whose ``drawing`` is known, are hints: the rest of the frame is
    painted by them, and then it is a reference as any other.
    """

    def __init__(self, colorizer: LoadedNetworks, pictures: Iterable[ColoredPicture]) -> None:
        self._colorizer = colorizer
        self.pictures = {each.name: each for each in pictures}
        self._whole: dict[str, bool] = {}
        self._known: dict[tuple[str, tuple[int, int]], References] = {}
        self._finished: dict[tuple[str, tuple[int, int], tuple[str, ...]], Completed] = {}
        # Of a frame without its hints, by its number: hints change, the drawing does not.
        self._unhinted: dict[tuple[int, tuple[int, int], tuple[str, ...]], Unhinted] = {}

    def renewed(self, pictures: Iterable[ColoredPicture]) -> Library:
        """Return the library of other pictures, which knows what this one does of the same ones.

        The same are those that are equal: another picture of a name is another one.
        """
        other = Library(self._colorizer, pictures)
        same = {name for name, each in other.pictures.items() if self.pictures.get(name) == each}
        other._known = {key: each for key, each in self._known.items() if key[0] in same}
        other._finished = {
            key: each for key, each in self._finished.items() if {key[0], *key[2]} <= same
        }
        other._unhinted = {key: each for key, each in self._unhinted.items() if set(key[2]) <= same}
        return other

    def shows_all(self, name: str) -> bool:
        """Return whether a picture shows all of its frame, not parts of it as hints do."""
        if name not in self._whole:
            self._whole[name] = opacity(self.pictures[name].read()) is None
        return self._whole[name]

    def nearest(self, names: Sequence[str], *, near: int, most: int) -> list[str]:
        """Return which of some references colour frames around frame ``near``, at most ``most``.

        Those nearest in time are taken, then in the order of ``names``.
        """
        return sorted(names, key=lambda name: self._distance(name, near))[:most]

    def of(
        self, names: Sequence[str], *, size: tuple[int, int], beside: Sequence[str] = ()
    ) -> References:
        """Return references, at least one, of one frame worked at ``size`` (height, width).

        What hints among them leave open is painted by the others of ``beside``, the references of
        the shot; by those of ``names`` if there are none.
        """
        shown = [
            self._completed(name, beside or names, size).references
            if self._hints(name, size)
            else self._seen(name, size)
            for name in names
        ]
        return References.joined(shown)

    def luma(self, name: str, *, size: tuple[int, int]) -> Float[Tensor, "1 1 h w"]:
        """Return the luma of a reference at a size."""
        return self._seen(name, size).luma[:, 0]

    def _seen(self, name: str, size: tuple[int, int]) -> References:
        """Return a picture as the reference of a frame, as it is."""
        if (name, size) not in self._known:
            picture = self.pictures[name]
            read, drawing = picture.read(), None
            if picture.drawing and opacity(read) is not None:
                drawing = picture.drawing()
            self._known[name, size] = self._colorizer.look_at(
                [read], size=size, numbers=[picture.frame], drawings=[drawing]
            )
        return self._known[name, size]

    def _hints(self, name: str, size: tuple[int, int]) -> bool:
        """Return whether a picture shows parts of a frame of the film, all else as it is drawn."""
        picture = self.pictures[name]
        known = picture.frame is not None and picture.drawing is not None
        return known and self._seen(name, size).mask is not None

    def _completed(self, name: str, beside: Sequence[str], size: tuple[int, int]) -> Completed:
        """Return a frame of which hints are given in all its colours, by pictures ``beside`` it.

        Of others of which parts are shown, these serve it: nothing that was completed itself.
        """
        near = sorted(
            (each for each in beside if each != name),
            key=lambda each: self._distance(each, self._frame(name)),
        )
        others = tuple(near[:_BESIDE])
        key = (name, size, others)
        if key not in self._finished:
            hints, *shown = (self._seen(each, size) for each in (name, *others))
            frame = (self._frame(name), size, others)

            def without() -> Unhinted:
                if frame not in self._unhinted:
                    self._unhinted[frame] = self._colorizer.without_hints(hints, shown)
                return self._unhinted[frame]

            self._finished[key] = self._colorizer.complete(hints, shown, without=without)
        return self._finished[key]

    def _frame(self, name: str) -> int:
        frame = self.pictures[name].frame
        return 0 if frame is None else frame

    def likeness(self, gray: Float[Tensor, "1 1 h w"], names: Sequence[str]) -> list[float]:
        """Return how much of a frame in [0, 1], of any size, each reference shows, 0 to 1."""
        small = self._colorizer.small(gray)
        return self._colorizer.likeness(
            small, self.of(names, size=(small.shape[-2], small.shape[-1]))
        )

    def own(self, names: Sequence[str], frame: int) -> ColoredPicture | None:
        """Return the reference that is frame ``frame`` itself, if there is one."""
        found = (self.pictures[name] for name in names)
        return next((each for each in found if each.frame == frame), None)

    def colors_of(
        self, picture: ColoredPicture, names: Sequence[str], size: tuple[int, int]
    ) -> tuple[Float[Tensor, "1 2 h w"], Float[Tensor, "1 1 h w"] | None]:
        """Return the chroma at a size of a picture among ``names``, and where it shows anything.

        That is everywhere (None) if it is opaque, and of hints, which are completed.
        """
        if not self._hints(picture.name, size):
            return own_colors(picture, size)
        return self._completed(picture.name, names, size).references.chroma[:, 0], None

    def unsure_of(
        self, picture: ColoredPicture, names: Sequence[str], size: tuple[int, int]
    ) -> Float[Tensor, "1 1 h w"]:
        """Return the error of chroma expected of a frame that is a picture among ``names``.

        It is 0 where the picture shows anything, and everywhere if that is all of it.
        """
        if self._hints(picture.name, size):
            return self._completed(picture.name, names, size).unsure
        return torch.zeros_like(self._seen(picture.name, size).luma[:, 0])

    def _distance(self, name: str, near: int) -> float:
        frame = self.pictures[name].frame
        return float("inf") if frame is None else float(abs(frame - near))


def own_colors(
    picture: ColoredPicture, size: tuple[int, int]
) -> tuple[Float[Tensor, "1 2 h w"], Float[Tensor, "1 1 h w"] | None]:
    """Return the chroma of a picture at a size, and how opaque it is (None: wholly)."""
    rgb, mask = opaque_colors(picture.read(), lambda planes: resize(planes, size))
    return rgb_to_chroma(rgb), mask
