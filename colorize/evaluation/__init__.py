"""Measure colours, and compare runs and simple baselines in tables.

May import training, inference and what lies below.
"""
