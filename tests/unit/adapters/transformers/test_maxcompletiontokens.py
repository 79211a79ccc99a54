from __future__ import annotations

from ccr.adapters.transformers.maxcompletiontokens import MaxCompletionTokens
from tests.support.destinations import sent


def test_the_limit_gets_its_newer_name() -> None:
    assert sent(MaxCompletionTokens(), {"max_tokens": 5}) == {"max_completion_tokens": 5}
    assert sent(MaxCompletionTokens(), {"model": "m"}) == {"model": "m"}
