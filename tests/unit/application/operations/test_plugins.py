from __future__ import annotations

from typing import Any, cast

from ccr.adapters.plugins.found import Found
from ccr.adapters.plugins.registry import Registry
from ccr.adapters.providers.loader import PackagedProviders
from ccr.adapters.transformers.maxtoken import MaxToken
from ccr.application.operations.plugins import ListPlugins
from ccr.application.ports.provider import ProviderSpec


def test_everything_is_told_as_plain_values() -> None:
    registry = Registry({"maxtoken": MaxToken}, plugins=[Found("other", MaxToken, "acme 1.0")])
    book = PackagedProviders([ProviderSpec("acme", origin="acme 1.0")])
    told = ListPlugins(lambda: registry, book)()

    assert told["providers"] == [{"name": "acme", "origin": "acme 1.0"}]
    assert told["warnings"] == []
    first, second = cast("list[dict[str, Any]]", told["transformers"])
    assert (first["name"], first["origin"], first["state"]) == ("maxtoken", "ccr", "on")
    assert (second["name"], second["origin"], second["failures"]) == ("other", "acme 1.0", 0)
    assert first["options"][0] == {
        "name": "max_tokens", "kind": "whole number", "default": "required", "doc": "The limit, in tokens.",
    }  # fmt: skip
