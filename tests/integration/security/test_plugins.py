"""Plugins that hang or try to end the process, in the real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.integration.http.conftest import body, eventually
from tests.support.scripts import in_order, text
from tests.support.stage import Stage, open_stage

PLUGINS = """
import sys, time
SECRET = "a-value-in-a-frame"

class Sleeper:
    name = "sleeper"
    def payload(self, payload, to):
        secret = SECRET
        time.sleep(4.0)
        return payload

class Quitter:
    name = "quitter"
    def payload(self, payload, to):
        sys.exit(3)
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    path = folder / "mine.py"
    path.write_text(PLUGINS)
    path.chmod(0o644)
    config = {"transformers": [{"path": str(path)}]}
    with open_stage("openai", tmp_path / "home", config=config) as opened:
        yield opened


def use(stage: Stage, name: str) -> None:
    assert stage.gateway is not None
    config = dict(stage.gateway.config or {})
    providers = [dict(config["Providers"][0], transformer={"use": [name]})]
    before = httpx.get(f"{stage.base_url}/health", trust_env=False).json()["revision"]
    stage.gateway.write_config({**config, "Providers": providers})
    assert eventually(
        lambda: httpx.get(f"{stage.base_url}/health", trust_env=False).json()["revision"] != before
    )


def ask(stage: Stage) -> httpx.Response:
    return httpx.post(f"{stage.base_url}/v1/messages", json=body(stream=False), trust_env=False, timeout=60)


def logged(stage: Stage, event: str) -> list[dict[str, object]]:
    assert stage.gateway is not None
    lines = b"".join(p.read_bytes() for p in (stage.gateway.home / "logs").glob("*.log")).splitlines()
    return [line for line in map(msgspec.json.decode, lines) if line.get("event") == event]


def test_one_that_blocks_everybody_is_named_while_it_does(stage: Stage) -> None:
    stage.play(in_order(text("after all")))
    use(stage, "sleeper")
    replies: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: replies.append(ask(stage)))
    asking.start()
    assert eventually(lambda: bool(logged(stage, "blocked")), 20)
    asking.join(60)

    (line,) = logged(stage, "blocked")
    trace = str(line["trace"])
    assert "mine.py" in trace
    assert "in payload" in trace
    assert "a-value-in-a-frame" not in trace
    assert replies[0].json()["content"][0]["text"] == "after all"
    assert httpx.get(f"{stage.base_url}/health", trust_env=False).status_code == 200


def test_one_that_ends_the_process_does_not(stage: Stage) -> None:
    stage.play(in_order(text("still here")))
    use(stage, "quitter")
    pids = {httpx.get(f"{stage.base_url}/api/status", trust_env=False).json()["pid"]}
    replies = [ask(stage) for _ in range(3)]
    pids.add(httpx.get(f"{stage.base_url}/api/status", trust_env=False).json()["pid"])

    assert [reply.json()["content"][0]["text"] for reply in replies] == ["still here"] * 3
    assert len(pids) == 1
    assert eventually(lambda: any("it raised SystemExit" in str(line) for line in logged(stage, "fault")))
