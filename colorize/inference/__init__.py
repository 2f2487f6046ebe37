"""From a checkpoint and gray frames to colours: what every command that colours calls.

May import what lies below, but not training, evaluation or films.
"""
