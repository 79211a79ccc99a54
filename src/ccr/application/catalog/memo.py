"""Memory beside the codecs: the same bytes are read once.

Keys are full bytes, never a digest, and the functions are context-free, so that one caller's words can never turn up in
another's request (house.md 3.13, 5). Bounded in bytes, oldest use goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.domain.conversation import Turn
    from ccr.domain.models import ModelProfile

__all__ = ["Bound", "IdentityMemo", "Memo", "TurnMemo", "WriteMemo"]

_K = TypeVar("_K")
_V = TypeVar("_V")
_DEFAULT_BYTES = 16 * 1024 * 1024
"""About a hundred sessions of 120 kB; what is made of a turn takes once or twice as much beside it."""
_ENTRY_BYTES = 300
"""What an entry costs beside its value: keys, links, numbers."""
_MOST_PROFILES = 64


@define(eq=False)
class Bound:
    """How much memories keep that share it; looked at whenever something is kept."""

    bytes: int = _DEFAULT_BYTES


def _shared(bound: Bound | int) -> Bound:
    return bound if isinstance(bound, Bound) else Bound(bound)


class Memo(Generic[_V]):
    """Wraps a pure function of bytes. ``bound`` is the most bytes of keys it keeps; not thread-safe."""

    def __init__(self, function: Callable[[bytes], _V], *, bound: Bound | int = _DEFAULT_BYTES) -> None:
        self._function = function
        self._bound = _shared(bound)
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
        # What fills a good part of it would drive out whole sessions for one hit: pictures do.
        if len(raw) > self._bound.bytes // 2:
            return
        self._kept[raw] = value
        self.size += len(raw)
        while self.size > self._bound.bytes:
            oldest, _ = self._kept.popitem(last=False)
            self.size -= len(oldest)


class IdentityMemo(Generic[_K, _V]):
    """What was made of objects, known by the object itself, which is held as long: no other can have its identity meanwhile.

    Not thread-safe.
    """

    def __init__(self, *, bound: Bound | int = _DEFAULT_BYTES) -> None:
        """``bound`` is the most bytes of objects and values it keeps."""
        self._bound = _shared(bound)
        self._kept: OrderedDict[int, tuple[_K, _V, int]] = OrderedDict()
        self.size = 0

    def get(self, made_of: _K) -> _V | None:
        """Return what is known of this very object."""
        found = self._kept.get(id(made_of))
        if found is None or found[0] is not made_of:
            return None
        self._kept.move_to_end(id(made_of))
        return found[1]

    def keep(self, made_of: _K, value: _V, size: int) -> None:
        """Remember a value; it and the object have ``size`` bytes."""
        size += _ENTRY_BYTES
        if size > self._bound.bytes // 2 or id(made_of) in self._kept:
            return
        self._kept[id(made_of)] = made_of, value, size
        self.size += size
        while self.size > self._bound.bytes:
            _, (_, _, freed) = self._kept.popitem(last=False)
            self.size -= freed


class TurnMemo(IdentityMemo["Turn", _V]):
    """What was made of turns: a ``Memo`` reads equal bytes to the same one.

    A turn that was changed is another object, so nothing that depends on its surroundings can be found under it. Only turns
    with a source are kept, which are those that come again.
    """

    def keep(self, made_of: Turn, value: _V, size: int = 0) -> None:
        """Remember a value of ``size`` bytes."""
        if made_of.source is not None:
            super().keep(made_of, value, size + len(made_of.source.data))


class WriteMemo(Generic[_V]):
    """Wraps a pure function of a turn and a profile. ``weigh`` gives the bytes of what it returns."""

    def __init__(
        self,
        function: Callable[[Turn, ModelProfile], _V],
        weigh: Callable[[_V], int],
        *,
        bound: Bound | int = _DEFAULT_BYTES,
    ) -> None:
        self._function = function
        self._weigh = weigh
        self._bound = _shared(bound)
        self._by_profile: OrderedDict[ModelProfile, TurnMemo[_V]] = OrderedDict()
        self._last: tuple[ModelProfile, TurnMemo[_V]] | None = None

    def __call__(self, turn: Turn, profile: ModelProfile) -> _V:
        """Return what the function makes of them."""
        last = self._last
        memo = last[1] if last is not None and last[0] is profile else self._of(profile)
        found = memo.get(turn)
        if found is None:
            found = self._function(turn, profile)
            memo.keep(turn, found, self._weigh(found))
            self._trim(memo)
        return found

    def _of(self, profile: ModelProfile) -> TurnMemo[_V]:
        memo = self._by_profile.get(profile)
        if memo is None:
            memo = self._by_profile[profile] = TurnMemo[_V](bound=self._bound)
            if len(self._by_profile) > _MOST_PROFILES:
                self._by_profile.popitem(last=False)
        self._by_profile.move_to_end(profile)
        self._last = profile, memo
        return memo

    def _trim(self, mine: TurnMemo[_V]) -> None:
        """All profiles together keep to the bound: the one that was used least goes first, whole."""
        while (
            sum(memo.size for memo in self._by_profile.values()) > self._bound.bytes
            and len(self._by_profile) > 1
        ):
            profile, memo = next(iter(self._by_profile.items()))
            if memo is mine:
                return
            del self._by_profile[profile]
