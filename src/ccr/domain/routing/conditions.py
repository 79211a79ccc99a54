"""What ``decide`` sees of the outside: taken once before deciding, so that deciding stays pure."""

from __future__ import annotations

from ccr.domain.routing.policy import Routes
from ccr.domain.value import value

__all__ = ["NOTHING_KNOWN", "Conditions"]


@value
class Conditions:
    """A snapshot.

    Attributes:
        custom_asked: a custom router is configured and was asked.
        custom_answer: what it said; None = no opinion.
        custom_error: why it gave no usable answer.
        low, high: bounds of the input tokens, both inclusive; equal = counted exactly.
        counted: the bounds are an exact count, not an estimate.
        tokens_error: why an exact count could not be had.
        routes: the router of the caller's session or project, which replaces the global one.
        routes_from: where those came from: ``session`` or ``project``.
        routes_error: why a router of the session could not be used.
    """

    custom_asked: bool = False
    custom_answer: str | None = None
    custom_error: str = ""
    low: int = 0
    high: int = 0
    counted: bool = False
    tokens_error: str = ""
    routes: Routes | None = None
    routes_from: str = ""
    routes_error: str = ""


NOTHING_KNOWN = Conditions()
