"""What ships with ccr: a scan of ``adapters/transformers/``, and the names that are known but not there yet."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ccr.adapters import transformers
from ccr.application.ports.transformer import Transformer

__all__ = ["LATER", "builtin_transformers"]

LATER = {
    "gemini": "the dialect gemini comes with a later release; "
    "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions speaks chat completions today",
    "vertex-gemini": "the dialect gemini comes with a later release",
    "vertex-claude": "Anthropic's models on Vertex AI come with a later release",
    "vertex-openai": "logging in to Vertex AI comes with a later release",
    "openai-responses": "the dialect openai_responses comes with a later release; "
    "use the provider's /v1/chat/completions today",
    "gemini-cli": "logging in with another program's credentials comes with a later release",
    "qwen-cli": "logging in with another program's credentials comes with a later release",
    "rovo-cli": "logging in with another program's credentials comes with a later release",
    "chutes-glm": "reading tool calls out of plain text comes with a later release",
}
"""Names of the original that configurations may hold, with what to say about them."""


def builtin_transformers() -> dict[str, type[Transformer]]:
    """Return the transformers that ship with ccr, by name; no list is edited to add one."""
    found: dict[str, type[Transformer]] = {}
    for info in iter_modules(transformers.__path__, f"{transformers.__name__}."):
        for value in vars(import_module(info.name)).values():
            if isinstance(value, type) and issubclass(value, Transformer) and value.name:
                found[value.name] = value
    return found
