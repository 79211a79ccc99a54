"""What the framework answers is said in our words."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/nope", "/v1", "/v1/messages/x", "/api", "/api/nope", "/v1/messages/batches"]
)
async def test_where_nothing_lives_is_404(faces: Any, method: str, path: str) -> None:
    async with faces() as face:
        told = await face.ask(method, path)

    assert told.error == (404, "not_found_error")


async def test_a_bad_parameter_is_400(faces: Any) -> None:
    async with faces() as face:
        for last in ("abc", "0", "1001", "-1"):
            told = await face.ask(path=f"/api/route/decisions?last={last}")
            assert told.error == (400, "invalid_request_error")


async def test_a_handler_that_fails_is_a_bland_500(faces: Any) -> None:
    async with faces() as face:
        face.bench.made.container.console().check_health.started = "not a number"
        told = await face.ask(path="/api/status")

    assert told.error == (500, "api_error")
    assert b"not a number" not in told.body


async def test_options_says_what_is_allowed_and_nothing_of_other_origins(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask("OPTIONS", "/health")

    assert told.status == 204
    assert not [name for name in told.headers if name.startswith("access-control")]
