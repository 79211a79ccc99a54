"""Tools in a namespace (Codex groups the tools of an MCP server so), as tools with one flat name.

Nobody else knows namespaces, and a flat name is what the tools were called before there were any: ``mcp__server__tool``.
"""

from __future__ import annotations

__all__ = ["flat_name"]


def flat_name(namespace: str | None, name: str) -> str:
    """Return the name by which a tool is known elsewhere."""
    if not namespace:
        return name
    return f"{namespace}{name}" if namespace.endswith("__") else f"{namespace}__{name}"
