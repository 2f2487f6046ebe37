"""Procedural drawings of expressions by different people, for training without any files."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8

from classify.data.examples import Collection, PixelStore, plain_examples
from classify.data.faces import EXPRESSIONS, draw_artist, draw_face
from classify.preprocessing import Preprocessing
from colorize.base.errors import UserError
from colorize.base.progress import tracked


class Drawings:
    """Faces of four expressions, drawn by ``people`` to train on and by ``strangers`` to test.

    Each person draws ``per_person`` faces, as many of every expression, and has a hand and habits
    of their own; strangers' habits appear in no other part.

    Source: "Cartoon recognition with TensorFlow" (2024): 1 200 drawings by students in 10 subsets,
    100x100, {surprise, smile} x {eyes open, eyes closed}. Differs: the drawings are not public;
    these are procedural, and only look drawn by hand.
    """

    def __init__(
        self, *, seed: int = 0, people: int = 10, per_person: int = 120, strangers: int = 3
    ) -> None:
        if min(people, strangers) < 1 or per_person < len(EXPRESSIONS):
            raise UserError(
                f"data: people, strangers and per_person are {people}, {strangers}, {per_person}: "
                f"expected 1 or more people and strangers, and {len(EXPRESSIONS)} or more drawings"
            )
        self.seed = seed
        self.people, self.per_person, self.strangers = people, per_person, strangers

    def read(self, preprocessing: Preprocessing) -> Collection:
        """Draw everything; people's drawings are the training part, strangers' the test part."""
        store = PixelStore(preprocessing.shape)
        names, parts, labels = [], [], []
        persons = range(self.people + self.strangers)
        for person in tracked(persons, "drawing faces", unit="person"):
            for number, (expression, drawing) in enumerate(
                draw_subset(self.seed, person, self.per_person)
            ):
                store.add(preprocessing.of_array(drawing))
                names.append(f"person-{person + 1:02d}/{number:03d}")
                parts.append("train" if person < self.people else "test")
                labels.append(EXPRESSIONS.index(expression))
        examples = plain_examples(store.finish(), labels=labels, names=names, classes=EXPRESSIONS)
        label = (
            f"procedural drawings, seed {self.seed}: {self.per_person} each by {self.people} "
            f"people, tested on {self.strangers} others"
        )
        return Collection(examples=examples, parts=parts, skipped={}, label=label)


def draw_subset(
    seed: int, person: int, count: int
) -> Iterator[tuple[str, UInt8[np.ndarray, "100 100"]]]:
    """Yield ``count`` drawings by one person with their expressions, which take turns."""
    artist = draw_artist(np.random.default_rng([*b"artist", seed, person]))
    for number in range(count):
        expression = EXPRESSIONS[number % len(EXPRESSIONS)]
        random = np.random.default_rng([*b"face", seed, person, number])
        yield expression, draw_face(artist, expression, random)
