"""Networks that colour frames: the product's (guided/) and the paper's (prototype/).

May import base, imaging, pretrained and motion.
"""
