"""A running gateway over HTTP: is it there, and its admin API. Standard library only."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from ccr.entrypoints.cli.output import CommandError
from ccr.entrypoints.service import EXIT_NOT_RUNNING

__all__ = ["Client", "Reply"]

_SECONDS = 10.0
_QUICK_SECONDS = 2.0
_POLL = 0.05
_MOST_BYTES = 16 * 1024 * 1024


@frozen
class Reply:
    """A status (0 = nobody answered) and its JSON body (None when it is none)."""

    status: int
    body: Any = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def error(self) -> str:
        """Return the sentence that the gateway gave, or the status."""
        if isinstance(self.body, dict):
            error = self.body.get("error")
            message = error.get("message") if isinstance(error, dict) else error or self.body.get("detail")
            if message:
                return str(message)
        return f"status {self.status}" if self.status else "no answer"


@frozen
class Client:
    """``address`` is a base URL such as ``http://127.0.0.1:3456``; ``key`` the configured APIKEY, if any."""

    address: str
    key: str = field(default="", repr=False)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = _SECONDS,
    ) -> Reply:
        """Ask once; never raises for what the network does."""
        from http.client import HTTPConnection, HTTPException

        parts = urlsplit(self.address)
        connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=seconds)
        given = {"accept": "application/json", **(headers or {})}
        if self.key:
            given["x-api-key"] = self.key
        if body is not None:
            given["content-type"] = "application/json"
        try:
            connection.request(method, path, body=body, headers=given)
            response = connection.getresponse()
            data = response.read(_MOST_BYTES)
            return Reply(response.status, _json(data))
        except (OSError, HTTPException):
            return Reply(0)
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """Return the JSON value. Raises CommandError."""
        return self._must(self.call("GET", path))

    def post(self, path: str, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> Any:
        """Return the JSON value. Raises CommandError."""
        return self._must(self.call("POST", path, body=body, headers=headers))

    def _must(self, reply: Reply) -> Any:
        if reply.ok:
            return reply.body
        if not reply.status:
            raise CommandError(f"nobody answers at {self.address}", "`ccr start`", code=EXIT_NOT_RUNNING)
        hint = (
            "set APIKEY in the configuration to the key of the running gateway" if reply.status == 401 else ""
        )
        raise CommandError(f"the gateway at {self.address} refused: {reply.error()}", hint)

    def health(self) -> dict[str, Any] | None:
        """Return what ``/health`` says, None when nobody answers or it is not a ccr."""
        reply = self.call("GET", "/health", seconds=_QUICK_SECONDS)
        is_ours = reply.ok and isinstance(reply.body, dict) and "revision" in reply.body
        return reply.body if is_ours else None

    def ready(self) -> bool:
        """Whether it takes work."""
        return self.call("GET", "/ready", seconds=_QUICK_SECONDS).ok

    def draining(self) -> bool:
        """Whether it says that it takes no new work any more."""
        body = self.call("GET", "/ready", seconds=_QUICK_SECONDS).body
        return isinstance(body, dict) and "draining" in body.get("reasons", ())

    def wait_ready(self, seconds: float, going_on: Any = None) -> bool:
        """Wait until it is ready; gives up early when ``going_on()`` says no."""
        until = time.monotonic() + seconds
        while not self.ready():
            if time.monotonic() > until or (going_on is not None and not going_on()):
                return False
            time.sleep(_POLL)
        return True


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
