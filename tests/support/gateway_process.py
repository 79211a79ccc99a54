"""The real gateway as a process: `ccr start --foreground` with a home, a port and a config of its own."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from tests.support.fake_provider import FakeProvider

Json = dict[str, Any]
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0
_NO_CIRCUITS: Json = {"Failover": {"breakerFailures": 0, "retryBudgetPercent": 100}}
"""Suites let one process fail a hundred times in a row, each time for another caller. Circuits and the retry budget have tests
of their own, whose configuration says so.
"""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def gateway_command() -> list[str]:
    """The installed `ccr`, or the module when the script is missing."""
    script = Path(sys.executable).parent / "ccr"
    return [str(script)] if script.exists() else [sys.executable, "-m", "ccr"]


def provider_entry(name: str, upstream: FakeProvider, models: Sequence[str], **more: object) -> Json:
    """A provider of the configuration for a scripted upstream, in the ancestor's words."""
    entry: Json = {
        "name": name,
        "api_base_url": upstream.url,
        "api_key": upstream.key,
        "models": list(models),
    }
    if upstream.dialect == "anthropic":
        entry["transformer"] = {"use": ["Anthropic"]}
    return {**entry, **more}


class GatewayProcess:
    """One gateway; `config` is completed with a free PORT and written as config.json before the start.

    With no config (None) nothing is written: the home is that of a fresh machine, and SERVICE_PORT names the port.

    Attributes:
        base_url: what ANTHROPIC_BASE_URL takes.
        config_path: the file the gateway watches.
        log_path: everything it said on stdout and stderr.
    """

    def __init__(
        self, home: Path, config: Mapping[str, Any] | None, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.home = home
        self.port = int((config or {}).get("PORT") or free_port())
        self.config: Json | None = None if config is None else {**_NO_CIRCUITS, **config, "PORT": self.port}
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.config_path = home / "config.json"
        self.log_path = home / "gateway-output.log"
        self._environment = dict(environment or {})
        if config is None:
            self._environment["SERVICE_PORT"] = str(self.port)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the gateway has not been started")
        return self._process.pid

    @property
    def output(self) -> str:
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Replace the configuration file in one step, port kept (for reload tests too)."""
        self.config = {**_NO_CIRCUITS, **config, "PORT": self.port}
        fresh = self.config_path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(self.config)))
        fresh.chmod(0o600)
        fresh.replace(self.config_path)

    def start(self) -> None:
        """Start and wait for `GET /ready`; raises RuntimeError with the output when it does not come."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self.config is not None:
            self.write_config(self.config)
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [*gateway_command(), "start", "--foreground"],
                cwd=self.home,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "HOME": str(self.home),
                    "CCR_HOME": str(self.home),
                    "LANG": "C.UTF-8",
                    **_coverage(),
                    **self._environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + _START_SECONDS
        while self.status_of("/ready") != 200:
            ended = self._process.poll()
            if ended is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"ccr did not get ready (exit {ended}):\n{self.output[-4000:]}")
            time.sleep(0.05)

    def stop(self) -> int | None:
        """End it with SIGTERM; its exit code. What is left of its group afterwards is killed."""
        process = self._process
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait(5)

    def status_of(self, path: str) -> int:
        """The status of a GET, 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


def _coverage() -> dict[str, str]:
    """Let coverage follow the process when the suite runs under it."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
