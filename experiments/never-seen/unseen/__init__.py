"""What the scripts of this experiment share: unseen drawings, how they are coloured and measured.

``drawings`` says which, ``painting`` colours them as ``colorize`` does, ``figures`` measures,
``reliability`` compares a network's own uncertainty with its errors, ``report`` writes.
"""
