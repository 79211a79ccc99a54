from __future__ import annotations

from ccr.adapters.transformers.vercel import Vercel
from tests.support.destinations import sent


def test_options_are_put_over_the_request() -> None:
    options = Vercel({"provider": {"only": ["x"]}, "temperature": 0})
    assert sent(options, {"model": "m", "temperature": 1}) == {
        "model": "m",
        "temperature": 0,
        "provider": {"only": ["x"]},
    }
