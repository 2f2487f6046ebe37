"""Find where shots start, from luma alone, reading each frame once.

Frames are compared as small blurred thumbnails, so that grain and small motion vanish; by
correlation, so that fades and changes of light do not look like another picture; and by how much of
the picture changed, so that a figure that jumps before a plain background does not. Frames that
show nothing (black, white) are left out, so that a fade through black is a step from one picture to
another. ``thumbnails``, ``dissolves`` < ``trace`` < ``cuts`` < ``starts``.

May import base and imaging.
"""

from colorize.shots.starts import shot_starts
from colorize.shots.thumbnails import Luma

__all__ = ["Luma", "shot_starts"]
