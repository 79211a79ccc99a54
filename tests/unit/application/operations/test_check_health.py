from __future__ import annotations

from typing import Any, cast

import pytest

from ccr.adapters.wire import json
from ccr.application.operations.check_health import CheckHealth
from tests.support.assembly import assembled

pytestmark = pytest.mark.anyio


async def test_a_loaded_gateway_is_ready_and_says_what_it_does() -> None:
    async with assembled() as bench:
        health = bench.made.container.check_health()
        status = cast("dict[str, Any]", json.decode(json.encode(dict(health.status()))))

        assert health.readiness().ready
        assert tuple(
            status[key] for key in ("ready", "reasons", "draining", "active_requests", "last_error")
        ) == (True, [], False, 0, "")
        assert status["routes"] == {"default": "ant,claude-sonnet-5-5"}
        assert {"ant", "oai"} <= {provider["name"] for provider in status["providers"]}
        assert status["uses_anthropic"] in (True, False)
        assert "canary" not in repr(status)


async def test_a_draining_gateway_is_not_ready() -> None:
    async with assembled() as bench:
        bench.made.container.admission().drain()
        health = bench.made.container.check_health()

        assert health.readiness().reasons == ("draining",)
        assert not health.readiness().ready
        assert [health.status()[key] for key in ("draining", "reasons")] == [True, ["draining"]]


async def test_without_a_configuration_it_is_alive_but_not_ready() -> None:
    async with assembled() as bench:
        container = bench.made.container
        empty = type(container.catalog())()
        health = CheckHealth(empty, container.admission(), container.clock(), 0.0)

        assert health.readiness().reasons == ("configuration not loaded",)
        assert "revision" not in health.status()
