"""Unit tests are pure and fast: a network socket in one is a mistake."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Connecting or binding an internet socket fails; a socket pair or a Unix socket is not the network."""
    connect, bind = socket.socket.connect, socket.socket.bind

    def refuse(sock: socket.socket) -> None:
        if sock.family != socket.AF_UNIX:
            msg = "a unit test touched the network; it belongs to tests/integration"
            raise AssertionError(msg)

    def guarded_connect(sock: socket.socket, address: object) -> None:
        refuse(sock)
        connect(sock, address)  # type: ignore[arg-type]  # any address the socket takes

    def guarded_bind(sock: socket.socket, address: object) -> None:
        refuse(sock)
        bind(sock, address)  # type: ignore[arg-type]  # any address the socket takes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "bind", guarded_bind)
        yield
