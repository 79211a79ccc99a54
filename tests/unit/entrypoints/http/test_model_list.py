from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

IDS = ["ant,claude-sonnet-5-5", "oai,m1", "oai,m2", "demo,demo"]


@pytest.mark.parametrize(
    "headers", [{"anthropic-version": "2023-06-01"}, {"x-api-key": "x"}, {"user-agent": "claude-cli/2.1"}]
)
async def test_anthropic_s_shape_for_callers_of_that_kind(faces: Any, headers: dict[str, str]) -> None:
    async with faces() as face:
        told = await face.ask(path="/v1/models", headers=headers)

    assert [entry["id"] for entry in told.json["data"] if not entry["id"].endswith("[1m]")] == IDS
    assert (told.json["has_more"], told.json["first_id"]) == (False, IDS[0])
    assert all(entry["type"] == "model" and entry["display_name"] for entry in told.json["data"])


async def test_openai_s_shape_for_all_others(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask(path="/v1/models", headers={"authorization": "Bearer x"})

    assert told.json["object"] == "list"
    assert [entry["id"] for entry in told.json["data"] if not entry["id"].endswith("[1m]")] == IDS
    assert {entry["object"] for entry in told.json["data"]} == {"model"}
    assert {entry["owned_by"] for entry in told.json["data"]} == {"ant", "oai", "demo"}


async def test_no_models_are_an_empty_list(faces: Any) -> None:
    from ccr.entrypoints.http.model_list import _anthropic

    assert _anthropic([]) == {"data": [], "has_more": False, "first_id": None, "last_id": None}
