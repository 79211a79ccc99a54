"""Starting what is measured: the mock, the load, our own gateway; naming what others started."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent
BIN = HERE / "bin"
CCR = Path(sys.executable).parent / "ccr"


@dataclass(frozen=True)
class Gateway:
    """Something with a base URL. Without a process id its CPU and memory are not measured."""

    name: str
    port: int
    prefix: str = ""
    pid: int = 0
    model: str = ""
    ours: bool = False

    @classmethod
    def parse(cls, text: str) -> Gateway:
        """NAME=BASE_URL[,pid=N][,model=M]; a bare number is a process id."""
        name, _, rest = text.partition("=")
        url, *options = rest.split(",", 2)
        given = dict(option.split("=", 1) if "=" in option else ("pid", option) for option in options)
        parts = urlsplit(url)
        if not name or parts.hostname not in {"127.0.0.1", "localhost"}:
            raise SystemExit(f"{text}: NAME=http://127.0.0.1:PORT[/prefix][,pid=N][,model=M]")
        port = parts.port or 80
        return cls(name, port, parts.path.rstrip("/"), int(given.get("pid", 0)), given.get("model", ""))


def compile_programs() -> None:
    BIN.mkdir(exist_ok=True)
    for name in ("mock", "load"):
        source, program = HERE / f"{name}.c", BIN / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["gcc", "-O2", "-o", program, source], check=True)


@contextlib.contextmanager
def mock(port: int) -> Iterator[Gateway]:
    with subprocess.Popen([BIN / "mock", str(port)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline().strip()
            if not line:
                raise SystemExit("the mock did not start")
            yield Gateway("direct", int(line), pid=process.pid)
        finally:
            process.kill()


def load(
    gateway: Gateway,
    path: str,
    connections: int,
    requests: int,
    files: tuple[Path, Path],
    marks: tuple[str, str],
    seconds: float,
) -> dict[str, Any]:
    arguments = [
        BIN / "load",
        gateway.port,
        gateway.prefix + path,
        connections,
        requests,
        *files,
        *marks,
        seconds,
    ]
    done = subprocess.run(
        list(map(str, arguments)), capture_output=True, text=True, check=True, timeout=seconds + 30
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings(port: int, upstream: int) -> dict[str, Any]:
    """Two dialects, each also in slow motion; a long context route, so that the router has to count."""
    base = f"http://127.0.0.1:{upstream}"

    def provider(name: str, path: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "api_base_url": f"{base}{path}", "api_key": "k", "models": ["m1"], **more}

    anthropic = {"transformer": {"use": ["Anthropic"]}}
    return {
        "HOST": "127.0.0.1",
        "PORT": port,
        "LOG": False,
        "Providers": [
            provider("oai", "/v1/chat/completions"),
            provider("ant", "/v1/messages", **anthropic),
            provider("oaip", "/paced/v1/chat/completions"),
            provider("antp", "/paced/v1/messages", **anthropic),
        ],
        "Router": {"default": "oai,m1", "longContext": "oai,m1", "longContextThreshold": 60_000},
    }


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"HOME": str(home), "CCR_HOME": str(home / "ccr"), "NO_PROXY": "*"}


@contextlib.contextmanager
def ours(home: Path, upstream: int) -> Iterator[Gateway]:
    """`ccr start --foreground` with a home of its own."""
    port, folder = free_port(), home / "ccr"
    folder.mkdir(mode=0o700)
    (folder / "config.json").write_text(json.dumps(settings(port, upstream), indent=2))
    (folder / "config.json").chmod(0o600)
    log = home / "ccr.out"
    with (
        log.open("wb") as sink,
        subprocess.Popen(
            [CCR, "start", "--foreground"],
            env=environment(home),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_until_healthy(process, port, log)
            yield Gateway("ccr", port, pid=process.pid, ours=True)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"ccr did not start:\n{log.read_text()[-3000:]}")


def child_cpu_ms(command: list[str], home: Path, times: int) -> float:
    """CPU time of one run of a command, median."""
    spent = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment(home), cwd=home, capture_output=True, check=False, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return sorted(spent)[times // 2]
