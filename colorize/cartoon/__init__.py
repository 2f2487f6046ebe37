"""Procedural cartoons with exact flow, visibility and segments: data anyone may have.

A series has a cast, drawn in ink and flat fills, and sets painted in watercolour; a look says how
both are drawn. From the eye to the paper: ``geometry``, ``palette`` < ``drawing`` < ``body``,
``faces``, ``pose`` < ``look`` < ``cast``, ``props``, ``paint`` < ``sets``; ``camera`` < ``script``
< ``stage`` < ``render`` < ``series``.

Knows no torch. May import base and imaging.
"""

from colorize.cartoon.series import CartoonSeries, CartoonShot

__all__ = ["CartoonSeries", "CartoonShot"]
