"""How a rule of the application says no."""

from __future__ import annotations


class Refused(Exception):
    """The request is understood and refused, with a status and a sentence for the caller."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
