"""Reload, proxy, refusal to start, and the end, with the real process."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.integration.http.conftest import body, eventually
from tests.support.gateway_process import GatewayProcess
from tests.support.scripts import in_order, text
from tests.support.stage import open_stage


def status(gateway: GatewayProcess) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{gateway.base_url}/api/status", trust_env=False).json()
    return found


def test_a_saved_change_is_in_force_while_streams_go_on(tmp_path: Path) -> None:
    with open_stage("openai", tmp_path / "home") as stage:
        gateway = stage.gateway
        assert gateway is not None
        stage.play(in_order(text("one two three four five six", pieces=6).dripping(0.3)))
        before = status(gateway)["revision"]
        said: list[str] = []

        def stream() -> None:
            with httpx.stream(
                "POST", f"{gateway.base_url}/v1/messages", json=body(), trust_env=False, timeout=30
            ) as reply:
                said.extend(reply.iter_text())

        thread = threading.Thread(target=stream)
        thread.start()
        assert eventually(lambda: bool(said))
        config = msgspec.json.decode(gateway.config_path.read_bytes())
        config["Router"]["default"] = "up,m-other"
        gateway.config_path.write_bytes(msgspec.json.encode(config))

        assert eventually(lambda: status(gateway)["routes"]["default"] == "up,m-other")
        revision = status(gateway)["revision"]
        assert revision != before
        assert httpx.get(f"{gateway.base_url}/health", trust_env=False).json()["revision"] == revision
        thread.join(20)
        assert "message_stop" in "".join(said)

        gateway.config_path.write_text('{"PORT": "broken"')
        assert eventually(lambda: bool(status(gateway)["last_error"]))
        assert status(gateway)["revision"] == revision
        assert "config.json:1" in status(gateway)["last_error"]

        stage.play(in_order(text("still there")))
        reply = httpx.post(
            f"{gateway.base_url}/v1/messages", json=body(model="claude-x", stream=False), trust_env=False
        )
        assert reply.status_code == 200
        assert stage.models == ["m-other"]
        logs = "".join(path.read_text() for path in (tmp_path / "home" / "logs").glob("*.log"))
        assert eventually(lambda: f'"revision":"{revision}"' in logs or _logged(tmp_path, revision))


def _logged(tmp_path: Path, revision: str) -> bool:
    logs = "".join(path.read_text() for path in (tmp_path / "home" / "logs").glob("*.log"))
    return f'"revision":"{revision}"' in logs


class _Proxy(socketserver.StreamRequestHandler):
    """A forward proxy that answers by itself and remembers what it was asked for."""

    asked: list[str] = []  # noqa: RUF012  # shared by the handlers of one server on purpose

    def handle(self) -> None:
        first = self.rfile.readline().decode()
        length = 0
        while line := self.rfile.readline().strip():
            name, _, value = line.decode().partition(":")
            if name.lower() == "content-length":
                length = int(value)
        self.rfile.read(length)
        type(self).asked.append(first.split()[1])
        reply = {
            "id": "c",
            "model": "m",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "by proxy"}, "finish_reason": "stop"}
            ],
        }
        data = msgspec.json.encode(reply)
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        self.wfile.write(head.encode() + data)


@pytest.fixture
def proxy() -> Iterator[str]:
    _Proxy.asked.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_providers_are_reached_through_the_proxy_and_loopback_is_spared(tmp_path: Path, proxy: str) -> None:
    far = {
        "name": "far",
        "api_base_url": "http://provider.invalid/v1/chat/completions",
        "api_key": "key-of-the-far-one",
        "models": ["m"],
    }
    with open_stage("openai", tmp_path / "home", config={"PROXY_URL": proxy}) as stage:
        assert stage.gateway is not None
        stage.play(in_order(text("direct")))
        near = httpx.post(f"{stage.base_url}/v1/messages", json=body(stream=False), trust_env=False)
        config = msgspec.json.decode(stage.gateway.config_path.read_bytes())
        config["Providers"].append(far)
        stage.gateway.config_path.write_bytes(msgspec.json.encode(config))
        gateway = stage.gateway
        assert eventually(lambda: any(p["name"] == "far" for p in status(gateway)["providers"]))
        reply = httpx.post(
            f"{stage.base_url}/v1/messages", json=body(model="far,m", stream=False), trust_env=False
        )

    assert near.json()["content"][0]["text"] == "direct"
    assert reply.json()["content"][0]["text"] == "by proxy"
    assert _Proxy.asked == ["http://provider.invalid/v1/chat/completions"]


def test_another_host_without_a_key_refuses_to_start(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path / "home", {"HOST": "0.0.0.0", "Router": {"default": "demo,demo"}})
    with pytest.raises(Exception, match="APIKEY"), gateway:
        pass


def test_a_stop_lets_open_streams_end(tmp_path: Path) -> None:
    with open_stage("anthropic", tmp_path / "home") as stage:
        gateway = stage.gateway
        assert gateway is not None
        stage.play(in_order(text("one two three four five", pieces=5).dripping(0.3)))
        said: list[str] = []

        def stream() -> None:
            with httpx.stream(
                "POST", f"{gateway.base_url}/v1/messages", json=body(), trust_env=False, timeout=30
            ) as reply:
                said.extend(reply.iter_text())

        thread = threading.Thread(target=stream)
        thread.start()
        assert eventually(lambda: bool(said))
        began = time.monotonic()
        code = gateway.stop()
        thread.join(20)

    assert code == 0
    assert "message_stop" in "".join(said)
    assert time.monotonic() - began < 25
