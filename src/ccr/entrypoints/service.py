"""What the parent of the service is told: where it listens, how many workers, how long it drains.

Whoever starts the service reads the configuration and hands these few values over in the environment, so that the
parent itself never loads the configuration's machinery and stays small.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from attrs import asdict, frozen

__all__ = [
    "EXIT_CONFIG",
    "EXIT_FAILED",
    "EXIT_NOT_RUNNING",
    "EXIT_OK",
    "EXIT_USAGE",
    "LISTENER_VARIABLE",
    "SERVICE_VARIABLE",
    "Service",
]

SERVICE_VARIABLE = "CCR_SERVICE"
"""Environment variable that carries a :class:`Service` from ``ccr start`` to the parent and its workers."""
LISTENER_VARIABLE = "CCR_LISTENER"
"""Environment variable with the descriptor of the socket from which a worker accepts."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_RUNNING = 3
EXIT_CONFIG = 78
"""EX_CONFIG of sysexits: the configuration cannot be used."""


@frozen
class Service:
    """``drain_wait`` and ``drain_timeout`` in seconds; ``banner`` is printed once the service is ready. A worker that holds
    more than ``most_memory`` bytes is replaced; 0 = never.

    ``token`` is that of the last ``ccr restart``, which looks for it in the file of facts; ``trouble`` says why that one
    failed, and ``trouble_code`` with which exit code.
    """

    host: str
    port: int
    workers: int
    drain_wait: float
    drain_timeout: float
    lock: str
    pid_file: str
    fleet: str
    banner: str = ""
    token: str = ""
    trouble: str = ""
    trouble_code: int = 0
    most_memory: int = 0

    def to_environment(self) -> str:
        """Return the text that :meth:`from_environment` reads."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_environment() -> Service:
        """Read what ``ccr start`` has left. Raises KeyError where it has not."""
        return Service(**json.loads(os.environ[SERVICE_VARIABLE]))

    @staticmethod
    def from_file(path: Path) -> Service | None:
        """Read what a running parent says of itself; None where none has."""
        try:
            return Service(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def facts_file(self) -> Path:
        """Where the parent says where it really listens: the configuration may have changed since."""
        return Path(self.lock).with_name("service.json")

    @property
    def reach(self) -> str:
        """The host under which this machine reaches the service: any-address becomes loopback."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104 - read, not bound

    @property
    def address(self) -> str:
        """Base URL for programs on this machine."""
        host = f"[{self.reach}]" if ":" in self.reach else self.reach
        return f"http://{host}:{self.port}"

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """Lock, pid file and socket of the fleet."""
        return Path(self.lock), Path(self.pid_file), Path(self.fleet)
