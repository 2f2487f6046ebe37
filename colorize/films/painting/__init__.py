"""What somebody paints over frames by hand: layers of swatches, and the palettes of these.

It knows films and pictures; it imports what :mod:`colorize.films` does.
"""
