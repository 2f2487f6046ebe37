"""What is done to single pictures: colour spaces, geometry, segments, neighbours, sheets.

May import base.
"""
