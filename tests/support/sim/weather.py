"""How providers do at a time: mostly well, in spells badly, and in each of many ways. Drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from random import Random

from attrs import define, field, frozen

__all__ = ["HTTP_ERRORS", "Sky", "Weather"]


class Sky(Enum):
    """What becomes of one exchange."""

    FINE = "fine"
    SLOW = "slow"
    SILENT = "silent"
    """The request is taken, and no head comes."""
    STALL = "stall"
    """A head, some of the reply, then nothing."""
    PINGS = "pings"
    """The same, but with comments for ever."""
    CUT = "cut"
    SHORT = "short"
    """The body ends properly, the reply does not."""
    REFUSED = "refused"
    LOST = "lost"
    """Nothing answers the attempt to connect."""
    RESET = "reset"
    """Broken between request and head."""
    LIMITED = "limited"
    LIMITED_SOON = "limited_soon"
    """With a ``Retry-After`` that is worth waiting for."""
    LIMITED_LATER = "limited_later"
    OVERLOADED = "overloaded"
    BROKEN = "broken"
    GATEWAY_PAGE = "gateway_page"
    UNAUTHORIZED = "unauthorized"
    NO_CREDIT = "no_credit"
    FORBIDDEN = "forbidden"
    ERROR_FIRST = "error_first"
    ERROR_LATER = "error_later"
    GARBAGE = "garbage"
    REDIRECT = "redirect"
    REJECTED = "rejected"
    """Never drawn: the client's own doing."""


HTTP_ERRORS: dict[Sky, tuple[int, str, str]] = {
    Sky.LIMITED: (429, "rate_limit_error", ""),
    Sky.LIMITED_SOON: (429, "rate_limit_error", "2"),
    Sky.LIMITED_LATER: (429, "rate_limit_error", "40"),
    Sky.OVERLOADED: (529, "overloaded_error", ""),
    Sky.BROKEN: (500, "api_error", ""),
    Sky.GATEWAY_PAGE: (502, "", ""),
    Sky.UNAUTHORIZED: (401, "authentication_error", ""),
    Sky.NO_CREDIT: (402, "billing_error", ""),
    Sky.FORBIDDEN: (403, "permission_error", ""),
    Sky.REDIRECT: (302, "", ""),
    Sky.REJECTED: (400, "invalid_request_error", ""),
}
"""Status, kind in the dialect (empty: the body is a page of HTML), ``Retry-After``."""

_DRAWN: tuple[Sky, ...] = tuple(sky for sky in Sky if sky not in (Sky.FINE, Sky.REJECTED))
_OF_KEYS: tuple[Sky, ...] = (
    Sky.UNAUTHORIZED,
    Sky.NO_CREDIT,
    Sky.FORBIDDEN,
    Sky.LIMITED_LATER,
    Sky.LIMITED_SOON,
)


@frozen
class _Spell:
    provider: str
    model: str
    """Empty = all of them; so the key."""
    key: str
    begin: float
    end: float
    skies: tuple[Sky, ...]
    share: float


@define(eq=False)
class Weather:
    """Spells from ``begin`` for ``length`` seconds; ``clear`` ends them all."""

    random: Random
    _spells: list[_Spell] = field(factory=list, init=False)
    _noise: float = field(default=0.03, init=False)

    def draw(
        self, places: Sequence[tuple[str, str]], keys: Sequence[tuple[str, str]], begin: float, length: float
    ) -> None:
        """Draw the spells of a run: ``places`` are (provider, model), ``keys`` (provider, key)."""
        chance = self.random
        for provider, model in places:
            at = begin + chance.expovariate(1 / 40)
            while at < begin + length:
                lasts = chance.expovariate(1 / 25)
                wide = "" if chance.random() < 0.3 else model
                share = chance.choice((0.3, 0.8, 1.0))
                # Several at once: some fail fast while others still hang.
                skies = tuple(chance.choices(_DRAWN, k=chance.choice((1, 1, 2, 3))))
                self._spells.append(_Spell(provider, wide, "", at, at + lasts, skies, share))
                at += lasts + chance.expovariate(1 / 60)
        for provider, key in keys:
            if chance.random() < 0.4:
                at = begin + chance.uniform(0, length)
                lasts = chance.uniform(5, length)
                skies = (chance.choice(_OF_KEYS),)
                self._spells.append(_Spell(provider, "", key, at, at + lasts, skies, 1.0))

    def clear(self) -> None:
        """From now on all is well."""
        self._spells.clear()
        self._noise = 0.0

    def at(self, provider: str, model: str, key: str, now: float) -> Sky:
        """Draw what becomes of an exchange."""
        for spell in self._spells:
            if (
                spell.provider == provider
                and spell.model in ("", model)
                and spell.key in ("", key)
                and spell.begin <= now < spell.end
                and self.random.random() < spell.share
            ):
                return self.random.choice(spell.skies)
        if self.random.random() < self._noise:
            return self.random.choice(_DRAWN)
        return Sky.FINE
