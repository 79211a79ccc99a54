"""Counts wrong keys by the address that they come from.

A right key is let in however many wrong ones came from its address: behind a proxy everybody has the same one, and nobody
may lock out the others. So this is no defence of a weak key; it makes guessing visible, and cheap for us.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WrongKeys"]

_MOST = 20
_WINDOW = 60.0
"""Seconds."""
_MOST_ADDRESSES = 4096
_NETWORK = 64
"""Bits of an IPv6 address: what one customer is given, to choose from as they like."""


@define(eq=False)
class WrongKeys:
    """Twenty in a minute; memory and work are bounded. ``clock`` gives seconds."""

    clock: Callable[[], float]
    _seen: dict[str, tuple[float, int]] = field(factory=dict, init=False)

    def came(self, address: str) -> float | None:
        """Count one; return the seconds to wait if there are too many from that address, else None."""
        now = self.clock()
        place = _place(address)
        began, count = self._seen.pop(place, (now, 0))
        if now - began >= _WINDOW:
            began, count = now, 0
        if len(self._seen) >= _MOST_ADDRESSES:
            # The one that was heard of longest ago.
            del self._seen[next(iter(self._seen))]
        self._seen[place] = (began, count + 1)
        return began + _WINDOW - now if count >= _MOST else None


def _place(text: str) -> str:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return text[:_NETWORK]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> _NETWORK << _NETWORK))
    return str(address)
