from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_a_model_is_probed(faces: Any) -> None:
    wish = json.dumps({"provider": "demo", "only": ["stream"]}).encode()
    async with faces() as face:
        told = await face.ask("POST", "/api/probes", body=wish)

    assert told.status == 200
    assert [one["name"] for one in told.json["results"]] == ["stream"]


@pytest.mark.parametrize(
    "path, body",
    [
        ("/api/probes", {"provider": "nobody"}),
        ("/api/probes", {"provider": "demo", "modl": "m"}),
        ("/api/probes", {}),
        ("/api/probes", 5),
        ("/api/learned/forget", {"models": "m"}),
    ],
)
async def test_a_body_that_makes_no_sense_is_400(faces: Any, path: str, body: Any) -> None:
    async with faces() as face:
        told = await face.ask("POST", path, body=json.dumps(body).encode())

    assert told.error == (400, "invalid_request_error")


async def test_what_was_learned_is_told_and_forgotten(faces: Any) -> None:
    async with faces() as face:
        listed = await face.ask(path="/api/learned")
        forgotten = await face.ask("POST", "/api/learned/forget", body=b"{}")

    assert (listed.status, listed.json) == (200, {"learned": [], "toml": ""})
    assert forgotten.json == {"forgotten": 0}
