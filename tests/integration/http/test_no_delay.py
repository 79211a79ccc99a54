"""What comes behind the first packet of a reply is not held back until the client has acknowledged that one (40 ms)."""

from __future__ import annotations

import socket
from contextlib import closing

from ccr.adapters.system.listeners import close_all, open_listeners


def test_what_is_accepted_sends_at_once() -> None:
    (listener,) = open_listeners("127.0.0.1", 0, 1)
    try:
        listener.listen()
        listener.setblocking(True)
        with closing(socket.create_connection(listener.getsockname())), closing(listener.accept()[0]) as met:
            assert met.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    finally:
        close_all([listener])
