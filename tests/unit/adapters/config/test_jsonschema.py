from __future__ import annotations

import json

from ccr.adapters.config.jsonschema import build, render, shipped
from ccr.adapters.config.schema import Root, keys_of


def test_the_shipped_schema_is_the_one_of_the_classes() -> None:
    """Write it anew with `python -m ccr.adapters.config.jsonschema > src/ccr/adapters/config/config.schema.json`."""
    assert shipped() == render()


def test_every_key_is_there_with_its_description() -> None:
    properties = build()["properties"]
    assert [key.name for key in keys_of(Root) if not properties[key.name]["description"]] == []
    assert properties["Router"]["properties"]["longContextThreshold"]["default"] == 60_000
    assert properties["Providers"]["items"]["required"] == ["name", "api_base_url"]
    assert "OPENAI_MODEL" in properties
    assert "providers" in properties


def test_it_is_json() -> None:
    assert json.loads(render())["$schema"] == "https://json-schema.org/draft/2020-12/schema"
