"""How the parent becomes its successor without letting go of anything: the same process and sockets, new code.

``ccr restart`` asks the parent over the fleet's socket. The parent replaces its own program (``exec``), which keeps its
process id, for systemd and containers, and the descriptors that it makes inheritable: lock, claim on the port, listening
sockets, and the pipes of its workers. What it has of them goes along in the environment.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence

from attrs import asdict, frozen

from ccr.entrypoints.service import SERVICE_VARIABLE, Service

__all__ = ["STOPS", "Inherited", "InheritedWorker", "Renewal", "has_a_keeper", "replace_program"]

_VARIABLE = "CCR_TAKE_OVER"
STOPS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals that must not meet a program without handlers: held back from before ``exec`` until there are some again."""


@frozen
class Renewal:
    """What ``ccr restart`` asks for. ``command`` starts the new parent, in ``environment`` unless somebody keeps us."""

    service: Service
    command: tuple[str, ...]
    environment: Mapping[str, str]

    def to_message(self) -> dict[str, object]:
        """Return what :meth:`from_message` reads."""
        return {
            "service": self.service.to_environment(),
            "command": list(self.command),
            "environment": dict(self.environment),
        }

    @classmethod
    def from_message(cls, message: Mapping[str, object]) -> Renewal:
        """Read it. Raises ValueError, KeyError, TypeError for anything else."""
        command, environment = message["command"], message["environment"]
        if not isinstance(command, list) or not command or not isinstance(environment, dict):
            raise ValueError("a renewal has a command and an environment")
        return cls(
            Service(**json.loads(str(message["service"]))),
            tuple(map(str, command)),
            {str(name): str(value) for name, value in environment.items()},
        )


@frozen
class InheritedWorker:
    """A child from before. ``leaving``: it has been told to end already."""

    number: int
    pid: int
    pipe: int
    leaving: bool = False


@frozen
class Inherited:
    """Descriptors and children of the program that was here before, and the service that they are part of."""

    service: str
    lock: int
    claim: int
    listeners: tuple[int, ...]
    workers: tuple[InheritedWorker, ...]

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All that must survive ``exec``."""
        return (self.lock, self.claim, *self.listeners, *(worker.pipe for worker in self.workers))

    @property
    def before(self) -> Service:
        """The service as it was."""
        return Service(**json.loads(self.service))

    def to_environment(self) -> str:
        """Return the text that :meth:`taken` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def taken(cls) -> Inherited | None:
        """Take it out of the environment, whose children need not know; None after an ordinary start."""
        text = os.environ.pop(_VARIABLE, "")
        if not text:
            return None
        found = json.loads(text)
        workers = tuple(InheritedWorker(**worker) for worker in found.pop("workers"))
        made = cls(**{**found, "listeners": tuple(found["listeners"]), "workers": workers})
        for descriptor in made.descriptors:
            os.set_inheritable(descriptor, False)
        return made


def has_a_keeper() -> bool:
    """Whether something starts and watches us itself: we are process 1 of a container, or systemd's own child."""
    under_systemd = os.environ.get("SYSTEMD_EXEC_PID") == str(os.getpid()) or (
        # A terminal inherits INVOCATION_ID from the user's session; a unit's process is a child of systemd.
        "INVOCATION_ID" in os.environ and os.getppid() == 1
    )
    return os.getpid() == 1 or under_systemd or bool(os.environ.get("NOTIFY_SOCKET"))


def replace_program(renewal: Renewal, inherited: Inherited) -> None:
    """Become the new parent. Returns only if that cannot be: raises OSError, with nothing changed."""
    # Whoever keeps us has said in which environment we live.
    environment = dict(os.environ) if has_a_keeper() else dict(renewal.environment)
    environment[SERVICE_VARIABLE] = renewal.service.to_environment()
    environment[_VARIABLE] = inherited.to_environment()
    for descriptor in inherited.descriptors:
        os.set_inheritable(descriptor, True)
    try:
        _execute(renewal.command, environment)
    except OSError:
        for descriptor in inherited.descriptors:
            os.set_inheritable(descriptor, False)
        raise


def _execute(command: Sequence[str], environment: Mapping[str, str]) -> None:
    os.execve(command[0], list(command), dict(environment))  # noqa: S606 - our own interpreter
