"""Comparisons: train and measure many settings with many seeds, beside published figures."""
