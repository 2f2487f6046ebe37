"""Which frames to colour first: those whose colours serve the most of a film.

``looks`` < ``coverage`` < ``suggesting`` < ``folder``; may import what films may.
"""

from colorize.films.suggest.suggesting import Served, Suggestion, suggest

__all__ = ["Served", "Suggestion", "suggest"]
