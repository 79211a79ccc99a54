"""Which hosts are reached without the proxy: loopback always, and what a NO_PROXY-style list says."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, TypeAlias

from attrs import define

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Bypass"]

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


@define(frozen=True)
class _Rule:
    """A name with its subdomains, or a network; ``port`` None = any."""

    name: str
    network: _Network | None
    port: int | None


class Bypass:
    """A compiled bypass list.

    An entry is ``*``, a name (itself and its subdomains; a leading ``.`` or ``*.`` changes nothing), an address, a
    network in CIDR form, each but ``*`` and CIDR with an optional ``:port``. Names are not resolved. Entries may
    hold several, separated by commas or blanks. What cannot be read matches nothing.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        words = [word for entry in entries for word in entry.replace(",", " ").split()]
        self._everything = "*" in words
        self._rules = tuple(_rule(word.lower()) for word in words if word != "*")
        self._memo: dict[tuple[str, int], bool] = {}

    def spares(self, host: str, port: int) -> bool:
        """Whether ``host`` (a name, or an address without brackets) is reached directly."""
        key = (host, port)
        known = self._memo.get(key)
        if known is None:
            if len(self._memo) >= 1024:  # the hosts are those of the configuration; be safe all the same
                self._memo.clear()
            known = self._memo[key] = self._decide(host.lower().rstrip("."), port)
        return known

    def _decide(self, host: str, port: int) -> bool:
        address = _address(host)
        if self._everything or _is_loopback(host, address):
            return True
        return any(_matches(rule, host, address, port) for rule in self._rules)


def _rule(word: str) -> _Rule:
    if "/" in word:
        try:
            return _Rule("", ipaddress.ip_network(word, strict=False), None)
        except ValueError:
            return _Rule(word, None, None)
    host, port = _split_port(word)
    address = _address(host)
    if address is not None:
        return _Rule("", ipaddress.ip_network(address), port)
    return _Rule(host.removeprefix("*").strip("."), None, port)


def _split_port(word: str) -> tuple[str, int | None]:
    if word.startswith("["):
        host, _, rest = word[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") and rest[1:].isdecimal() else None
    host, colon, port = word.rpartition(":")
    if colon and ":" not in host and port.isdecimal():
        return host, int(port)
    return word, None


def _matches(rule: _Rule, host: str, address: _Address | None, port: int) -> bool:
    if rule.port is not None and rule.port != port:
        return False
    if rule.network is not None:
        return address is not None and address in rule.network
    return bool(rule.name) and (host == rule.name or host.endswith(f".{rule.name}"))


def _address(host: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address


def _is_loopback(host: str, address: _Address | None) -> bool:
    if address is not None:
        return address.is_loopback or address.is_unspecified
    return host == "localhost" or host.endswith(".localhost")
