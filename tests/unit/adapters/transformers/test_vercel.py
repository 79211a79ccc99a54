from __future__ import annotations

from ccr.adapters.transformers.vercel import Vercel
from ccr.application.catalog.pipeline import IDENTITY, Pipeline
from tests.support.destinations import destination, sent


def test_options_are_put_over_the_request() -> None:
    options = Vercel({"provider": {"only": ["x"]}, "temperature": 0})
    assert sent(options, {"model": "m", "temperature": 1}) == {
        "model": "m",
        "temperature": 0,
        "provider": {"only": ["x"]},
    }


def test_without_options_it_is_idle() -> None:
    assert Pipeline.of([Vercel()], destination()) == IDENTITY
    assert not Pipeline.of([Vercel({"provider": {}})], destination()).is_identity


def test_other_dialects_get_them_too() -> None:
    assert sent(Vercel({"new": {"a": 1}}), {}, "anthropic") == {"new": {"a": 1}}
