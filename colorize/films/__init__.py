"""Whole films and folders as jobs that go on where they stopped.

A job lies in ``OUTPUT/.job`` or, for a film, beside it. May import inference and what lies below.
"""
