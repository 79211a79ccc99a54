"""Where we listen, who may call, and what is passed to Claude Code."""

from __future__ import annotations

from attrs import frozen

from ccr.domain.secret import Secret

__all__ = ["ClientSettings", "ServerSettings"]


@frozen
class ServerSettings:
    """``api_key`` None = no credential is asked for, which is allowed on loopback only.

    ``hosts`` are further names under which the gateway may be addressed (Host guard); ``origins`` further browser
    origins that may call it. ``drain_wait``: seconds between failing readiness and stopping; ``drain_timeout``:
    seconds that open streams get to end.
    """

    host: str = "127.0.0.1"
    port: int = 3456
    api_key: Secret | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    workers: int = 1
    drain_wait: float = 0.0
    drain_timeout: float = 30.0


@frozen
class ClientSettings:
    """What ``ccr code`` and ``ccr env`` hand to Claude Code."""

    claude_path: str = ""
    non_interactive: bool = False
    small_fast_model: str = ""
    api_timeout_ms: int = 600_000
    status_line: bool = False
