"""Secrets and prompts pushed through the real process in every slot, and everything it leaves behind searched for them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from attrs import define, field

from tests.support.gateway_process import GatewayProcess, gateway_command
from tests.support.leaving import eventually
from tests.support.loopback import Exchange, LoopbackServer

KEYS = ("canary-provider-key-one-plain", "canary-provider-key-two-plain")
HEADER = "canary-provider-header-plain"
OPTION = "canary-option-plain"
GATEWAY = "canary-gateway-key-plain"
PROXY = "canary-proxy-password"
ENVIRONMENT = "canary-environment-plain"
SECRETS = (*KEYS, HEADER, OPTION, GATEWAY, PROXY, ENVIRONMENT)
PROMPT, RESULT, CLIENT_HEADER, REPLY = (
    "canary-prompt",
    "canary-tool-result",
    "canary-client-header",
    "canary-reply",
)
WORDS = (PROMPT, RESULT, CLIENT_HEADER, REPLY)
WRONG = "canary-wrong-key-plain"

MODELS = (
    "good",
    "e400",
    "e401",
    "e403",
    "e429",
    "e500",
    "html",
    "redirect",
    "junk",
    "cut",
    "late",
    "header",
    "silent",
    "bomb",
)
Json = dict[str, Any]


class Echo(LoopbackServer):
    """An OpenAI-shaped provider that repeats what it was sent, its key first, in as many ways as models."""

    async def answer(self, exchange: Exchange) -> None:
        asked = exchange.recorded
        model = asked.json["model"]
        seen = f"{asked.headers.get('authorization')} {asked.headers.get('x-tenant')} {asked.body.decode()}"
        error = msgspec.json.encode(
            {"error": {"message": f"Incorrect API key provided: {seen}", "type": "x", "code": seen}}
        )
        kind = {"content-type": "application/json"}
        match model:
            case "html":
                await exchange.reply(502, f"<html>{seen}</html>".encode(), {"content-type": "text/html"})
            case "redirect":
                await exchange.reply(302, b"", {"location": f"http://elsewhere.invalid/?key={KEYS[0]}"})
            case "junk":
                await exchange.reply(200, seen.encode(), {"content-type": "text/event-stream"})
            case "header":
                await exchange.reply(
                    500,
                    error,
                    {**kind, "x-request-id": seen[:60], "x-debug": seen[:60], "retry-after": KEYS[0]},
                )
            case "silent":
                await exchange.cut()
            case "bomb":
                await exchange.reply(200, b"\x1f\x8b" + seen.encode(), {**kind, "content-encoding": "gzip"})
            case "good" | "cut" | "late":
                await self._stream(exchange, model, error)
            case _:
                await exchange.reply(int(model.removeprefix("e")), error, kind)

    async def _stream(self, exchange: Exchange, model: str, error: bytes) -> None:
        delta = {"index": 0, "delta": {"role": "assistant", "content": REPLY}, "finish_reason": None}
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        await exchange.open(200, {"content-type": "text/event-stream"})
        await exchange.chunk(b"data: " + msgspec.json.encode({"id": "c", "choices": [delta]}) + b"\n\n")
        if model == "cut":
            await exchange.cut()
            return
        if model == "late":
            await exchange.chunk(b"data: " + error + b"\n\n")
        await exchange.chunk(
            b"data: " + msgspec.json.encode({"id": "c", "choices": [last]}) + b"\n\ndata: [DONE]\n\n"
        )
        await exchange.end()


@define
class Scene:
    """What the gateway was asked, and all it said."""

    gateway: GatewayProcess
    said: list[tuple[str, int, bytes]] = field(factory=list)

    def ask(self, name: str, method: str, path: str, *, key: str = GATEWAY, **more: Any) -> httpx.Response:
        headers = {
            "x-api-key": key,
            "x-custom": CLIENT_HEADER,
            "cookie": f"s={CLIENT_HEADER}",
            **more.pop("headers", {}),
        }
        reply = httpx.request(
            method, self.gateway.base_url + path, headers=headers, timeout=30, trust_env=False, **more
        )
        head = "\n".join(f"{n}: {v}" for n, v in reply.headers.items()).encode()
        self.said.append((f"{name} {path}", reply.status_code, head + b"\n\n" + reply.content))
        return reply


def request(model: str, **more: Any) -> Json:
    call = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"path": PROMPT}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": RESULT}
    messages = [
        {"role": "user", "content": PROMPT},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    tool = {"name": "Read", "description": PROMPT, "input_schema": {"type": "object"}}
    return {
        "model": f"echo,{model}",
        "max_tokens": 50,
        "system": PROMPT,
        "messages": messages,
        "tools": [tool],
        **more,
    }


def config(port: int) -> Json:
    def provider(name: str, url: str, **more: Any) -> Json:
        headers = {"X-Tenant": HEADER}
        return {
            "name": name,
            "api_base_url": url,
            "api_key": list(KEYS),
            "models": list(MODELS),
            "headers": headers,
            **more,
        }

    return {
        "APIKEY": GATEWAY,
        "LOG": True,
        "LOG_LEVEL": "trace",
        "PROXY_URL": f"http://user:{PROXY}@127.0.0.1:9",
        "Providers": [
            provider("echo", f"http://127.0.0.1:{port}/v1/chat/completions", transformer={"use": [["openrouter", {"token": OPTION}]]}),
            provider("far", "http://provider.invalid/v1/chat/completions"),
            provider("relay", f"http://127.0.0.1:{port}/v1/messages", transformer={"use": ["Anthropic"]}),
        ],
        "Router": {"default": "echo,good"},
        "Timeouts": {"firstByteMs": 2000, "idleMs": 2000, "connectMs": 1000},
    }  # fmt: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Ask for everything once; the tests look at what is left."""
    home = tmp_path_factory.mktemp("canaries")
    environment = {"SOME_TOKEN": ENVIRONMENT}
    with Echo() as upstream, GatewayProcess(home, config(upstream.port), environment=environment) as gateway:
        made = Scene(gateway)
        for stream in (True, False):
            for model in MODELS:
                made.ask(model, "POST", "/v1/messages", json=request(model, stream=stream))
            made.ask(
                "proxy", "POST", "/v1/messages", json={**request("good", stream=stream), "model": "far,good"}
            )
            for model in ("e400", "e401", "junk", "html"):
                made.ask(
                    "relay",
                    "POST",
                    "/v1/messages",
                    json={**request(model, stream=stream), "model": f"relay,{model}"},
                )
            chat = {"model": "echo,e401", "stream": stream, "messages": [{"role": "user", "content": PROMPT}]}
            made.ask("chat", "POST", "/v1/chat/completions", json=chat)
        made.ask("responses", "POST", "/v1/responses", json={"model": "echo,e500", "input": PROMPT})
        made.ask("wrong key", "POST", "/v1/messages", key=WRONG, json=request("good"))
        made.ask("key in the query", "GET", f"/v1/models?key={WRONG}", key=WRONG)
        made.ask(
            "bad JSON",
            "POST",
            "/v1/messages",
            content=b'{"' + PROMPT.encode(),
            headers={"content-type": "application/json"},
        )
        made.ask("bad shape", "POST", "/v1/messages", json={**request("good"), "max_tokens": {"x": PROMPT}})
        made.ask(
            "no provider", "POST", "/v1/messages", json={**request("good"), "model": f"nobody,{PROMPT}"[:12]}
        )
        made.ask("count", "POST", "/v1/messages/count_tokens", json=request("good"))
        for path in (
            "/api/status",
            "/api/providers",
            "/api/plugins",
            "/v1/models",
            "/openapi.json",
            "/health",
            "/ready",
        ):
            made.ask("reading", "GET", path)
        made.ask("explain", "POST", "/api/route/explain", json=request("good"))
        made.ask("reload", "POST", "/api/reload")
        yield made


def leaks(data: bytes, canaries: tuple[str, ...]) -> list[str]:
    """The canaries in ``data``, whole or their greater half: a secret that was cut is still one."""
    return [canary for canary in canaries if canary[: len(canary) * 2 // 3].encode() in data]


def test_every_kind_of_end_was_reached(scene: Scene) -> None:
    """Else there would be nothing to find."""
    statuses = {status for _, status, _ in scene.said}

    assert {200, 400, 401, 429, 502} <= statuses
    assert any(REPLY.encode() in body for _, _, body in scene.said)


def ids_in_the_log(scene: Scene) -> list[str]:
    lines = b"".join(p.read_bytes() for p in (scene.gateway.home / "logs").glob("*.log")).splitlines()
    return [line["id"] for line in map(msgspec.json.decode, lines) if line.get("event") == "request"]


def everything_is_logged(scene: Scene) -> bool:
    """Lines are gathered for a moment before they are written."""
    asked = {
        head.decode().split("request-id: ")[1].split("\n")[0]
        for name, status, body in scene.said
        if (("/v1/messages" in name or "/v1/chat" in name or "/v1/resp" in name) and "count" not in name)
        or status == 401
        for head in [body.split(b"\n\n")[0]]
    }
    return eventually(lambda: asked <= set(ids_in_the_log(scene)))


def test_no_reply_holds_a_secret_of_ours(scene: Scene) -> None:
    # An option of a transformer is sent in the body, and its text is the provider's to repeat.
    secret = (*(text for text in SECRETS if text != OPTION), WRONG)
    found = [(name, status, canary) for name, status, body in scene.said for canary in leaks(body, secret)]

    assert found == []


def test_no_error_quotes_the_request_beyond_what_the_provider_said_of_it(scene: Scene) -> None:
    pages = [
        name for name, _, body in scene.said if b"<html" in body or b"Traceback" in body or b".py" in body
    ]

    assert pages == []


def test_nothing_that_is_left_on_disk_or_said_aloud_holds_a_secret_or_a_prompt(scene: Scene) -> None:
    assert everything_is_logged(scene)
    home = scene.gateway.home
    files = [p for p in home.rglob("*") if p.is_file() and not p.name.startswith("config.json")]
    assert [p for p in files if p.suffix == ".log" and p.parent.name == "logs"]
    found = [(p.name, canary) for p in files for canary in leaks(p.read_bytes(), (*SECRETS, *WORDS, WRONG))]

    assert found == []
    assert leaks(scene.gateway.output.encode(), (*SECRETS, *WORDS, WRONG)) == []


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["status", "--json"],
        ["config", "show"],
        ["config", "show", "--json"],
        ["config", "check"],
        ["providers", "list"],
        ["route", "explain", "{request}"],
        ["models"],
    ],
    ids=" ".join,
)
def test_no_command_shows_a_secret(scene: Scene, command: list[str], tmp_path: Path) -> None:
    asked = tmp_path / "request.json"
    asked.write_bytes(msgspec.json.encode(request("good")))
    home = str(scene.gateway.home)
    done = subprocess.run(
        [*gateway_command(), *(part.format(request=asked) for part in command)],
        env={"PATH": "/usr/bin:/bin", "HOME": home, "CCR_HOME": home, "SOME_TOKEN": ENVIRONMENT},
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert done.stdout + done.stderr
    assert leaks(done.stdout + done.stderr, SECRETS) == []


def test_no_process_of_ours_shows_a_secret_to_the_neighbours(scene: Scene) -> None:
    proc = Path("/proc")
    if not proc.is_dir():
        pytest.skip("this system has no /proc")
    ours = [scene.gateway.pid]
    for pid in ours:
        for task in (proc / str(pid) / "task").iterdir():
            ours += [int(child) for child in (task / "children").read_text().split()]

    assert len(ours) > 1
    assert [pid for pid in ours if leaks((proc / str(pid) / "cmdline").read_bytes(), SECRETS)] == []


def test_every_request_has_its_one_line(scene: Scene) -> None:
    assert everything_is_logged(scene)
    ids = ids_in_the_log(scene)
    assert len(ids) == len(set(ids))


def test_everything_that_it_wrote_is_for_its_owner_alone(scene: Scene) -> None:
    home = scene.gateway.home
    ours = [
        path for path in home.rglob("*") if path not in {scene.gateway.log_path, scene.gateway.config_path}
    ]
    wide = [(path.name, oct(path.stat().st_mode)) for path in ours if path.stat().st_mode & 0o077]

    assert {path.suffix for path in ours} >= {".log", ".pid", ".sock"}
    assert wide == []
