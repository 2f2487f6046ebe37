"""CNN classifiers for drawn pictures and small photographs, beside the colorizer.

Conventions, everywhere in this package:

- Pictures are kept as 8-bit integers, axes ``n c h w``, exactly as the network's preprocessing
  made them (size, gray or RGB); networks take them as floats in [0, 1].
- Networks return logits ``b k``, one per class; probabilities are their softmax. Where a source
  ends in softmax, its loss on probabilities is ours on logits.
- A size is ``(height, width)`` in pixels. Gray is BT.601 luma of gamma-coded RGB.
- A picture's *fingerprint* is a digest of the pixels that the network sees.
"""
