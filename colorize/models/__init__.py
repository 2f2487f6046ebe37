"""Networks that turn gray frames into colour frames.

A generator is called with gray frames ``b 1 h w`` in [0, 1] of any size and returns K RGB
colourings ``b k 3 h w``, not clipped. Its attributes ``outputs`` (K) and ``luma`` ("free" or
"keep") say how many there are and how :func:`colorize.color.displayable` brings them into range.
"""

from colorize.models.generator import Generator, HypercolumnProjection
from colorize.models.unet import UNet

__all__ = ["Generator", "HypercolumnProjection", "UNet"]
