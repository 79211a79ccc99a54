"""The gateways that `make peers` puts beside ours: how each is configured, started and asked.

Each gets a home of its own and a configuration that leads to the mock; where it has logs of requests or telemetry that can be
switched off, they are off, which ours are not. One worker process each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateways import ANTHROPIC_PATH, CHAT_PATH, KEY, Door

HERE = Path(__file__).parent / "peers"
BEARER = {"authorization": f"Bearer {KEY}"}
X_API_KEY = {"x_api_key": KEY}


@dataclass(frozen=True)
class Place:
    """Where a peer lives: its home and configuration, what was installed of it, its port and the mock's."""

    home: Path
    installed: Path
    port: int
    upstream: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.upstream}"

    def write(self, name: str, text: str) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@dataclass(frozen=True)
class Peer:
    """`kind` says where it is from (npm, pip, deb). `floor`: it parses nothing, so it is a yardstick and no rival.
    `counts`: it counts a request's tokens in order to route it, as ours does.

    `command` writes the configuration and returns what starts it; `variables` go into its environment.
    """

    name: str
    folder: str
    kind: str
    version: str
    doors: dict[str, Door]
    command: Callable[[Place], list[str | Path]]
    caveats: str = ""
    language: str = "Node"
    floor: bool = False
    counts: bool = False
    variables: Callable[[Place], dict[str, str]] = lambda _: {}


def nginx(place: Place) -> list[str | Path]:
    temporary = "".join(
        f"  {each}_temp_path {place.home}/{each};\n"
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = f"""daemon off; worker_processes 1; pid {place.home}/nginx.pid; error_log {place.home}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_max_body_size 32m; client_body_buffer_size 1m;
{temporary}  upstream mock {{ server 127.0.0.1:{place.upstream}; keepalive 256; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{place.port}; keepalive_requests 1000000;
    location / {{ proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }}
  }}
}}
"""
    user = "user root;\n" if os.geteuid() == 0 else ""
    configuration = place.write("nginx.conf", user + text)
    return [
        place.installed / "usr/sbin/nginx",
        "-e",
        place.home / "error.log",
        "-p",
        place.home,
        "-c",
        configuration,
    ]


def ancestor(place: Place) -> list[str | Path]:
    provider = {"api_key": "k", "models": ["m1"]}
    settings = {
        "HOST": "127.0.0.1",
        "PORT": place.port,
        "APIKEY": KEY,
        "LOG": False,
        "NON_INTERACTIVE_MODE": True,
        "Providers": [
            {"name": "oai", "api_base_url": place.base + CHAT_PATH, **provider},
            {
                "name": "ant",
                "api_base_url": place.base + ANTHROPIC_PATH,
                **provider,
                "transformer": {"use": ["Anthropic"]},
            },
        ],
        "Router": {"default": "oai,m1", "longContext": "oai,m1", "longContextThreshold": 60_000},
    }
    place.write(".claude-code-router/config.json", json.dumps(settings))
    return ["node", place.installed / "node_modules/@musistudio/claude-code-router/dist/cli.js", "start"]


def portkey(place: Place) -> list[str | Path]:
    program = place.installed / "node_modules/@portkey-ai/gateway/build/start-server.js"
    return ["node", "--import", HERE / "portkey/mutable.mjs", program, f"--port={place.port}", "--headless"]


def portkey_door(upstream: int, provider: str, dialect: str) -> Door:
    return Door(
        "m1",
        dialect,
        headers={
            **BEARER,
            "x_portkey_provider": provider,
            "x_portkey_custom_host": f"http://127.0.0.1:{upstream}/v1",
        },
    )


def lmnr(place: Place) -> list[str | Path]:
    return ["node", HERE / "lmnr/serve.mjs", str(place.port), place.base, place.installed]


def litellm(place: Place) -> list[str | Path]:
    models = [
        {
            "model_name": "m1",
            "litellm_params": {"model": "hosted_vllm/m1", "api_base": f"{place.base}/v1", "api_key": "k"},
        },
        {
            "model_name": "a1",
            "litellm_params": {"model": "anthropic/m1", "api_base": place.base, "api_key": "k"},
        },
    ]
    settings = {
        "model_list": models,
        "litellm_settings": {"telemetry": False},
        "general_settings": {"master_key": KEY},
    }
    path = place.write("litellm.yaml", json.dumps(settings))  # JSON is YAML
    listen = ["--host", "127.0.0.1", "--port", str(place.port), "--num_workers", "1"]
    return [place.installed / "bin/litellm", "--config", path, *listen, "--telemetry", "False"]


def ant2oai(place: Place) -> list[str | Path]:
    given = ["--upstream", place.base + CHAT_PATH, "--model", "m1", "--port", str(place.port)]
    return [place.installed / "bin/a2o", *given]


def agent_wire(place: Place) -> list[str | Path]:
    path = place.write(
        "models.toml",
        f'[proxy]\ndefault_model = "m1"\n[[models]]\nid = "m1"\ntarget = "{place.base}"\n'
        'upstream_api = "chat_completions"\napi_key_env = "UPSTREAM_KEY"\n',
    )
    listen = ["--listen", f"127.0.0.1:{place.port}", "--log", place.home / "log.jsonl"]
    return [place.installed / "bin/agent-wire-proxy", *listen, "--config", path]


def lm_proxy(place: Place) -> list[str | Path]:
    path = place.write(
        "config.toml",
        f'host = "127.0.0.1"\nport = {place.port}\n[connections.up]\napi_type = "open_ai"\napi_base = "{place.base}/v1"\n'
        f'api_key = "k"\n[routing]\n"*" = "up.*"\n[groups.default]\napi_keys = ["{KEY}"]\n',
    )
    return [place.installed / "bin/lm-proxy", "--config", path]


def claude_code_proxy(place: Place) -> list[str | Path]:
    served = f"uvicorn.run(app, host='127.0.0.1', port={place.port}, log_level='error')"
    return [place.installed / "bin/python", "-c", f"import uvicorn\nfrom server.fastapi import app\n{served}"]


def litelitellm(place: Place) -> list[str | Path]:
    return [place.installed / "bin/python", "-m", "litelitellm"]


def peers(upstream: int) -> tuple[Peer, ...]:
    """All of them, before an upstream at this port."""
    both = {
        "translate": Door("claude-sonnet-4-5", headers=X_API_KEY),
        "relay": Door("ant,m1", headers=X_API_KEY),
    }
    to_chat = {"translate": Door("m1", headers=X_API_KEY)}
    offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return (
        Peer(
            "nginx",
            "nginx",
            "deb",
            "1.22.1",
            {"translate": Door("m1", "chat"), "relay": Door("m1")},
            nginx,
            "`proxy_pass`, unbuffered: parses no body, translates nothing; under *translate* it passes chat on. The floor.",
            language="C",
            floor=True,
        ),
        Peer(
            "ccr 2.0.0",
            "ccr-2",
            "npm",
            "2.0.0",
            both,
            ancestor,
            "The ancestor. Counts all tokens of every request.",
            counts=True,
        ),
        Peer(
            "ccr 1.0.73",
            "ccr-1",
            "npm",
            "1.0.73",
            both,
            ancestor,
            "The ancestor's last 1.x, widely installed. Counts all tokens too.",
            counts=True,
        ),
        Peer(
            "Portkey",
            "portkey",
            "npm",
            "1.15.2",
            {
                "translate": portkey_door(upstream, "openai", "chat"),
                "relay": portkey_door(upstream, "anthropic", "anthropic"),
            },
            portkey,
            "Chat in, chat out under *translate*: it does not translate Messages for OpenAI, counts and routes nothing. On Node 20 "
            "all its streams fail; measured with a wrapper at start that makes the headers of fetch's replies changeable. "
            "Waits 25 ms before the first event.",
        ),
        Peer(
            "LiteLLM proxy",
            "litellm",
            "pip",
            "1.106.12",
            {"translate": Door("m1", headers=BEARER), "relay": Door("a1", headers=BEARER)},
            litellm,
            "One worker, no database, master key. The newest version whose `proxy` extra could be installed.",
            language="Python",
            variables=lambda _: offline,
        ),
        Peer(
            "ant2oai",
            "ant2oai",
            "pip",
            "0.1.6",
            to_chat,
            ant2oai,
            "FastAPI and httpx; no key, no routes, no counting.",
            language="Python",
        ),
        Peer(
            "agent-wire-proxy",
            "agent-wire-proxy",
            "pip",
            "0.2.0",
            to_chat,
            agent_wire,
            "A thread for each connection; writes a log of its own that cannot be switched off.",
            language="Python",
            variables=lambda _: {"UPSTREAM_KEY": "k"},
        ),
        Peer(
            "lm-proxy",
            "lm-proxy",
            "pip",
            "3.3.2",
            {"translate": Door("m1", "chat", headers=BEARER)},
            lm_proxy,
            "Chat in, chat out: translates nothing.",
            language="Python",
        ),
        Peer(
            "claude-code-proxy",
            "claude-code-proxy",
            "pip",
            "0.1.5",
            {"translate": Door("claude-sonnet-4-5", headers=X_API_KEY)},
            claude_code_proxy,
            "On top of LiteLLM; no key, no counting.",
            language="Python",
            variables=lambda place: {
                "OPENAI_API_KEY": "k",
                "OPENAI_API_BASE": f"{place.base}/v1",
                "OPENAI_BASE_URL": f"{place.base}/v1",
                "BIG_MODEL": "m1",
                "SMALL_MODEL": "m1",
                **offline,
            },
        ),
        Peer(
            "litelitellm",
            "litelitellm",
            "pip",
            "0.1.3",
            {"relay": Door("m1", headers=X_API_KEY)},
            litelitellm,
            "Passes Messages on, for local use.",
            language="Python",
            variables=lambda place: {
                "ANTHROPIC_API_KEY": "k",
                "ANTHROPIC_API_URL": place.base,
                "LITELITELLM_HOST": "127.0.0.1",
                "LITELITELLM_PORT": str(place.port),
            },
        ),
        Peer(
            "lmnr proxy",
            "lmnr",
            "npm",
            "0.1.24",
            {"relay": Door("m1", headers=X_API_KEY)},
            lmnr,
            "A Rust server in a Node process; passes Messages on and, without a project's key as here, does nothing else.",
            language="Rust",
        ),
    )


NOT_MEASURED = {
    "@musistudio/claude-code-router 3.1.1 (npm)": "cannot be installed: a dependency is not in the registry",
    "@khanglvm/llm-router 2.6.2 (npm)": "cannot be installed: a dependency is not in the registry",
    "@nullplatform/llm-gateway 2.0.11 (npm)": "cannot be installed: no version of a dependency fits",
    "claudish 10.1.1 (npm)": "cannot be installed: no version of a dependency fits",
    "@llmops/gateway 0.6.10 (npm)": "Portkey's code as a library, without a server of its own",
    "clodxy 0.2.3, coding-proxy 0.5.2, claude-bridge 0.1.0 (PyPI)": "have no version for Python 3.11",
}
"""What was tried and left out, and why."""
