"""Films with known shots for ``tools/measure_shots.py``, and what finds shots in them."""
