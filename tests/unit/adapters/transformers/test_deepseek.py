from __future__ import annotations

from ccr.adapters.transformers.deepseek import DeepSeek
from tests.support.destinations import sent


def test_the_limit_is_that_of_the_model_or_the_originals() -> None:
    assert sent(DeepSeek(), {"max_tokens": 128000}) == {"max_tokens": 8192}
    assert sent(DeepSeek(), {"max_tokens": 128000}, max_output=64000) == {"max_tokens": 64000}
    assert sent(DeepSeek(), {}) == {}
