"""Connections that do nothing, and more of them than there are descriptors."""

from __future__ import annotations

import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.integration.http.conftest import body, eventually
from tests.support.gateway_process import GatewayProcess

CONFIG = {"Router": {"default": "demo,demo"}}
_IDLE = 2_000


@contextmanager
def _files(soft: int, hard: int) -> Iterator[None]:
    """Children started within may have so many descriptors."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, min(hard, before[1])))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[0], resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def _connected(stack: ExitStack, port: int, count: int) -> list[socket.socket]:
    made = []
    for _ in range(count):
        one = stack.enter_context(socket.socket())
        one.settimeout(5)
        one.connect(("127.0.0.1", port))
        made.append(one)
    return made


def _asked(gateway: GatewayProcess) -> int:
    asked = body(model="claude-x", stream=False)
    reply = httpx.post(f"{gateway.base_url}/v1/messages", json=asked, trust_env=False, timeout=20)
    return reply.status_code


def test_two_thousand_connections_that_say_nothing_are_in_nobodys_way(tmp_path: Path) -> None:
    with _files(8192, 1 << 20), GatewayProcess(tmp_path / "home", CONFIG) as gateway, ExitStack() as stack:
        _connected(stack, gateway.port, _IDLE)

        assert [_asked(gateway) for _ in range(3)] == [200] * 3
        assert httpx.get(f"{gateway.base_url}/health", trust_env=False, timeout=20).status_code == 200


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc, to see what a process uses")
def test_more_connections_than_descriptors_are_waited_out(tmp_path: Path) -> None:
    """Some wait in the kernel; nothing spins, nothing dies, and it serves again when they have gone."""
    home = tmp_path / "home"
    made = GatewayProcess(home, CONFIG)
    # In a shell of its own: a hard limit cannot be raised again.
    script = 'ulimit -n 96; exec "$@"'
    started = _start_limited(made, script)
    try:
        worker = httpx.get(f"{made.base_url}/api/status", trust_env=False).json()["pid"]
        assert _asked(made) == 200
        with ExitStack() as stack:
            _connected(stack, made.port, 200)
            time.sleep(1)
            before = _cpu_seconds(worker)
            time.sleep(2)
            used = _cpu_seconds(worker) - before
            assert used < 1.5, "it must not spin"
            assert started.poll() is None
        assert eventually(lambda: _answers(made), seconds=20)
        assert httpx.get(f"{made.base_url}/api/status", trust_env=False).json()["pid"] == worker
    finally:
        started.terminate()
        started.wait(20)


def _start_limited(made: GatewayProcess, script: str) -> subprocess.Popen[bytes]:
    import os

    from tests.support.gateway_process import gateway_command

    made.home.mkdir(parents=True)
    made.write_config(made.config or {})
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(made.home),
        "CCR_HOME": str(made.home),
        "LANG": "C.UTF-8",
    }
    process = subprocess.Popen(
        ["/bin/sh", "-c", script, "sh", *gateway_command(), "start", "--foreground"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert eventually(lambda: made.status_of("/ready") == 200, seconds=30)
    return process


def _answers(made: GatewayProcess) -> bool:
    try:
        return _asked(made) == 200
    except httpx.HTTPError:
        return False
