from __future__ import annotations

from typing import Any

import pytest

from tests.support.assembly import CONFIG

pytestmark = pytest.mark.anyio


async def test_status_says_what_there_is_and_no_secrets(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask(path="/api/status")

    assert told.status == 200
    status = told.json
    assert status["routes"]["default"] == "ant,claude-sonnet-5-5"
    assert (status["active_requests"], status["draining"], status["last_error"]) == (0, False, "")
    assert [provider["name"] for provider in status["providers"]] == ["ant", "oai"]
    assert status["pid"] > 0
    for provider in CONFIG["Providers"]:
        assert provider["api_key"].encode() not in told.body


async def test_drain_takes_no_new_work(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask("POST", "/api/drain")
        ready = await face.ask(path="/ready")

    assert (told.status, told.json) == (202, {"draining": True, "active_requests": 0})
    assert ready.status == 503


async def test_reload_says_what_is_in_force(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask("POST", "/api/reload")
        health = await face.ask(path="/health")

    assert told.status == 200
    assert told.json == {"reloaded": True, "revision": health.json["revision"], "error": ""}


async def test_a_refused_reload_is_422_and_says_why(faces: Any) -> None:
    from ccr.domain.errors import ConfigError, Problem

    class Broken:
        async def load(self) -> Any:
            raise ConfigError([Problem("c.json", 3, 4, "PORT", "must be a number")])

    async with faces() as face:
        face.bench.made.container.console().manage_config.store = Broken()
        told = await face.ask("POST", "/api/reload")
        status = await face.ask(path="/api/status")

    assert told.status == 422
    assert "c.json:3:4" in told.json["error"]
    assert status.json["last_error"] == told.json["error"]
    assert status.json["revision"] == told.json["revision"]


@pytest.mark.parametrize("path", ["/api/status", "/api/drain", "/api/reload"])
async def test_the_admin_api_needs_the_key(faces: Any, path: str) -> None:
    method = "GET" if path == "/api/status" else "POST"
    async with faces(APIKEY="k") as face:
        refused = await face.ask(method, path)
        served = await face.ask(method, path, {"x-api-key": "k"})

    assert refused.error == (401, "authentication_error")
    assert served.status < 300


async def test_a_key_that_may_not_administer_is_403(faces: Any) -> None:
    from ccr.domain.access import Principal

    class Guests:
        async def verify(self, _presented: Any) -> Principal:
            return Principal("guest")

    async with faces() as face:
        face.app._app._identity = Guests()
        told = await face.ask(path="/api/status")
        models = await face.ask(path="/v1/models")

    assert told.error == (403, "permission_error")
    assert models.status == 200
