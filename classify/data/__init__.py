"""Labelled pictures: reading them wherever they lie, splitting, balancing and drawing them."""

from classify.data.balance import Balance
from classify.data.drawings import Drawings
from classify.data.entries import DataError
from classify.data.examples import Collection, Examples
from classify.data.pictures import Pictures
from classify.data.split import Parts, Split

__all__ = [
    "Balance",
    "Collection",
    "DataError",
    "Drawings",
    "Examples",
    "Parts",
    "Pictures",
    "Split",
]
