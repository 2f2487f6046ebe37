"""Frames that are picture files: a folder of them, or one."""
