"""The environment in which Claude Code works through us: what is set, and what must not be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.output import warn

if TYPE_CHECKING:
    from ccr.application.settings import Settings

__all__ = ["client_environment", "warn_overridden"]

_LOCAL = "127.0.0.1,localhost"
_NO_KEY = "ccr-local"
"""A token for a gateway that asks for none: the client wants one, or it would send the user to log in."""
_HAIKU = "claude-haiku-4-5"
"""Names of this shape go to ``Router.background``; today's client sends small jobs to its main model unless told."""
_ELSEWHERE = (
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
    "CLAUDE_CODE_SKIP_VERTEX_AUTH",
    "ANTHROPIC_BEDROCK_BASE_URL",
    "ANTHROPIC_VERTEX_BASE_URL",
    "CLAUDE_CODE_OAUTH_TOKEN",
)
"""Each of these would lead the client past us, or make it send a second credential."""
_LEAST_COMPACTION = 100_000
"""The client takes no smaller window for its automatic compaction."""
_SCRIPTED = {"CI": "true", "FORCE_COLOR": "0", "NODE_NO_READLINE": "1", "TERM": "dumb"}


def client_environment(
    settings: Settings, address: str, status: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, str | None]:
    """Return variable -> value, None = to be unset.

    ``status`` is what ``/api/status`` says (empty = unknown); ``environ`` is the person's own environment.
    """
    key = settings.server.api_key
    variables: dict[str, str | None] = {
        "ANTHROPIC_BASE_URL": address,
        "ANTHROPIC_AUTH_TOKEN": key.reveal() if key else _NO_KEY,
        "NO_PROXY": _with_local(environ.get("NO_PROXY") or environ.get("no_proxy") or ""),
        "DISABLE_TELEMETRY": "true",
        "DISABLE_COST_WARNINGS": "true",
        "API_TIMEOUT_MS": str(settings.client.api_timeout_ms),
        "CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1",
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
    }
    if "no_proxy" in environ:
        variables["no_proxy"] = variables["NO_PROXY"]
    variables |= _small_model(settings)
    variables |= _window(status)
    if status and not status.get("uses_anthropic", True):
        # The attribution block is for Anthropic only; elsewhere it changes with every conversation for nothing.
        variables["CLAUDE_CODE_ATTRIBUTION_HEADER"] = "0"
    if settings.client.non_interactive:
        variables |= _SCRIPTED
    return {**variables, **dict.fromkeys(_ELSEWHERE)}


def _with_local(given: str) -> str:
    """Append loopback to what the person has: without it a proxy would be asked for 127.0.0.1."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    return ",".join([*names, *(name for name in _LOCAL.split(",") if name not in names)])


def _small_model(settings: Settings) -> dict[str, str | None]:
    small = settings.client.small_fast_model or (_HAIKU if settings.router.background else "")
    return {"ANTHROPIC_SMALL_FAST_MODEL": small, "ANTHROPIC_DEFAULT_HAIKU_MODEL": small} if small else {}


def _window(status: Mapping[str, Any]) -> dict[str, str | None]:
    """Tell the client how much the routed model takes: it knows the windows of Claude's models only."""
    target = (status.get("routes") or {}).get("default", "")
    window = ((status.get("windows") or {}).get(target) or {}).get("window")
    if not isinstance(window, int) or window <= 0:
        return {}
    limits: dict[str, str | None] = {"CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(window)}
    if window >= _LEAST_COMPACTION:
        limits["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] = str(window)
    return limits


def warn_overridden(variables: Mapping[str, str | None]) -> None:
    """Say on standard error which settings of Claude Code win over what we set; their values are nobody's business."""
    try:
        folder = Path.cwd()
    except OSError:
        folder = Path("/")
    files: dict[str, list[str]] = {}
    for found in bootstrap.overridden(variables, folder):
        files.setdefault(str(found.file), []).append(found.name)
    for file, names in files.items():
        warn(
            f"warning: {file} sets {', '.join(names)} in its env block, which wins over ccr. Remove it there."
        )
