from __future__ import annotations

from ccr.adapters.transformers.sampling import Sampling
from tests.support.destinations import sent


def test_the_limit_is_capped_and_the_rest_replaced() -> None:
    options = Sampling(max_tokens=10, temperature=0.0, top_k=4, repetition_penalty=1.1)
    body = {"max_tokens": 20, "temperature": 1.0, "top_p": 0.9}
    expected = {"max_tokens": 10, "temperature": 0.0, "top_p": 0.9, "top_k": 4, "repetition_penalty": 1.1}
    assert expected == sent(options, body)


def test_nothing_given_is_nothing_changed() -> None:
    assert sent(Sampling(), {"max_completion_tokens": 20}) == {"max_completion_tokens": 20}
    assert sent(Sampling(max_tokens=10), {}) == {}
