"""Clips to train and measure on: prepared from real cartoons, or drawn by a procedure.

May import base, imaging, media, shots, cartoon, motion and networks.
"""

import lazy_loader

# A name is imported when it is first used: who prepares clips needs nothing that trains on them.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
