"""Memory beside the codecs: what comes again is read, written and counted once (ADR 0024).

Keys are full bytes or the object itself, never a digest, and the functions are context-free, so that one caller's words can
never turn up in another's request (house.md 3.13, 5). Bounded in bytes, oldest use goes first.
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


class _Recent(Generic[_K, _V]):
    """What was kept last: the oldest use goes first."""

    def __init__(self, bound: Bound | int) -> None:
        self._bound = bound if isinstance(bound, Bound) else Bound(bound)
        self._kept: OrderedDict[_K, tuple[_V, int]] = OrderedDict()
        self.size = 0
        """Bytes of what is kept."""

    def find(self, key: _K) -> _V | None:
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def keep(self, key: _K, value: _V, size: int) -> None:
        # What fills a good part of it would drive out whole sessions for one hit: pictures do.
        if size <= self._bound.bytes // 2 and key not in self._kept:
            self._kept[key] = value, size
            self.size += size
        while self.size > self._bound.bytes:
            _, (_, freed) = self._kept.popitem(last=False)
            self.size -= freed


class Memo(_Recent[bytes, _V]):
    """Wraps a pure function of bytes. ``bound`` is the most bytes of keys it keeps; not thread-safe."""

    def __init__(self, function: Callable[[bytes], _V], *, bound: Bound | int = _DEFAULT_BYTES) -> None:
        super().__init__(bound)
        self._function = function

    def __call__(self, raw: bytes) -> _V:
        """Return what the function makes of ``raw``."""
        value = self.find(raw)
        if value is None:
            value = self._function(raw)
            self.keep(raw, value, len(raw))
        return value


class IdentityMemo(Generic[_K, _V]):
    """What was made of objects, known by the object itself, which is held as long: no other can have its identity meanwhile.

    Not thread-safe.
    """

    def __init__(self, *, bound: Bound | int = _DEFAULT_BYTES) -> None:
        """``bound`` is the most bytes of objects and values it keeps."""
        self._recent: _Recent[int, tuple[_K, _V]] = _Recent(bound)

    @property
    def size(self) -> int:
        """Bytes of what is kept."""
        return self._recent.size

    def get(self, made_of: _K) -> _V | None:
        """Return what is known of this very object."""
        found = self._recent.find(id(made_of))
        return None if found is None else found[1]

    def keep(self, made_of: _K, value: _V, size: int) -> None:
        """Remember a value; it and the object have ``size`` bytes."""
        self._recent.keep(id(made_of), (made_of, value), size + _ENTRY_BYTES)


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
        self._bound = bound if isinstance(bound, Bound) else Bound(bound)
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
