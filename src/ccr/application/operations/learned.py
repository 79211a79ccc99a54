"""``ccr providers learned``: what was learned of providers' complaints, shown, exported and forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define

from ccr.domain.compat import Learned, patch_lines

if TYPE_CHECKING:
    from ccr.application.ports.compat import LearnedStore
    from ccr.application.ports.system import Clock

__all__ = ["ManageLearned"]


@define(eq=False)
class ManageLearned:
    """Answers plain JSON values; what is asked for must fit, nothing asked for = everything.

    An ``endpoint`` is said as the beginning of its address, ``name`` as the field, keyword or beta.
    """

    store: LearnedStore
    clock: Clock

    def list(self, endpoint: str = "", model: str = "", name: str = "") -> Mapping[str, object]:
        """Return ``learned``, oldest endpoint first by name, and ``toml``: the same as profiles of a provider file."""
        found = self._found(endpoint, model, name)
        now = self.clock.now()
        shown = [_to_dict(one, expired=one.expires <= now) for one in found]
        lines = patch_lines(one for one in found if one.expires > now)
        return {"learned": shown, "toml": "\n".join(lines)}

    async def forget(self, endpoint: str = "", model: str = "", name: str = "") -> Mapping[str, object]:
        """Forget it, in every worker within a second. Raises OSError if the file cannot be written."""
        return {"forgotten": await self.store.forget(endpoint, model, name)}

    def _found(self, endpoint: str, model: str, name: str) -> Sequence[Learned]:
        return [
            one
            for one in self.store.all()
            if one.endpoint.startswith(endpoint)
            and model in ("", one.model)
            and name in ("", one.amendment.name)
        ]


def _to_dict(one: Learned, *, expired: bool) -> dict[str, object]:
    amendment = one.amendment
    told: dict[str, object] = {
        "endpoint": one.endpoint,
        "model": one.model,
        "change": amendment.change.value,
        "name": amendment.name,
        "does": str(amendment),
        "evidence": one.evidence,
        "first_seen": one.first_seen.isoformat(timespec="seconds"),
        "last_used": one.last_used.isoformat(timespec="seconds"),
        "expires": one.expires.isoformat(timespec="seconds"),
        "expired": expired,
    }
    more = {"to": amendment.to, "limit": amendment.limit, "allowed": list(amendment.allowed)}
    return told | {key: value for key, value in more.items() if value}
