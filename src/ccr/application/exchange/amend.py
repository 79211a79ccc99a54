"""Learned compatibility in one request: what is known is applied, and a complaint is answered by one more try.

Nothing here is ever done at Anthropic itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.domain.compat import Amendment, Change, complains_of_seal, read_complaint
from ccr.domain.compat.names import steps_of
from ccr.domain.fidelity import Loss
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.catalog.targets import Target
    from ccr.application.ports.compat import LearnedStore
    from ccr.application.ports.payload import Encoded, Payload
    from ccr.domain.errors import GatewayError
    from ccr.domain.models import ModelProfile, ModelRef

__all__ = ["Amending", "NothingLearned", "amended"]

_MOST_NEW = 3
"""Complaints of one target that are answered within one request."""

_MOST = 8
_SEALS = Loss("seals", "learned")
_BETA_HEADER = "anthropic-beta"


class NothingLearned:
    """:class:`ccr.application.ports.compat.LearnedStore` that forgets at once."""

    def known(self, endpoint_url: str, model: str) -> tuple[Amendment, ...]:
        """Return nothing."""
        del endpoint_url, model
        return ()

    async def remember(self, endpoint_url: str, model: str, amendment: Amendment, evidence: str) -> None:
        """Forget it."""

    async def used(self, endpoint_url: str, model: str) -> None:
        """Forget it."""

    async def forget(self, endpoint: str = "", model: str = "", name: str = "") -> int:
        """There is nothing to forget."""
        del endpoint, model, name
        return 0

    def all(self) -> tuple[()]:
        """Return nothing."""
        return ()


@define(eq=False)
class _Tried:
    """What was found out about one target in this request. ``sent``: what was refused, or may be."""

    known: tuple[Amendment, ...]
    new: list[tuple[Amendment, str]] = field(factory=list)
    unsealed: bool = False
    sent: Encoded | bytes | None = None

    @property
    def amendments(self) -> tuple[Amendment, ...]:
        fresh = [amendment for amendment, _ in self.new]
        replaced = {amendment.key for amendment in fresh}
        return (*(one for one in self.known if one.key not in replaced), *fresh)


@define(eq=False)
class Amending:
    """One request's, owned by its task."""

    store: LearnedStore
    _tried: dict[ModelRef, _Tried] = field(factory=dict, init=False)

    def amends(self, target: Target) -> bool:
        """Whether anything is known of a target: its requests must then be written, not relayed."""
        tried = self._of(target)
        return tried is not None and bool(tried.amendments or tried.unsealed)

    def unseals(self, target: Target) -> bool:
        """Whether the target has refused a seal that it should know."""
        tried = self._of(target)
        return tried is not None and tried.unsealed

    def profile(self, target: Target) -> ModelProfile:
        """Return the profile with the output limit that was learned: it is kept while the request is written."""
        profile = target.destination.profile
        tried = self._of(target)
        limits = [one.limit for one in tried.amendments if one.change is Change.CAP] if tried else []
        if not limits:
            return profile
        return evolve(profile, max_output=min((*limits, profile.max_output or limits[0])))

    def apply(self, target: Target, encoded: Encoded) -> Encoded:
        """Return the request as it is to go, headers too; each amendment that changed something is a loss."""
        tried = self._of(target)
        if tried is None:
            return encoded
        made = amended(encoded, tried.amendments)
        tried.sent = made
        return evolve(made, losses=(*made.losses, _SEALS)) if tried.unsealed else made

    def relayed(self, target: Target, body: bytes) -> None:
        """Note the bytes that go out as they came."""
        tried = self._of(target)
        if tried is not None:
            tried.sent = body

    def remedy(self, target: Target, error: GatewayError) -> bool:
        """Whether the same target is worth another try, because this time the request will be another."""
        tried = self._of(target)
        if tried is None:
            return False
        if complains_of_seal(error):
            first, tried.unsealed = not tried.unsealed, True
            return first
        found = read_complaint(error)
        if found is None or not self._is_worth_it(tried, found):
            return False
        tried.new.append((found, error.message))
        return True

    async def succeeded(self, target: Target) -> None:
        """Remember what helped. Never raises."""
        tried = self._of(target)
        if tried is None:
            return
        tried.sent = None
        url, model = target.endpoint.url, target.ref.model
        if tried.known:
            await self.store.used(url, model)
        for amendment, sentence in tried.new:
            await self.store.remember(url, model, amendment, sentence)

    def _of(self, target: Target) -> _Tried | None:
        if target.endpoint.is_anthropic or target.destination.is_anthropic:
            return None
        tried = self._tried.get(target.ref)
        if tried is None:
            known = self.store.known(target.endpoint.url, target.ref.model)
            tried = self._tried[target.ref] = _Tried(known)
        return tried

    def _is_worth_it(self, tried: _Tried, found: Amendment) -> bool:
        if len(tried.new) >= _MOST_NEW or len(tried.amendments) >= _MOST or found in tried.amendments:
            return False
        if isinstance(tried.sent, bytes):
            # Relayed: another writing may itself be the cure, but only of what the bytes have in them.
            last = steps_of(found.name)[-1:]
            return bool(last) and f'"{last[0]}"'.encode() in tried.sent
        return tried.sent is not None and amended(tried.sent, [found]) is not tried.sent


def amended(encoded: Encoded, amendments: Sequence[Amendment]) -> Encoded:
    """Return the request amended, with a loss for each amendment that changed it; the same object if none did."""
    for amendment in amendments:
        payload = _payload(encoded.payload, amendment)
        headers = tuple(
            kept for pair in encoded.headers if (kept := _header(pair, amendment.betas)) is not None
        )
        if payload is not encoded.payload or headers != encoded.headers:
            losses = (*encoded.losses, Loss(amendment.name, "learned"))
            encoded = evolve(encoded, payload=payload, headers=headers, losses=losses)
    return encoded


def _payload(payload: Payload, amendment: Amendment) -> Payload:
    plain = {name: payload.parsed(name) for name in amendment.reads(payload.fields)}
    made = amendment.apply(plain)
    if made is plain:
        return payload
    payload = payload.without(*(name for name in plain if name not in made))
    for name, value in made.items():
        if name not in plain or plain[name] != value:
            payload = payload.with_(name, value)
    return payload


def _header(pair: tuple[str, str], change: Callable[[str], str]) -> tuple[str, str] | None:
    if pair[0] != _BETA_HEADER:
        return pair
    left = change(pair[1])
    return (pair[0], left) if left else None
