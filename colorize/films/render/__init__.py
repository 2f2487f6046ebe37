"""Colour the parts of a job: decoding, network, joining and encoding at the same time."""
