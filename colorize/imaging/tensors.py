"""Turn stored pictures into tensors, and images into pictures."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor


def to_tensor(
    pictures: Shaped[np.ndarray, "b h w 3"], device: torch.device | str = "cpu"
) -> Float[Tensor, "b 3 h w"]:
    """Return 8- or 16-bit pictures as RGB in [0, 1]."""
    scaled = torch.from_numpy(pictures.astype(np.float32) / np.iinfo(pictures.dtype).max)
    return scaled.permute(0, 3, 1, 2).contiguous().to(device)


def to_picture(image: Float[Tensor, "c h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return an 8-bit picture of a gray (c = 1) or RGB (c = 3) image; [0, 1] is kept, more clipped.

    NaN, which has no colour, becomes black.
    """
    scaled = (image.detach().float().nan_to_num(0.0).clamp(0, 1) * 255).round()
    return scaled.to(torch.uint8).expand(3, -1, -1).permute(1, 2, 0).contiguous().cpu().numpy()
