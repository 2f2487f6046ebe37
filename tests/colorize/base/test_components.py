"""What a file says of a component is checked; a defect of the component keeps its traceback."""

from __future__ import annotations

import pytest

from colorize.base.components import build
from colorize.base.errors import UserError


class Network:
    def __init__(self, *, channels: list[int], scale: float = 1.0) -> None:
        self.first = channels[0] + 1
        if scale == 13.0:
            raise TypeError("a defect of ours")


def test_what_fits_is_built() -> None:
    assert build("unet", Network, {"channels": [4]}).first == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"chanels": [4]}, r"unet takes no chanels; did you mean 'channels'\?"),
        ({}, "unet needs channels"),
        ({"channels": "four"}, "channels of unet is 'four', expected"),
        ({"channels": None}, "channels of unet is None, expected"),
    ],
)
def test_what_a_file_says_wrongly_is_named(arguments, message) -> None:
    with pytest.raises(UserError, match=message):
        build("unet", Network, arguments)


def test_a_defect_is_not_blamed_on_the_file() -> None:
    with pytest.raises(TypeError, match="a defect of ours"):
        build("unet", Network, {"channels": [4], "scale": 13.0})
