"""Which addresses may be connected to: asked for each connection, of the address that a name has right then.

A look at the URL is not enough. A name is what its owner's server says it is, and it may say another thing a second
later (DNS rebinding); so the decision is about the address that the socket is given, in ``dial.py``.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

from attrs import define

__all__ = ["Fence", "leads_to_metadata"]

_Address: TypeAlias = IPv4Address | IPv6Address

_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "metadata"})
_METADATA = frozenset(
    ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's host agent
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # Amazon
        "fd20:ce::254",  # Google
    )
)
"""Services that hand a machine's own credentials to whoever asks; the others are link-local."""

_NAT64 = ip_network("64:ff9b::/96")


@define
class Fence:
    """``block_private``: a name may not lead into a private network, nor to this machine.

    An address that is written in the URL itself is what the administrator meant, and no name server had a say in it:
    there only ``leads_to_metadata`` is asked.
    """

    block_private: bool = False

    def allows(self, address: str) -> bool:
        """Whether a name with this address may be connected to there."""
        never, private = _judged(address)
        return not never and not (self.block_private and private)


def leads_to_metadata(host: str) -> bool:
    """Whether ``host``, as it is written, is a metadata service or link-local. Other names are not looked up."""
    name = host.lower().rstrip(".")
    return name in _METADATA_NAMES or (_literal(name) is not None and _judged(name)[0])


@lru_cache(maxsize=1024)
def _judged(text: str) -> tuple[bool, bool]:
    """Return whether it is never called, and whether it is private. What is no address is both."""
    address = _literal(text)
    if address is None:
        return True, True
    faces = [address, *_inside(address)]
    never = any(face in _METADATA or face.is_link_local for face in faces)
    return never, not all(face.is_global for face in faces)


def _literal(text: str) -> _Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _inside(address: _Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for, by whatever way it may be carried there."""
    if isinstance(address, IPv4Address):
        return []
    low = int(address) & 0xFFFFFFFF
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    # ::a.b.c.d is deprecated and still understood here and there; :: and ::1 are not of that kind.
    if address in _NAT64 or 1 < int(address) == low:
        found.append(IPv4Address(low))
    return [face for face in found if face is not None]
