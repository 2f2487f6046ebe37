"""Colorize black-and-white drawn cartoons.

:class:`Colorizer` is the Python API: gray frames in, colours out.

Conventions, everywhere in this package:

- Images are float sRGB in [0, 1], axes ``b c h w``; clips ``b t c h w``; diverse outputs
  ``b t k c h w``. A size is ``(height, width)`` in pixels.
- Gray is BT.601 luma Y' of gamma-coded RGB, one channel in [0, 1]. Colours are joined to it in
  full-range Y'CbCr (Cb, Cr in [-0.5, 0.5]), never through L*.
- Lab: L in [0, 100], a and b in about [-128, 127], D65 white.
- Flow is in pixels, channels (dx, dy), backward: ``flow[t]`` says where a pixel of frame t was in
  frame t-1. Masks: 1 is visible.
- Losses return a scalar mean over what they weigh; metrics keep a sum and a count.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colorize.inference.colorizer import Colorizer

__all__ = ["Colorizer"]


def __getattr__(name: str) -> Any:
    """Return the Python API once it is asked for: PyTorch takes seconds to import."""
    if name == "Colorizer":
        from colorize.inference.colorizer import Colorizer

        return Colorizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
