"""What a URL of the configuration may be."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from ccr.adapters.config.problems import Path, Problems

__all__ = ["check_provider_url", "check_url", "is_loopback"]

_PROXY = "PROXY_URL"
_INSIDE = re.compile(r"(?:.+\.)?(?:local|localhost|internal|lan|home\.arpa|svc|test|invalid)|[^.]+")
"""Names that no public name server knows: of one label, or under a suffix kept for private use (RFC 6761, 6762, 8375)."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host.lower() in {"localhost", "localhost."}:
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_url(url: str, path: Path, problems: Problems) -> SplitResult | None:
    """Return its parts if it can be called. Never shows the URL: a proxy's may hold a password."""
    hint = (
        "for example http://127.0.0.1:7890"
        if path[-1] == _PROXY
        else "for example https://api.example.com/v1/..."
    )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        problems.error(path, "is not a URL", hint)
        return None
    if parts.scheme not in {"http", "https"}:
        problems.error(path, "should begin with http:// or https://", hint)
    elif not parts.hostname or re.search(r"\s", url) or port == 0:
        problems.error(path, "is not a URL with a host", hint)
    elif "@" in parts.netloc and path[-1] != _PROXY:
        problems.error(
            path, "holds a name or password before the host, which is not sent", "use api_key or headers"
        )
    else:
        return parts
    return None


def check_provider_url(url: str, path: Path, problems: Problems, *, shared: bool) -> None:
    """``shared``: other machines call us, so that what goes out in the clear is not one person's own business."""
    parts = check_url(url, path, problems)
    if parts is None or parts.scheme == "https" or _is_inside(parts.hostname or ""):
        return
    message = "is called without TLS: whoever stands between can read the key and the prompts, and write the replies"
    hint = "use https://"
    if shared:
        problems.error(path, message, hint)
    else:
        problems.warn(path, message, hint)


def _is_inside(host: str) -> bool:
    """Whether ``host`` is this machine or in a private network, as far as its name tells."""
    try:
        return not ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return _INSIDE.fullmatch(host.rstrip(".").lower()) is not None
