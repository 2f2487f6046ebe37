"""What every receiver of frames offers."""

from __future__ import annotations

from abc import ABC, abstractmethod

from colorize.media.frame import Frame


class Sink(ABC):
    """A receiver of frames, used as a context manager.

    Nothing stands at the final path before it is complete. A clean exit finishes the work, an
    exception inside the block discards what is unfinished.
    """

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Take the next frame.

        Raises:
            MediaError: it cannot be written.
        """

    @abstractmethod
    def finish(self) -> None:
        """Complete what was begun; called on a clean exit."""

    @abstractmethod
    def discard(self) -> None:
        """Remove what was begun; called when the block ended by an exception."""

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.finish()
        except BaseException:
            self.discard()
            raise
