"""The real process, spoken to over plain sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.gateway_process import GatewayProcess
from tests.support.stage import KINDS, Stage, open_stage

QUICK = {
    "Timeouts": {
        "firstByteMs": 700,
        "idleMs": 700,
        "commitAfterMs": 150,
        "keepAliveMs": 100,
        "connectMs": 500,
    }
}


@pytest.fixture(scope="session", params=KINDS)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway with short time limits before a scripted upstream."""
    kind = str(request.param)
    with open_stage(kind, tmp_path_factory.mktemp(f"http-{kind}"), config=QUICK) as opened:
        yield opened


@pytest.fixture(scope="session", params=KINDS)
def patient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway with the time limits that people have: for a crowd, which a busy machine serves slowly."""
    kind = str(request.param)
    with open_stage(kind, tmp_path_factory.mktemp(f"patient-{kind}")) as opened:
        yield opened


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway with a key and the built-in provider only."""
    config = {"APIKEY": "the-right-key-123", "Router": {"default": "demo,demo"}}
    with GatewayProcess(tmp_path_factory.mktemp("http-demo"), config) as gateway:
        yield gateway


@pytest.fixture
def client(stage: Stage) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stage.base_url, timeout=20, trust_env=False) as opened:
        yield opened


def body(**changes: Any) -> dict[str, Any]:
    """Return a small request."""
    return {
        "model": "up,m-main",
        "max_tokens": 500,
        "stream": True,
        "messages": [{"role": "user", "content": "hello"}],
        **changes,
    }


def eventually(check: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until ``check`` holds."""
    until = time.monotonic() + seconds
    while not check():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def fresh_home(tmp_path: Path) -> Path:
    return tmp_path / "home"
