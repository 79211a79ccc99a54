from __future__ import annotations

from pathlib import Path

from ccr.adapters import transformers
from ccr.adapters.plugins.builtin import builtin_transformers


def test_every_file_is_one_transformer_of_its_name() -> None:
    files = {path.stem for path in Path(transformers.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == {name.lower().replace("-", "_") for name in builtin_transformers()}


def test_all_names_of_the_original_are_known() -> None:
    names = set(builtin_transformers())
    original = {
        *("Anthropic", "OpenAI", "deepseek", "reasoning", "tooluse", "enhancetool", "openrouter", "vercel"),
        *("groq", "maxtoken", "maxcompletiontokens", "sampling", "streamoptions", "customparams"),
        *("cleancache", "cerebras", "forcereasoning", "extrathinktag", "gemini", "vertex-gemini"),
        *("vertex-claude", "vertex-openai", "openai-responses", "gemini-cli", "qwen-cli", "rovo-cli"),
    }
    assert original <= names
