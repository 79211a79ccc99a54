"""docs/reference/providers.md, from the files of this package (``tools/gen_reference.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.providers.loader import load_providers

if TYPE_CHECKING:
    from ccr.application.ports.provider import Endpoint, ProviderSpec

__all__ = ["markdown"]

_HEAD = """# Providers

Generated from `src/ccr/adapters/providers/*.toml`; do not edit.

What ccr knows of providers beyond your configuration. One is recognised by the host of its `api_base_url`, else by its
name; any other address that ends in `/chat/completions`, `/responses` or `/messages` works by its shape. `ccr providers
show NAME` tells also what each model is known to want; [Add a provider](../how-to/add-a-provider.md) says how to describe
one that is missing. *Key* is the variable that `ccr providers add NAME` refers to.
"""


def markdown() -> str:
    """Return the page: all providers in a table, and of each its hosts and endpoints."""
    parts = [_HEAD, "| Name | Provider | Speaks | Key |", "|---|---|---|---|"]
    for spec in load_providers():
        dialects = ", ".join(f"`{name}`" for name in dict.fromkeys(end.dialect for end in spec.endpoints))
        key = f"`{spec.credential_env}`" if spec.credential_env else "none"
        parts.append(f"| [`{spec.name}`](#{spec.name}) | {spec.label} | {dialects} | {key} |")
    for spec in load_providers():
        parts += ["", *_section(spec)]
    return "\n".join(parts)


def _section(spec: ProviderSpec) -> list[str]:
    about = f"[{spec.label}]({spec.docs})" if spec.docs else spec.label
    lines = [f"## {spec.name}", "", f"{about}. Facts from {spec.source}."]
    if spec.hosts:
        lines += ["", f"Hosts: {', '.join(f'`{host}`' for host in spec.hosts)}."]
    lines += ["", "| Dialect | Endpoint | Notes |", "|---|---|---|"]
    return lines + [f"| `{end.dialect}` | `{end.url}` | {_notes(end, spec)} |" for end in spec.endpoints]


def _notes(end: Endpoint, spec: ProviderSpec) -> str:
    told = [f"[{end.label or 'documentation'}]({end.docs})" if end.docs else end.label]
    told.append(f"through {end.hosting}" if end.hosting != "direct" else "")
    told.append(f"login `{end.credential}`" if end.credential not in {"", spec.credential} else "")
    return "; ".join(note for note in told if note)
