"""What the parent holds while it runs: the home's lock, a claim on the port, the listening sockets."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Sequence

from attrs import define, field

from ccr.adapters.system.daemon import Lock, PortTakenError, check_port, claim_port, free_port, port_owner
from ccr.adapters.system.listeners import close_all, open_listeners
from ccr.entrypoints.service import Service
from ccr.entrypoints.takeover import Inherited, InheritedWorker

__all__ = ["NoRoomError", "Premises", "say"]


class NoRoomError(Exception):
    """The address cannot be listened on; the text says why and what to do."""


def say(text: str) -> None:
    """Tell whoever reads our standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@define(eq=False)
class Premises:
    """Empty until it is taken, or taken over."""

    listeners: list[socket.socket] = field(factory=list)
    _service: Service | None = field(default=None, init=False)
    _lock: Lock | None = field(default=None, init=False)
    _claim: socket.socket | None = field(default=None, init=False)

    def take(self, service: Service) -> bool:
        """Take lock, port and sockets; False when somebody else has them, which is then said."""
        lock = Lock(service.files[0])
        try:
            if not lock.acquire():
                say(
                    f"ccr: already running from this home (pid {lock.holder or 'unknown'}). Next step: `ccr status`."
                )
                return False
        except OSError as error:
            say(
                f"ccr: cannot write {lock.path}: {error.strerror}. Next step: make it writable, or set CCR_HOME."
            )
            return False
        try:
            self._claim, self.listeners = _moved_in(service)
        except NoRoomError as error:
            say(str(error))
            lock.release()
            return False
        self._lock, self._service = lock, service
        return True

    def take_over(self, service: Service, inherited: Inherited) -> Sequence[socket.socket]:
        """Go on with what another program held; returns the sockets that are not needed any more.

        Raises NoRoomError if the service is to move and cannot; the premises are then those of before.
        """
        before = inherited.before
        self._lock, self._service = Lock.held(service.files[0], inherited.lock), before
        self._claim = socket.socket(fileno=inherited.claim)
        self.listeners = [socket.socket(fileno=descriptor) for descriptor in inherited.listeners]
        if (service.host, service.port) != (before.host, before.port):
            claim, fresh = _moved_in(service)
            old, self.listeners = self.listeners, fresh
            self._claim.close()
            self._claim = claim
        else:
            wanted = service.workers if sys.platform == "linux" else 1
            old = self.listeners[wanted:]
            self.listeners = self.listeners[:wanted]
            self.listeners += open_listeners(service.host, service.port, wanted - len(self.listeners))
        self._service = service
        return old

    def handed_over(
        self, service: Service, listeners: Sequence[socket.socket], workers: Sequence[InheritedWorker]
    ) -> Inherited:
        """Say what the next program goes on with. ``listeners``: those in use."""
        assert self._lock is not None
        assert self._claim is not None
        return Inherited(
            service.to_environment(),
            self._lock.descriptor,
            self._claim.fileno(),
            tuple(one.fileno() for one in listeners),
            tuple(workers),
        )

    def leave(self) -> None:
        """Let go of everything, and of the files that say where we are."""
        if self._service is not None:
            for file in (self._service.files[1], self._service.facts_file):
                with contextlib.suppress(OSError):
                    file.unlink()
        close_all(self.listeners)
        if self._claim is not None:
            self._claim.close()
        if self._lock is not None:
            self._lock.release()


def _moved_in(service: Service) -> tuple[socket.socket, list[socket.socket]]:
    """Claim the port and bind it. Raises NoRoomError."""
    claim = claim_port(service.port)
    if claim is None:
        raise NoRoomError(_taken(service))
    try:
        check_port(service.host, service.port)
        return claim, open_listeners(service.host, service.port, service.workers)
    except PortTakenError:
        claim.close()
        raise NoRoomError(_taken(service)) from None
    except OSError as error:
        claim.close()
        raise NoRoomError(
            f"ccr: cannot listen on {service.host}:{service.port}: {error.strerror}. Next step: change HOST or PORT."
        ) from error


def _taken(service: Service) -> str:
    """Say who has the port and what to do, in two lines."""
    owner = port_owner(service.port)
    free = free_port(service.host, service.port)
    use = f"`ccr start --port {free}`" if free else "another PORT"
    return (
        f"ccr: port {service.port} of {service.host} is taken by {owner or 'another process'}.\n"
        f"Next step: stop that process, or use a free port: {use} (or PORT in the configuration)."
    )
