"""``contained``: the one place in the application where any exception is caught.

For what may fail without harm to the request: the user's own code, counting, files beside the path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from attrs import define

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Faults", "Outcome", "Tell", "contained", "sentence"]

Tell: TypeAlias = Callable[[str, Exception], None]
"""Is told of a fault: its place (a fixed word) and the exception. Must not raise."""


class Faults:
    """Counts what was contained, by place, and tells whoever logs."""

    def __init__(self, tell: Tell | None = None) -> None:
        self._tell = tell
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """Faults so far, by place."""
        return self._counts

    def report(self, place: str, error: Exception, *, once: bool = False) -> None:
        """Count a fault and tell it; with ``once`` only the first of its place is told."""
        self._counts[place] += 1
        if self._tell is not None and not (once and self._counts[place] > 1):
            self._tell(place, error)


@define
class Outcome:
    """How a contained block ended; ``error`` None = well."""

    error: Exception | None = None

    @property
    def because(self) -> str:
        """The error in one bounded line; empty if there was none."""
        return sentence(self.error) if self.error is not None else ""


class _Contained:
    """A class, not a generator: every request passes several of these."""

    __slots__ = ("_faults", "_once", "_outcome", "_place")

    def __init__(self, place: str, faults: Faults, *, once: bool) -> None:
        self._place = place
        self._faults = faults
        self._once = once
        self._outcome = Outcome()

    def __enter__(self) -> Outcome:
        return self._outcome

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._outcome.error = error
        self._faults.report(self._place, error, once=self._once)
        return True


def contained(place: str, faults: Faults, *, once: bool = False) -> _Contained:
    """Report any exception of the block to ``faults`` and go on after it. Cancellation passes."""
    return _Contained(place, faults, once=once)


def sentence(error: Exception) -> str:
    """Return an exception as one line of at most 200 characters."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:200] if text else type(error).__name__
