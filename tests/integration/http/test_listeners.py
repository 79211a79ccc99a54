"""The sockets that we listen on: what is accepted sends at once, and a worker can leave the queue to others."""

from __future__ import annotations

import multiprocessing
import socket
import sys
from contextlib import closing
from multiprocessing.process import BaseProcess

import pytest
from attrs import define

from ccr.adapters.system.listeners import close_all, leave_queue, open_listeners


def test_what_is_accepted_sends_at_once() -> None:
    """What comes behind the first packet of a reply is not held back until the client has acknowledged that one (40 ms)."""
    (listener,) = open_listeners("127.0.0.1", 0, 1)
    try:
        listener.listen()
        listener.setblocking(True)
        with closing(socket.create_connection(listener.getsockname())), closing(listener.accept()[0]) as met:
            assert met.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    finally:
        close_all([listener])


@pytest.mark.skipif(sys.platform != "linux", reason="the numbers of a socket are known on Linux only")
def test_who_leaves_the_queue_takes_nobody_from_it_and_leaves_it_open() -> None:
    (listener,) = open_listeners("127.0.0.1", 0, 1)
    with closing(listener.dup()) as mine, closing(listener.dup()) as mine_too:
        listener.listen()
        others = _in_another_process(listener)
        assert leave_queue(mine.fileno())

        with closing(socket.create_connection(others.address)) as client:
            for one in (listener, mine, mine_too):
                one.setblocking(False)
                with pytest.raises(BlockingIOError):
                    one.accept()
            client.sendall(b"?")
            assert client.recv(1) == b"!"
    others.process.join(10)
    listener.close()


def test_without_a_descriptor_to_spare_the_queue_is_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise OSError("too many open files")

    (listener,) = open_listeners("127.0.0.1", 0, 1)
    monkeypatch.setattr(socket, "socket", none_left)

    assert leave_queue(listener.fileno()) is False
    listener.close()


@define
class _Others:
    """A process that goes on accepting from the socket."""

    process: BaseProcess
    address: tuple[str, int]


def _in_another_process(listener: socket.socket) -> _Others:
    process = multiprocessing.get_context("fork").Process(target=_answer_one, args=(listener,))
    process.start()
    return _Others(process, listener.getsockname())


def _answer_one(listener: socket.socket) -> None:
    listener.setblocking(True)
    with closing(listener.accept()[0]) as met:
        met.recv(1)
        met.sendall(b"!")
