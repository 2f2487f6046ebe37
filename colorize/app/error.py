"""The error of the page: one line for its user, with an HTTP status."""

from __future__ import annotations

from colorize.base.errors import UserError


class PageError(UserError):
    """What a request cannot have: one line that says what is expected."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(" ".join(message.split()))
        self.status = status
