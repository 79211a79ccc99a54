"""What happens to the configuration while the gateway runs: the old one stays until there is a better one."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.integration.http.conftest import body, eventually
from tests.support.gateway_process import GatewayProcess, gateway_command

GOOD: dict[str, Any] = {"Router": {"default": "demo,demo"}, "Admin": {"workers": 1}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("config"), GOOD) as gateway:
        yield gateway


@pytest.fixture
def gateway(running: GatewayProcess) -> Iterator[GatewayProcess]:
    """The same process for all, with its good configuration in force again."""
    yield running
    path = running.config_path
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    running.write_config(GOOD)
    assert eventually(lambda: status(running)["last_error"] == "")


def status(gateway: GatewayProcess) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{gateway.base_url}/api/status", trust_env=False, timeout=30).json()
    return found


def serves(gateway: GatewayProcess) -> bool:
    asked = body(model="claude-x", stream=False)
    return (
        httpx.post(f"{gateway.base_url}/v1/messages", json=asked, trust_env=False, timeout=20).status_code
        == 200
    )


def _provider(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "api_base_url": "http://127.0.0.1:9/v1/chat/completions",
        "api_key": "k",
        "models": ["m"],
    }


WRONG: dict[str, tuple[str, str]] = {
    "a syntax error": ('{"PORT": 1,,}', "config.json:1:"),
    "a wrong type": ('{\n  "Providers": "none"\n}', "config.json:2:"),
    "an unknown provider in a route": ('{\n"Router": {\n"default": "nobody,m"}}', "config.json:3:"),
    "two providers of one name": (
        msgspec.json.encode({"Providers": [_provider("a"), _provider("a")]}).decode(),
        "config.json:1:",
    ),
    "a variable that is not set": ('{\n"APIKEY": "$CCR_TEST_NOT_SET"}', "CCR_TEST_NOT_SET"),
    "nothing": ("", "config.json"),
    "a number that is none": ('{"LOG_LEVEL": NaN}', "config.json:1:"),
    "a page": ("<html><body>not found</body></html>", "config.json:1:"),
    "deep nesting": ("[" * 100_000, "config.json:1:"),
    "no text": ("\x00\x01\x02", "config.json:1:"),
}


@pytest.mark.parametrize("text, says", WRONG.values(), ids=WRONG)
def test_a_wrong_configuration_is_refused_and_the_old_one_stays(
    gateway: GatewayProcess, text: str, says: str
) -> None:
    revision = status(gateway)["revision"]

    gateway.config_path.write_text(text)

    assert eventually(lambda: bool(status(gateway)["last_error"]))
    assert says in status(gateway)["last_error"]
    assert status(gateway)["revision"] == revision
    assert serves(gateway)


def _gone(path: Path) -> None:
    path.unlink()


def _a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


@pytest.mark.parametrize("happens", [_gone, _a_directory, _a_link_to_nothing], ids=lambda one: one.__name__)
def test_a_file_that_is_none_any_more_changes_nothing(
    gateway: GatewayProcess, happens: Callable[[Path], None]
) -> None:
    revision = status(gateway)["revision"]

    happens(gateway.config_path)

    assert eventually(lambda: bool(status(gateway)["last_error"]))
    assert status(gateway)["revision"] == revision
    assert serves(gateway)


def test_a_link_that_leads_elsewhere_is_followed(gateway: GatewayProcess) -> None:
    path = gateway.config_path
    other = path.with_name("other.json")
    other.write_text(
        f'{{"Router": {{"default": "demo,demo"}}, "Limits": {{"maxInFlight": 77}}, "PORT": {gateway.port}}}'
    )
    other.chmod(0o600)
    path.unlink()
    path.symlink_to(other)

    assert eventually(lambda: status(gateway)["max_in_flight"] == 77)


def test_names_of_javascript_are_names_and_of_two_the_last_counts(gateway: GatewayProcess) -> None:
    gateway.config_path.write_text(
        f'{{"__proto__": {{"x": 1}}, "LOG": false, "LOG": true, "PORT": {gateway.port}}}'
    )

    assert eventually(lambda: any("__proto__" in warning for warning in status(gateway)["warnings"]))
    assert any("given twice" in warning for warning in status(gateway)["warnings"])
    assert status(gateway)["last_error"] == ""
    assert serves(gateway)


def test_thousands_of_providers_are_taken_while_requests_are_served(gateway: GatewayProcess) -> None:
    entries = [_provider(f"p{n}") for n in range(3_000)]

    gateway.write_config({**GOOD, "Providers": entries, "Router": {"default": "demo,demo"}})

    waits = []
    while len(status(gateway)["providers"]) < len(entries):
        began = time.monotonic()
        assert serves(gateway)
        waits.append(time.monotonic() - began)
        assert len(waits) < 5_000
    assert len(waits) > 2
    assert statistics.median(waits) < 1.0
    assert serves(gateway)


def test_a_hang_up_reads_the_configuration_again(gateway: GatewayProcess) -> None:
    os.kill(gateway.pid, signal.SIGHUP)

    assert serves(gateway)
    assert status(gateway)["last_error"] == ""


# ------------------------------------------------------------------------------------------- while saving

SAVE = """
import os, sys
from pathlib import Path
fail = int(sys.argv[1])
calls = 0
names = ("open", "write", "fsync", "replace", "close")
real = {name: getattr(os, name) for name in names}

def stub(name):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == fail:
            if sys.argv[2] == "die":
                os.kill(os.getpid(), 9)
            raise OSError(28, "No space left on device")
        return real[name](*args, **kwargs)
    return call

from ccr.adapters.config import files
for name in names:
    setattr(os, name, stub(name))
try:
    files.write_atomically(Path(sys.argv[3]), b"new" * 1000)
finally:
    for name in names:
        setattr(os, name, real[name])
    print(calls, flush=True)
"""


@pytest.mark.parametrize("how", ["die", "fail"])
def test_whatever_call_of_the_kernel_a_save_dies_at_there_is_the_old_file_or_the_new(
    tmp_path: Path, how: str
) -> None:
    """``kill -9``, or a full disk, at the n-th call, for every n."""
    path = tmp_path / "config.json"
    old, new = b"old", b"new" * 1000
    seen = set()
    for fail in range(1, 40):
        path.write_bytes(old)
        done = subprocess.run(
            [sys.executable, "-c", SAVE, str(fail), how, str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        found = path.read_bytes()
        assert found in (old, new), (fail, done.stderr)
        if how == "fail" and found == old:
            assert [one.name for one in tmp_path.iterdir()] == ["config.json"], "a half file was left"
        seen.add(found)
        if done.returncode == 0:
            break
        # The next save is not held up by what the last one left.
    else:
        pytest.fail("a save takes more than forty calls?")
    assert seen == {old, new}


def test_a_full_disk_while_saving_is_a_sentence(tmp_path: Path) -> None:
    """A file size limit stands in for the full disk."""
    home = tmp_path / "home"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CCR_HOME": str(home),
        "LANG": "C.UTF-8",
        # The interpreter would leave the first bytes of its own files behind, for everybody.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    home.mkdir()
    subprocess.run([*gateway_command(), "init"], env=environment, check=True, capture_output=True)
    before = (home / "config.json").read_bytes()

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = subprocess.run(
        [*gateway_command(), "model", "--set", "think", "demo,demo"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
    )

    assert done.returncode != 0
    assert "cannot be written: File too large" in done.stderr
    assert "free some space" in done.stderr
    assert (home / "config.json").read_bytes() == before


# ------------------------------------------------------------------------------------------ where it writes


def test_a_log_that_cannot_be_written_does_not_touch_traffic(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with GatewayProcess(home, GOOD) as gateway:
        logs = home / "logs"
        assert serves(gateway)
        for file in logs.iterdir():
            file.unlink()
        logs.rmdir()
        assert serves(gateway)
        with contextlib.suppress(FileExistsError):
            logs.write_text("a file where a directory was")
        assert serves(gateway)
        assert httpx.get(f"{gateway.base_url}/ready", trust_env=False).status_code == 200


def test_a_reader_that_closes_our_output_does_not_end_us(tmp_path: Path) -> None:
    """``ccr start --foreground | head -1``."""
    home = tmp_path / "home"
    made = GatewayProcess(home, {**GOOD, "LOG": True, "LOG_LEVEL": "debug"})
    home.mkdir()
    made.write_config(made.config or {})
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "CCR_HOME": str(home), "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        [*gateway_command(), "start", "--foreground"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
        process.stdout.close()
        for _ in range(5):
            assert serves(made)
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_sigterm_under_a_hundred_streams(tmp_path: Path) -> None:
    """Readiness fails, all of them end as they should, and the exit code is 0."""
    import asyncio

    with GatewayProcess(tmp_path / "home", GOOD) as gateway:

        async def one(client: httpx.AsyncClient) -> str:
            asked = body(model="claude-x", messages=[{"role": "user", "content": "word " * 200}])
            async with client.stream("POST", "/v1/messages", json=asked) as reply:
                return "".join([text async for text in reply.aiter_text()])

        async def all_of_them() -> list[str]:
            limits = httpx.Limits(max_connections=None)
            async with httpx.AsyncClient(
                base_url=gateway.base_url, timeout=60, trust_env=False, limits=limits
            ) as client:
                tasks = [asyncio.create_task(one(client)) for _ in range(100)]
                async with asyncio.timeout(30):
                    while (await client.get("/api/status")).json()["active_requests"] < 50 and not all(
                        task.done() for task in tasks
                    ):
                        await asyncio.sleep(0.01)
                os.kill(gateway.pid, signal.SIGTERM)
                return await asyncio.gather(*tasks)

        replies = asyncio.run(all_of_them())
        code = gateway.stop()

    ends = ["message_stop" in reply or "event: error" in reply or '"error"' in reply for reply in replies]
    assert all(ends)
    assert sum("message_stop" in reply for reply in replies) >= 50
    assert code == 0
