"""Measure how evenly the segments of a drawing are filled."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from colorize.imaging.color import rgb_to_lab
from colorize.imaging.segments import segment_means, watershed
from colorize.metrics.diverse import Better


def segment_spread(
    image: Float[Tensor, "b 3 h w"], labels: Int[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """Return the mean within-segment standard deviation of (a, b) of each frame, in Lab units.

    RGB in [0, 1]. A segment's deviation is the root mean square distance of its pixels from its
    mean in the ab plane; segments weigh by their area, so that it says what an average pixel sees
    and the many slivers along lines do not decide. In float64; 0 is flat fills.
    """
    ab = rgb_to_lab(image.double())[:, 1:]
    count = int(labels.max()) + 1
    means, areas = segment_means(ab, labels, count)
    index = labels.flatten(1).long().unsqueeze(-1).expand(-1, -1, 2)
    fill = means.gather(1, index).transpose(1, 2).reshape(ab.shape)
    variance, _ = segment_means((ab - fill).square(), labels, count)
    deviation = variance.sum(dim=-1).sqrt()
    return (areas * deviation).sum(dim=-1) / areas.sum(dim=-1)


class SegmentSpread(nn.Module):
    """Within-segment deviation of colour per frame, on the watershed segments of the true frame.

    The true colours' own is not zero: lines and shading lie inside segments.

    The segments of the last true frames are kept: every colouring of a frame is measured on the
    same ones, found once.
    """

    name: str = "Segment spread (→ truth)"
    better: Better = "closer"
    digits: int = 2
    note: str = (
        "standard deviation of Lab a, b inside the true frame's segments, weighed by area; best "
        "where nearest to the true colours': blotches raise it, pale or bleeding colours lower it"
    )

    def __init__(self) -> None:
        super().__init__()
        self._frames: UInt8[np.ndarray, "b h w 3"] | None = None
        self._labels = torch.zeros(0)

    @torch.no_grad()
    def forward(
        self, prediction: Float[Tensor, "b 3 h w"], truth: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, " b"]:
        """Return the spread of each predicted frame; see :func:`segment_spread`."""
        return segment_spread(prediction, self._segments(truth).to(prediction.device))

    def _segments(self, truth: Float[Tensor, "b 3 h w"]) -> Int[Tensor, "b h w"]:
        frames = (truth * 255).round().byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
        if self._frames is None or not np.array_equal(frames, self._frames):
            self._labels = torch.from_numpy(np.stack([watershed(frame) for frame in frames]))
            self._frames = frames
        return self._labels
