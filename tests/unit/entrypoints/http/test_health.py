from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/", "/api/hello"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_warm_up_of_the_client_is_answered(faces: Any, path: str, method: str) -> None:
    async with faces(APIKEY="k") as face:
        told = await face.ask(method, path)

    assert told.status == 200
    assert method == "HEAD" or told.json["name"] == "ccr"


async def test_health_says_which_configuration_is_in_force(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask(path="/health")
        revision = face.bench.made.container.catalog().current.revision

    assert (told.status, told.json["status"], told.json["revision"]) == (200, "ok", revision)
    assert revision


async def test_ready_ends_with_draining_and_health_does_not(faces: Any) -> None:
    async with faces() as face:
        before = await face.ask(path="/ready")
        face.bench.made.container.admission().drain()
        after = await face.ask(path="/ready")
        health = await face.ask(path="/health")

    assert (before.status, before.json) == (200, {"ready": True, "reasons": []})
    assert (after.status, after.json) == (503, {"ready": False, "reasons": ["draining"]})
    assert health.status == 200


@pytest.mark.parametrize("path", ["/", "/health", "/ready", "/api/hello"])
async def test_other_methods_are_405_and_say_what_is_allowed(faces: Any, path: str) -> None:
    async with faces() as face:
        told = await face.ask("POST", path, body=b"{}")

    assert told.error == (405, "invalid_request_error")
    assert "GET" in told.headers["allow"]
