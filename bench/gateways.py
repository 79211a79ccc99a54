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
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent
BIN = HERE / "bin"
CCR = Path(sys.executable).parent / "ccr"
KEY = "sk-bench-0123456789abcdef"

MOST_IN_FLIGHT = 6000
"""`Limits.maxInFlight` of our gateway here: the crowds are up to 5000."""

MODEL = "claude-sonnet-4-5"
ANTHROPIC_PATH, CHAT_PATH = "/v1/messages", "/v1/chat/completions"


@dataclass(frozen=True)
class Door:
    """How a gateway is asked for one path: the model's name, the dialect (anthropic or chat), further headers."""

    model: str
    dialect: str = "anthropic"
    prefix: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.prefix + (ANTHROPIC_PATH if self.dialect == "anthropic" else CHAT_PATH)


@dataclass(frozen=True)
class Gateway:
    """Something that listens. Without a process id its CPU and memory are not measured.

    `doors` by path (relay, translate): where it has none, it is not measured.
    """

    name: str
    port: int
    doors: dict[str, Door]
    pid: int = 0

    @classmethod
    def parse(cls, text: str) -> Gateway:
        """NAME=BASE_URL[,pid=N][,model=M]; a bare number is a process id."""
        name, _, rest = text.partition("=")
        url, *options = rest.split(",", 2)
        given = dict(option.split("=", 1) if "=" in option else ("pid", option) for option in options)
        parts = urlsplit(url)
        if not name or parts.hostname not in {"127.0.0.1", "localhost"}:
            raise SystemExit(f"{text}: NAME=http://127.0.0.1:PORT[/prefix][,pid=N][,model=M]")
        door = Door(given.get("model", MODEL), prefix=parts.path.rstrip("/"))
        return cls(name, parts.port or 80, {"relay": door, "translate": door}, int(given.get("pid", 0)))


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
            yield Gateway("direct", int(line), {"relay": Door(MODEL), "translate": Door(MODEL)}, process.pid)
        finally:
            process.kill()


def load(arguments: list[object], limit: float, look: Callable[[], None] | None = None) -> dict[str, Any]:
    """Run the load generator, `look` four times a second meanwhile. `limit` in seconds."""
    command = [str(BIN / "load"), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + limit
        try:
            while look is not None and process.poll() is None and time.monotonic() < end:
                look()
                time.sleep(0.25)
            said, _ = process.communicate(timeout=max(1.0, end - time.monotonic()))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    found: dict[str, Any] = json.loads(said)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings(port: int, upstream: int, workers: int) -> dict[str, Any]:
    """Everything on: a key, the log in its file, the rules with a long context route, so that the router has to count.

    Usage is tracked always. Spans have no exporter in the configuration, so none are recorded.
    """
    base = f"http://127.0.0.1:{upstream}"

    def provider(name: str, path: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "api_base_url": f"{base}{path}", "api_key": "k", "models": ["m1"], **more}

    return {
        "HOST": "127.0.0.1",
        "PORT": port,
        "APIKEY": KEY,
        "LOG": True,
        "LOG_LEVEL": "info",
        "Admin": {"workers": workers},
        "Limits": {"maxInFlight": MOST_IN_FLIGHT},
        "Providers": [
            provider("oai", CHAT_PATH),
            provider("ant", ANTHROPIC_PATH, transformer={"use": ["Anthropic"]}),
        ],
        "Router": {"default": "oai,m1", "longContext": "oai,m1", "longContextThreshold": 60_000},
    }


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"HOME": str(home), "CCR_HOME": str(home / "ccr"), "NO_PROXY": "*"}


@contextlib.contextmanager
def ours(home: Path, upstream: int, *, workers: int = 1, name: str = "ccr") -> Iterator[Gateway]:
    """`ccr start` with a home of its own: in the background, as it is used, where lines go to the log file alone."""
    port, folder = free_port(), home / "ccr"
    folder.mkdir(mode=0o700, parents=True)
    (folder / "config.json").write_text(json.dumps(settings(port, upstream, workers), indent=2))
    (folder / "config.json").chmod(0o600)
    try:
        ccr(home, "start")
        status = json.loads(ccr(home, "status", "--json"))
        until(status["address"] + "/health", 30)
        key = {"x_api_key": KEY}
        doors = {"relay": Door("ant,m1", headers=key), "translate": Door(MODEL, headers=key)}
        yield Gateway(name, port, doors, status["parent_pid"])
    finally:
        with contextlib.suppress(SystemExit):
            ccr(home, "stop", "--now")


def ccr(home: Path, *words: str) -> str:
    done = subprocess.run(
        [CCR, *words],
        env=environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"ccr {' '.join(words)}: {done.stdout}{done.stderr}"[-3000:])
    return done.stdout


def until(url: str, seconds: float, process: subprocess.Popen[bytes] | None = None) -> bool:
    """Wait until somebody answers there, whatever the answer; False when not in time, or the process has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def end(process: subprocess.Popen[bytes], seconds: float = 5) -> None:
    """End a process that was started in a session of its own, and whatever it started there."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(seconds)


def child_cpu_ms(command: list[str], home: Path, times: int) -> float:
    """CPU time of one run of a command, median."""
    spent = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment(home), cwd=home, capture_output=True, check=False, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return sorted(spent)[times // 2]
