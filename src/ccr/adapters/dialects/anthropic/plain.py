"""Whether a request is the Messages API of before the betas: what everybody who speaks it takes as it is (P45)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ccr.adapters.dialects.anthropic.wire import BILLING
from ccr.domain.conversation import ReasoningMode

if TYPE_CHECKING:
    from ccr.adapters.dialects.anthropic.facts import Fields
    from ccr.domain.facts import RequestFacts

__all__ = ["is_plain"]

_FIELDS = frozenset(
    {
        "model", "messages", "system", "tools", "tool_choice", "max_tokens", "stream", "temperature", "top_p", "top_k",
        "stop_sequences",
    }
)  # fmt: skip
_ODD = re.compile(
    rb'"(?:ttl|scope|defer_loading|eager_input_streaming|strict|input_examples|allowed_callers|tool_reference|'
    rb'thinking|redacted_thinking|search_result|server_tool_use|container_upload|document|image|file_id)"'
    rb'|"role"\s*:\s*"(?:system|developer)"|"type"\s*:\s*"[a-z_]+_20\d{6}"|' + BILLING.encode()
)
"""Words that may stand for something newer, or for what a text-only model refuses. A false alarm costs a translation
into the same dialect, never a meaning."""


def is_plain(fields: Fields, facts: RequestFacts) -> bool:
    """Whether it may go to a provider that merely speaks this dialect byte for byte."""
    return (
        facts.thinking in (ReasoningMode.UNSET, ReasoningMode.OFF)
        and facts.effort is None
        and _FIELDS.issuperset(fields.top)
        and _ODD.search(fields.body) is None
    )
