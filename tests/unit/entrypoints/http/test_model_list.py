from __future__ import annotations

from typing import Any

import pytest

from ccr.application.serving.list_models import ModelEntry
from ccr.entrypoints.http.model_list import shape_of

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


@pytest.mark.parametrize(
    "path, headers",
    [("/v1beta/models", {}), ("/v1/models", {"x-goog-api-key": "x"}), ("/v1/models?key=x", {})],
)
async def test_gemini_s_shape_at_its_path_and_for_its_key(
    faces: Any, path: str, headers: dict[str, str]
) -> None:
    async with faces() as face:
        told = await face.ask(path=path, headers=headers)

    names = [entry["name"] for entry in told.json["models"]]
    assert [name for name in names if not name.endswith("[1m]")] == [f"models/{one}" for one in IDS]
    assert all("generateContent" in entry["supportedGenerationMethods"] for entry in told.json["models"])


@pytest.mark.parametrize(
    "path, headers, key, value",
    [
        ("/v1/models/oai,m1", {}, "id", "oai,m1"),
        ("/v1/models/oai,m1", {"anthropic-version": "2023-06-01"}, "display_name", "m1 (oai)"),
        ("/v1beta/models/oai,m1", {}, "name", "models/oai,m1"),
    ],
)
async def test_one_model_is_described(
    faces: Any, path: str, headers: dict[str, str], key: str, value: str
) -> None:
    async with faces() as face:
        told = await face.ask(path=path, headers=headers)

    assert (told.status, told.json[key]) == (200, value)


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/v1/models/oai,none", 404),
        ("GET", "/v1beta/models/none", 404),
        ("POST", "/v1/models", 405),
        ("POST", "/v1/models/oai,m1", 405),
        ("DELETE", "/v1beta/models/oai,m1", 405),
        ("POST", "/v1beta/models/oai,m1:embedContent", 404),
    ],
)
async def test_what_is_not_there_is_said_so(faces: Any, method: str, path: str, status: int) -> None:
    async with faces() as face:
        told = await face.ask(method, path, headers={"content-type": "application/json"})

    assert told.status == status


async def test_head_has_no_body(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask("HEAD", "/v1/models")

    assert (told.status, told.body) == (200, b"")


def test_limits_are_told_where_they_are_known() -> None:
    shape = shape_of("/v1beta/models", {}, b"")

    assert shape.one(ModelEntry("p,m", "m", "p", 10, 5))["inputTokenLimit"] == 10
    assert shape.one(ModelEntry("p,m", "m", "p", 10, 5))["outputTokenLimit"] == 5
    assert "inputTokenLimit" not in shape.one(ModelEntry("p,m", "m", "p"))


def test_no_models_are_an_empty_list() -> None:
    shape = shape_of("/v1/models", {"anthropic-version": "1"}, b"")

    assert shape.all([]) == {"data": [], "has_more": False, "first_id": None, "last_id": None}
