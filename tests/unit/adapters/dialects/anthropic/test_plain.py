"""What a provider that merely speaks Anthropic gets byte for byte, and what is said anew for it."""

from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.dialects.anthropic import AnthropicClient
from ccr.adapters.wire import json
from tests.support.routing import call

PLAIN: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "ok"}]},
    ],
    "tools": [{"name": "f", "description": "", "input_schema": {"type": "object"}}],
    "stream": True,
}


def is_plain(**changes: Any) -> bool:
    return AnthropicClient().read(call(json.encode({**PLAIN, **changes}))).plain


def test_the_api_of_before_the_betas_is_plain() -> None:
    assert is_plain()
    assert is_plain(thinking={"type": "disabled"}) is False, "a field that not everybody knows"


@pytest.mark.parametrize(
    "changes",
    [
        {"thinking": {"type": "adaptive"}},
        {"output_config": {"effort": "high"}},
        {"context_management": {"edits": []}},
        {"metadata": {"user_id": "u"}},
        {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "hi"}]},
        {"system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=1"}]},
        {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"name": "f", "input_schema": {"type": "object"}, "defer_loading": True}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "t"}]}]},
    ],
)
def test_what_somebody_may_refuse_is_not(changes: dict[str, Any]) -> None:
    assert not is_plain(**changes)
