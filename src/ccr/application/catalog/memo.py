"""Memory beside the codecs: the same bytes are read once.

Keys are full bytes, never a digest, and the functions are context-free, so that one caller's words can never turn up in
another's request (house.md 3.13, 5). Bounded in bytes, oldest use goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Memo"]

_V = TypeVar("_V")
_DEFAULT_BYTES = 32 * 1024 * 1024


class Memo(Generic[_V]):
    """Wraps a pure function of bytes. ``bound`` is the most bytes of keys it keeps; not thread-safe."""

    def __init__(self, function: Callable[[bytes], _V], *, bound: int = _DEFAULT_BYTES) -> None:
        self._function = function
        self._bound = bound
        self._kept: OrderedDict[bytes, _V] = OrderedDict()
        self.size = 0
        """Bytes of the keys kept."""

    def __call__(self, raw: bytes) -> _V:
        """Return what the function makes of ``raw``."""
        kept = self._kept
        try:
            value = kept[raw]
        except KeyError:
            value = self._function(raw)
            self._keep(raw, value)
            return value
        kept.move_to_end(raw)
        return value

    def _keep(self, raw: bytes, value: _V) -> None:
        if len(raw) > self._bound:
            return
        self._kept[raw] = value
        self.size += len(raw)
        while self.size > self._bound:
            oldest, _ = self._kept.popitem(last=False)
            self.size -= len(oldest)
