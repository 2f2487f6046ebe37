"""Between frames: warping, optical flow, flow propagated along a shot, temporal smoothing.

May import base, imaging and pretrained.
"""
