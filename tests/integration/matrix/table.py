"""The outcome of the scenes as a page of the documentation."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["render"]

_NAMES = {
    "anthropic": "Anthropic Messages",
    "openai_chat": "OpenAI chat completions",
    "openai_responses": "OpenAI Responses",
    "gemini": "Gemini",
}
_HEAD = """# Every API before every provider

The official SDKs (`anthropic`, `openai` for both of its APIs, `google-genai`) were pointed at ccr, before a strict
upstream of each provider dialect. *yes* means that the scene ended well both whole and streamed, and that the upstream
refused nothing. This page is written by the test that plays the scenes: `pytest tests/integration/matrix --update`.
"""


def render(cases: Mapping[tuple[str, str, str, bool], bool]) -> str:
    """Return the page."""
    scenes = sorted({scene for _, _, scene, _ in cases})
    parts = [_HEAD]
    for client, name in _NAMES.items():
        parts.append(f"## Clients of {name}\n")
        providers = list(_NAMES)
        parts.append("| scene | " + " | ".join(_NAMES[provider] for provider in providers) + " |")
        parts.append("|---" * (len(providers) + 1) + "|")
        for scene in scenes:
            cells = [_cell(cases, client, provider, scene) for provider in providers]
            parts.append(f"| {scene.replace('_', ' ')} | " + " | ".join(cells) + " |")
        parts.append("")
    return "\n".join(parts)


def _cell(cases: Mapping[tuple[str, str, str, bool], bool], client: str, provider: str, scene: str) -> str:
    found = [cases.get((client, provider, scene, stream)) for stream in (False, True)]
    if all(found):
        return "yes"
    return "no" if not any(found) else f"only {'whole' if found[0] else 'streamed'}"
