"""CNN classifiers for drawn pictures, beside the colorizer. No classifier is in this release."""
