"""Networks that others trained, and the one way to their weights.

May import base.
"""
