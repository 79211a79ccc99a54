"""Clients that leave, and a provider that sees it: raw sockets on both sides of a real gateway."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from tests.support.faulty.scripts import SCRIPTS, Script
from tests.support.gateway_process import GatewayProcess
from tests.support.loopback import Exchange, LoopbackServer, Recorded
from tests.support.worker import status_of

__all__ = ["KINDS", "Leaver", "Scene", "at_rest", "config", "eventually", "lines_of"]

KINDS = {"relayed": "anthropic", "translated": "openai_chat"}
"""Providers of the configuration, and the dialect that each speaks."""
MODELS = ("flows", "stalls", "floods", "is-silent", "is-busy", "pings", "well")
_PATHS = {"anthropic": "/v1/messages", "openai_chat": "/v1/chat/completions"}
_FLOOD = 64 * 1024 * 1024
_PIECE = "x" * 16_384


class Scene(LoopbackServer):
    """A provider whose model's name says how it behaves."""

    def url(self, kind: str) -> str:
        """The ``api_base_url``."""
        return self.origin + _PATHS[KINDS[kind]]

    def asked(self, session: str) -> list[Recorded]:
        """What came for one client, who says his name in the text."""
        return [request for request in self.requests if session.encode() in request.body]

    async def answer(self, exchange: Exchange) -> None:
        """Behave."""
        recorded = exchange.recorded
        dialect = next(spoken for spoken, path in _PATHS.items() if path == recorded.path)
        script, model = SCRIPTS[dialect], str(recorded.json["model"])
        json = {"content-type": "application/json"}
        if model == "is-busy":
            error = script.error("slow down", "rate_limit_error")
            await exchange.reply(429, error, {**json, "retry-after": "2"})
            return
        if model == "is-silent":
            await exchange.sleep(60)
        if recorded.json.get("stream"):
            await self._stream(exchange, script, model)
        else:
            await exchange.reply(200, script.whole, json)

    async def _stream(self, exchange: Exchange, script: Script, model: str) -> None:
        await exchange.open(200, {"content-type": "text/event-stream"})
        while model == "pings":
            await exchange.chunk(b": PROCESSING\n\n")
            await exchange.sleep(0.05)
        for piece in (*script.opening, script.deltas[0]):
            await exchange.chunk(piece)
        if model == "stalls":
            await exchange.sleep(60)
        while model == "flows":
            await exchange.sleep(0.03)
            await exchange.chunk(script.deltas[1])
        if model == "floods":
            for _ in range(_FLOOD // len(_PIECE)):
                await exchange.chunk(script.saying(_PIECE))
        for piece in (*script.deltas[1:], *script.closing):
            await exchange.chunk(piece)
        await exchange.end()


def config(scene: Scene, **more: Any) -> dict[str, Any]:
    """A gateway's, whose own limits are far away: what ends is ended by the client."""
    waits = {
        "connectMs": 60_000,
        "firstByteMs": 60_000,
        "idleMs": 60_000,
        "commitAfterMs": 60_000,
        "keepAliveMs": 60_000,
    }
    return {
        "Providers": [
            {
                "name": kind,
                "dialect": dialect,
                "api_base_url": scene.url(kind),
                "api_key": "sk-of-the-provider",
                "models": list(MODELS),
                **more.get("provider", {}),
            }
            for kind, dialect in KINDS.items()
        ],
        "Router": {"default": "relayed,well"},
        "Timeouts": {**waits, **more.get("timeouts", {})},
        "Limits": more.get("limits", {}),
        "Failover": more.get("failover", {"breakerFailures": 0}),
    }


class Leaver:
    """One client on one socket. ``session`` is the name under which the log and the provider know it."""

    def __init__(self, gateway: GatewayProcess, session: str, *, receive_buffer: int = 0) -> None:
        self.session = session
        self.said = b""
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(30)
        self._socket.connect(("127.0.0.1", gateway.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, model: str, *, stream: bool = True, padding: int = 0, withhold: int = 0) -> None:
        """Send a request; ``withhold`` bytes of its body are not sent."""
        text = f"{self.session} asks {'.' * padding}"
        body = msgspec.json.encode(
            {
                "model": model,
                "max_tokens": 99,
                "stream": stream,
                "messages": [{"role": "user", "content": text}],
            }
        )
        head = (
            "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            f"x-claude-code-session-id: {self.session}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body[: len(body) - withhold])

    def read_until(self, mark: bytes) -> bytes:
        """Read until ``mark`` has come; raises AssertionError if the gateway closes before."""
        while mark not in self.said:
            self.read_more()
        return self.said

    def read_more(self) -> None:
        """Read once."""
        got = self._socket.recv(65_536)
        assert got, f"closed: {self.said[-500:]!r}"
        self.said += got

    def read_all(self) -> bytes:
        """Read to the end of the reply, whatever its framing."""
        while not (self.said.endswith(b"0\r\n\r\n") or self._has_length()):
            got = self._socket.recv(65_536)
            if not got:
                break
            self.said += got
        return self.said

    def _has_length(self) -> bool:
        head, blank, body = self.said.partition(b"\r\n\r\n")
        _, named, rest = head.lower().partition(b"\r\ncontent-length:")
        return bool(blank and named) and len(body) >= int(rest.split(b"\r\n")[0])

    def leave(self, *, reset: bool = False) -> float:
        """Close the connection, in order or with a reset; when."""
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
        return time.monotonic()


def lines_of(home: Path, session: str) -> list[dict[str, Any]]:
    """The lines of the log about requests of one session."""
    found: list[dict[str, Any]] = []
    for path in sorted((home / "logs").glob("*.log")):
        for line in path.read_bytes().splitlines():
            if session.encode() in line:
                said: Mapping[str, Any] = msgspec.json.decode(line)
                if said.get("session") == session and said.get("event") == "request":
                    found.append(dict(said))
    return found


def eventually(check: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until ``check`` holds."""
    until = time.monotonic() + seconds
    while not check():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def at_rest(gateway: GatewayProcess) -> bool:
    """Nothing is under way, and every place has been given back."""
    status = status_of(gateway.port)
    held = status["runtime"]
    return bool(
        not status["active_requests"]
        and held["connections"] == held["idle_connections"]
        and not any(line["in_flight"] or line.get("provider_in_flight") for line in status["health"])
    )
