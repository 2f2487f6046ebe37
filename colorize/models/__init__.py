"""Networks that turn gray frames into colour frames.

A generator is called with gray frames ``b 1 h w`` in [0, 1] of any size, and with the planes
``b e h w`` that its attribute ``inputs`` names, and returns K RGB colourings ``b k 3 h w``, not
clipped. Its attributes ``outputs`` (K) and ``luma`` ("free" or "keep") say how many there are and
how :func:`colorize.color.displayable` brings them into range. The reference-guided generator may be
given coloured reference frames besides. A refiner takes one colouring at a
time and gives back a steadier one. :mod:`colorize.sequence` runs both over consecutive frames.
"""

from colorize.models.generator import Generator, HypercolumnProjection
from colorize.models.inputs import Inputs, planes_of, previous_planes
from colorize.models.reference import Painted, ReferenceGenerator, References
from colorize.models.refiner import Evidence, Refiner, refinement_evidence
from colorize.models.unet import UNet

Colorist = Generator | ReferenceGenerator

__all__ = [
    "Colorist",
    "Evidence",
    "Generator",
    "HypercolumnProjection",
    "Inputs",
    "Painted",
    "ReferenceGenerator",
    "References",
    "Refiner",
    "UNet",
    "planes_of",
    "previous_planes",
    "refinement_evidence",
]
