"""What ``tools/benchmark.py`` measures: one module for each kind of measurement."""
