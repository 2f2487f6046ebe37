"""Films with known shots for ``measure_shots.py``, and what finds shots in them."""
