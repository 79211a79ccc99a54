"""What was learned of providers' complaints, in one JSON file of the state directory.

Every worker holds all of it in memory, writes by reading, merging and replacing under a lock, and looks at the file's date
once a second. A file that cannot be read is set aside with a warning: what was in it will be learned again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ccr.adapters.store import private_file
from ccr.domain.compat import Amendment, Change, Learned, door_of, evidence_of
from ccr.domain.compat.learned import LIFETIME, MOST
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.contained import Faults
    from ccr.application.ports.system import Clock

__all__ = ["LearnedFile"]

_PLACE = "learned"
"""What faults are counted under."""

_LOOK_EVERY = 1.0
"""Seconds between two looks at the file's date: a stat costs 2 us, and a second is soon enough."""

_USED_EVERY = timedelta(hours=1)
_KEPT = timedelta(days=30)
"""So long after it has expired an amendment is still shown, and its first date is known when it is learned again."""

_MOST_ENTRIES = 512
_MOST_BYTES = 4 * 1024 * 1024

_Key: TypeAlias = tuple[str, str, str, str]
_Entries: TypeAlias = Mapping[_Key, Learned]
_Date: TypeAlias = tuple[int, int, int]


class _Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    endpoint: str
    model: str
    change: Change
    name: str
    evidence: str
    first_seen: datetime
    last_used: datetime
    expires: datetime
    to: str = ""
    limit: int = 0
    allowed: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True):
    version: int = 1
    learned: tuple[_Entry, ...] = ()


_DECODER = msgspec.json.Decoder(_File)
_door = lru_cache(256)(door_of)


class LearnedFile:
    """:class:`ccr.application.ports.compat.LearnedStore`. ``faults`` is told of files that cannot be read or written."""

    def __init__(self, path: Path, clock: Clock, faults: Faults) -> None:
        self._path = path
        self._clock = clock
        self._faults = faults
        self._entries: _Entries = {}
        self._models: Mapping[tuple[str, str], tuple[Learned, ...]] = {}
        self._date: _Date | None = None
        self._looked: float | None = None
        self._lock = asyncio.Lock()

    def known(self, endpoint_url: str, model: str) -> tuple[Amendment, ...]:
        """Return what holds now."""
        self._look()
        found = self._models.get((_door(endpoint_url), model))
        if found is None:
            return ()
        now = self._clock.now()
        return tuple(one.amendment for one in found if one.expires > now)

    async def remember(
        self, endpoint_url: str, model: str, amendment: Amendment, evidence: str
    ) -> Learned | None:
        """Learn it, and write it down; what cannot be written is at least known to this process."""
        now = self._clock.now()
        learned = Learned(
            _door(endpoint_url), model, amendment, evidence_of(evidence), now, now, now + LIFETIME
        )

        def add(entries: _Entries) -> _Entries:
            before = entries.get(learned.key)
            others = [one for one in entries.values() if (one.endpoint, one.model) == learned.key[:2]]
            if before is None and sum(one.expires > now for one in others) >= MOST:
                return entries
            first = before.first_seen if before is not None else now
            return {**entries, learned.key: evolve(learned, first_seen=first)}

        await self._change(add)
        return self._entries.get(learned.key)

    async def used(self, endpoint_url: str, model: str) -> None:
        """Note the hour."""
        now = self._clock.now()
        door = _door(endpoint_url)
        found = self._models.get((door, model), ())
        if not any(one.expires > now and one.last_used <= now - _USED_EVERY for one in found):
            return

        def touch(entries: _Entries) -> _Entries:
            return {
                key: evolve(one, last_used=now) if key[:2] == (door, model) and one.expires > now else one
                for key, one in entries.items()
            }

        await self._change(touch)

    async def forget(self, endpoint: str = "", model: str = "", name: str = "") -> int:
        """Forget; an endpoint is said as its address or its beginning. Raises OSError if it cannot be written."""
        if not self.all():
            return 0
        gone: list[Learned] = []

        def without(entries: _Entries) -> _Entries:
            gone[:] = [one for one in entries.values() if _fits(one, endpoint, model, name)]
            return {key: one for key, one in entries.items() if one not in gone}

        async with self._lock:
            self._take(*await asyncio.to_thread(self._rewrite, without))
        return len(gone)

    def all(self) -> tuple[Learned, ...]:
        """Return everything, expired or not, by endpoint and model."""
        self._looked = None
        self._look()
        return tuple(one for _, one in sorted(self._entries.items()))

    # ------------------------------------------------------------------------------------------- the file

    def _look(self) -> None:
        """Read the file if somebody has written it."""
        now = self._clock.monotonic()
        if self._looked is not None and now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        date = self._date_now()
        if date == self._date:
            return
        try:
            self._take(self._read(), date)
        except OSError as error:
            self._date = date
            self._faults.report(_PLACE, error)

    async def _change(self, change: Callable[[_Entries], _Entries]) -> None:
        async with self._lock:
            try:
                self._take(*await asyncio.to_thread(self._rewrite, change))
            except OSError as error:
                self._faults.report(_PLACE, error)
                self._take(change(self._entries), self._date)

    def _rewrite(self, change: Callable[[_Entries], _Entries]) -> tuple[_Entries, _Date | None]:
        """Read, change and write, alone; return what is in the file now. Raises OSError."""
        with private_file.locked(self._path):
            entries = self._read()
            made = self._kept(change(entries).values())
            if made != entries:
                file = _File(learned=tuple(_entry(one) for _, one in sorted(made.items())))
                private_file.replace(self._path, msgspec.json.format(msgspec.json.encode(file)) + b"\n")
            return made, self._date_now()

    def _read(self) -> _Entries:
        """Return what is in the file; one that cannot be understood is set aside. Raises OSError."""
        try:
            with self._path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return {}
        try:
            learned = _parsed(data)
        except (ValueError, TypeError, RecursionError) as error:
            aside = private_file.set_aside(self._path)
            self._faults.report(_PLACE, ValueError(f"{self._path}: {error}; it is now {aside.name}"))
            return {}
        return {one.key: one for one in learned}

    def _date_now(self) -> _Date | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _take(self, entries: _Entries, date: _Date | None) -> None:
        models: dict[tuple[str, str], tuple[Learned, ...]] = {}
        for one in entries.values():
            place = (one.endpoint, one.model)
            models[place] = (*models.get(place, ()), one)
        self._entries, self._models, self._date = entries, models, date

    def _kept(self, learned: Iterable[Learned]) -> _Entries:
        now = self._clock.now()
        recent = [one for one in learned if one.expires + _KEPT > now]
        recent.sort(key=lambda one: one.last_used, reverse=True)
        return {one.key: one for one in recent[:_MOST_ENTRIES]}


def _fits(one: Learned, endpoint: str, model: str, name: str) -> bool:
    return one.endpoint.startswith(endpoint) and model in ("", one.model) and name in ("", one.amendment.name)


def _entry(one: Learned) -> _Entry:
    amendment = one.amendment
    return _Entry(
        endpoint=one.endpoint,
        model=one.model,
        change=amendment.change,
        name=amendment.name,
        evidence=one.evidence,
        first_seen=one.first_seen,
        last_used=one.last_used,
        expires=one.expires,
        to=amendment.to,
        limit=amendment.limit,
        allowed=amendment.allowed,
    )


def _parsed(data: bytes) -> list[Learned]:
    """Raises ValueError, or what msgspec raises for what is no such file."""
    if len(data) > _MOST_BYTES:
        raise ValueError(f"has more than {_MOST_BYTES} bytes")
    return [_learned(entry) for entry in _DECODER.decode(data).learned]


def _learned(entry: _Entry) -> Learned:
    """Raises ValueError for a time without a zone."""
    times = (entry.first_seen, entry.last_used, entry.expires)
    if any(time.tzinfo is None for time in times):
        raise ValueError("a time without its zone")
    amendment = Amendment(entry.change, entry.name, entry.to, entry.limit, entry.allowed)
    return Learned(entry.endpoint, entry.model, amendment, entry.evidence, *times)
