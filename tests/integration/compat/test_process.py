"""The real process: what it learned is in its state directory, and on the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.compat.conftest import openai
from tests.support.gateway_process import GatewayProcess, gateway_command, provider_entry
from tests.support.scripts import Json

WORKERS = 2


def ask(gateway: GatewayProcess, **more: Any) -> int:
    body = {"model": "up,m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}], **more}
    answer = httpx.post(f"{gateway.base_url}/v1/messages", json=body, timeout=20, trust_env=False)
    return answer.status_code


def ccr(home: Path, *words: str) -> Any:
    done = subprocess.run(
        [*gateway_command(), "providers", *words, "--json"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "CCR_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_workers_and_restarts_share_what_was_learned(tmp_path: Path) -> None:
    def refuse(body: Json, _: Any) -> str | None:
        return "Unknown parameter: 'temperature'." if "temperature" in body else None

    with openai(refuse) as up:
        config = {
            "LOG": False,
            "Admin": {"workers": WORKERS},
            "Providers": [provider_entry("up", up, ("m",))],
        }
        with GatewayProcess(tmp_path, {**config, "Router": {"default": "up,m"}}) as gateway:
            assert [ask(gateway, temperature=0.5) for _ in range(6)] == [200] * 6
            (found,) = ccr(tmp_path, "learned")
            assert (found["model"], found["does"]) == ("m", "drop temperature")
            report = ccr(tmp_path, "test", "up", "--only", "tool_named")
            assert [one["name"] for one in report["results"]] == ["tool_named"]
        refused = sum(request.status == 400 for request in up.model_requests)
        assert 1 <= refused <= WORKERS

        with GatewayProcess(tmp_path, gateway.config) as gateway:
            assert ask(gateway, temperature=0.5) == 200
        assert sum(request.status == 400 for request in up.model_requests) == refused

        assert ccr(tmp_path, "learned", "--forget") == {"forgotten": 1}
        assert ccr(tmp_path, "learned") == []
