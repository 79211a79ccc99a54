from __future__ import annotations

from ccr.adapters.transformers.customparams import CustomParams
from ccr.application.catalog.pipeline import IDENTITY, Pipeline
from ccr.domain.verbatim import Json
from tests.support.destinations import destination, sent


def test_what_is_not_there_is_added_and_what_is_there_stays() -> None:
    options = CustomParams({"temperature": 0.1, "top_k": 5})
    assert sent(options, {"temperature": 1.0}) == {"temperature": 1.0, "top_k": 5}


def test_objects_are_merged_and_there_the_option_wins() -> None:
    options = CustomParams({"extra": {"a": {"x": 1}, "b": 2}, "stream": {"no": "object"}})
    body = {"extra": Json(b'{"a":{"x":0,"y":0},"c":3}'), "stream": True}
    assert sent(options, body) == {"extra": {"a": {"x": 1, "y": 0}, "b": 2, "c": 3}, "stream": True}


def test_without_options_it_is_idle() -> None:
    assert Pipeline.of([CustomParams()], destination()) == IDENTITY
    assert not Pipeline.of([CustomParams({"provider": {}})], destination()).is_identity


def test_other_dialects_get_them_too() -> None:
    assert sent(CustomParams({"new": {"a": 1}}), {}, "anthropic") == {"new": {"a": 1}}
