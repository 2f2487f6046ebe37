"""What the generator may see beside the gray frame.

==================  =================================================================  ======
``gray``            nothing more ([L])                                                 0
``gray_pair``       the gray frame before ([P]'s replacement of optical flow)          1
``gray_segments``   mean luma of the pixel's segment, and the segments' borders        2
``gray_previous``   Cb, Cr of the colourized frame before, and 1 where there is one    3
==================  =================================================================  ======

The last column is the number of planes. Frames that start a shot see themselves as the gray frame
before, and zeros as the colourized one.

Source: [P], sections 4 (pairs) and 5 (segments and colourized frames, planned there). [P] does not
say whether VGG-19 looks at the frame before as well; here it sees the frame to be coloured alone.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from colorize.base.errors import UserError
from colorize.imaging.color import rgb_to_chroma

PLANES: dict[str, int] = {"gray": 0, "gray_pair": 1, "gray_segments": 2, "gray_previous": 3}


def planes_of(inputs: str) -> int:
    """Return the number of planes beside the gray frame.

    Raises: ValueError for a name that is no input.
    """
    if inputs not in PLANES:
        raise UserError(f"model.inputs is {inputs!r}: expected one of {', '.join(PLANES)}")
    return PLANES[inputs]


def previous_planes(
    color: Float[Tensor, "b 3 h w"], known: Bool[Tensor, " b"]
) -> Float[Tensor, "b 3 h w"]:
    """Return (Cb, Cr, 1) of the colourized frames before, and zeros where ``known`` is False."""
    mask = known.to(color.dtype)[:, None, None, None]
    ones = torch.ones_like(color[:, :1])
    return torch.cat([rgb_to_chroma(color), ones], dim=1) * mask
