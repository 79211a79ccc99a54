"""Start, stop, status: by the lock and by HTTP, whatever files say."""

from __future__ import annotations

import http.client
import http.server
import os
import pty
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Home
from tests.support.fake_openai import FakeOpenAI
from tests.support.gateway_process import free_port, gateway_command, provider_entry
from tests.support.scripts import text


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def wait_for(what: object, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not what():  # type: ignore[operator]  # a callable
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def test_a_fresh_machine_starts_reports_and_stops(home: Home) -> None:
    started = home.run("start")
    config = home.ccr_home / "config.json"

    assert started.returncode == 0, started.stderr
    assert f"ready at {home.url}" in started.stdout
    assert "default" in started.stdout
    assert "demo,demo" in started.stdout
    assert str(config) in started.stdout
    assert "ccr code" in started.stdout
    assert oct(config.stat().st_mode & 0o777) == "0o600"

    status = home.json("status")
    assert status["ready"] is True
    assert status["address"] == home.url
    assert status["routes"]["default"] == "demo,demo"
    assert str(status["parent_pid"]) == home.pid_file.read_text()

    again = home.run("start")
    assert again.returncode == 0
    assert "already runs" in again.stdout

    stopped = home.run("stop")
    assert stopped.returncode == 0
    assert get(home.port, "/health") == 0
    assert not home.pid_file.exists()
    assert home.run("status").returncode == 3
    assert home.run("stop").returncode == 3
    assert home.run("drain").returncode == 3


def test_two_starts_at_once_make_one_gateway(home: Home) -> None:
    starts = [home.begin("start") for _ in range(3)]
    outputs = [start.communicate(timeout=60)[0] for start in starts]

    assert [start.returncode for start in starts] == [0, 0, 0], outputs
    assert get(home.port, "/ready") == 200
    assert all(home.url in output for output in outputs), outputs


def test_two_homes_at_once_do_not_share_a_port(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.environment["SERVICE_PORT"] = str(home.port)
    starts = [one.begin("start") for one in (home, other)]
    outputs = [start.communicate(timeout=60)[0] for start in starts]
    try:
        assert sorted(start.returncode for start in starts) == [0, 1], outputs
        assert any(f"port {home.port}" in output and "taken" in output for output in outputs)
    finally:
        other.close()


def test_a_stale_pid_file_is_no_gateway(home: Home) -> None:
    home.pid_file.parent.mkdir(parents=True)
    home.pid_file.write_text(str(os.getpid()))  # alive, and not ours

    assert home.run("status").returncode == 3
    stopped = home.run("stop")
    assert stopped.returncode == 3
    assert "stale" in stopped.stderr
    assert home.run("start").returncode == 0
    assert get(home.port, "/ready") == 200


def test_a_foreign_process_on_the_port_is_named(home: Home) -> None:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", home.port), Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        for words in (["start"], ["start", "--foreground"]):
            done = home.run(*words)

            assert done.returncode == 1
            assert f"port {home.port} is taken by" in done.stderr
            assert f"pid {os.getpid()}" in done.stderr
            assert "ccr start --port" in done.stderr
        assert home.run("status").returncode == 3
    finally:
        server.shutdown()
        server.server_close()


def test_port_option_wins(home: Home) -> None:
    port = free_port()

    done = home.run("start", "--port", str(port))

    assert f"http://127.0.0.1:{port}" in done.stdout
    assert home.json("status")["address"] == f"http://127.0.0.1:{port}"


def test_a_broken_configuration_says_everything_with_positions(home: Home) -> None:
    path = home.configure('{\n  "PORT": "many",\n  "LOG_LEVEL": "loud"\n}')

    for words in (
        ["start"],
        ["start", "--foreground"],
        ["config", "check"],
        ["restart"],
        ["code", "-p", "x"],
    ):
        done = home.run(*words)

        assert done.returncode == 78, words
        assert f"{path}:2:" in done.stderr
        assert f"{path}:3:" in done.stderr


def test_a_problem_that_only_the_server_finds_ends_the_start_with_the_same_code(home: Home) -> None:
    provider = {
        "name": "up",
        "api_base_url": "http://127.0.0.1:9/v1/chat/completions",
        "api_key": "k",
        "models": ["m"],
        "transformer": {"use": [["maxtoken", {"max_tokenz": 5}]]},
    }
    path = home.configure({"Providers": [provider], "Router": {"default": "up,m"}})

    for words in (["start"], ["start", "--foreground"], ["config", "check"]):
        done = home.run(*words)

        assert done.returncode == 78, done.stderr
        assert f"{path}:1:" in done.stderr
        assert "max_tokenz" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_without_write_permission_is_a_sentence(home: Home) -> None:
    home.folder.chmod(0o500)
    try:
        done = home.run("start", env={"CCR_HOME": str(home.folder / "x")})
    finally:
        home.folder.chmod(0o700)

    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "CCR_HOME" in done.stderr


def test_a_home_below_a_file_is_a_sentence(home: Home) -> None:
    (home.folder / "file").write_text("")

    for words in (["start"], ["init"], ["start", "--foreground"]):
        done = home.run(*words, env={"CCR_HOME": str(home.folder / "file" / "x")})

        assert done.returncode == 1
        assert "cannot write" in done.stderr
        assert "CCR_HOME" in done.stderr


def test_ctrl_c_in_a_terminal_ends_the_gateway_in_order(home: Home) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(gateway_command()[0], [*gateway_command(), "start", "--foreground"], home.environment)
    output = b""
    while b"Claude Code" not in output:
        output += os.read(terminal, 65536)
    assert get(home.port, "/ready") == 200

    os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)

    assert os.waitstatus_to_exitcode(status) == 0
    assert get(home.port, "/health") == 0
    assert not home.pid_file.exists()


def test_a_worker_that_dies_is_replaced(home: Home) -> None:
    home.run("start")
    worker = home.json("status")["pid"]

    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: home.json("status").get("pid", worker) != worker)

    assert get(home.port, "/ready") == 200


def test_workers_end_with_a_parent_that_was_killed(home: Home) -> None:
    home.run("start")

    os.kill(int(home.pid_file.read_text()), signal.SIGKILL)
    wait_for(lambda: get(home.port, "/health") == 0)

    assert home.run("start").returncode == 0


def _stream(
    home: Home, upstream: FakeOpenAI, **more: object
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    home.configure(
        {"Providers": [provider_entry("up", upstream, ["m"])], "Router": {"default": "up,m"}, **more}
    )
    assert home.run("start").returncode == 0
    connection = http.client.HTTPConnection("127.0.0.1", home.port, timeout=30)
    body = '{"model":"claude-x","max_tokens":99,"stream":true,"messages":[{"role":"user","content":"go"}]}'
    connection.request("POST", "/v1/messages", body, {"content-type": "application/json"})
    response = connection.getresponse()
    assert response.status == 200
    response.readline()
    return connection, response


def test_stop_lets_a_stream_end(home: Home) -> None:
    script = text("one two three four five six").dripping(0.3)
    with FakeOpenAI(lambda _seen, _n: script, key="k", models=("m",)) as upstream:
        connection, response = _stream(home, upstream)
        stopping = home.begin("stop")
        wait_for(lambda: get(home.port, "/ready") != 200)
        rest = response.read()
        output, _ = stopping.communicate(timeout=60)
        connection.close()

    assert b"message_stop" in rest
    assert stopping.returncode == 0, output


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_who_comes_while_the_last_stream_ends_is_refused_and_not_kept_waiting(home: Home) -> None:
    script = text("one two three four five six").dripping(1.0)
    with FakeOpenAI(lambda _seen, _n: script, key="k", models=("m",)) as upstream:
        connection, response = _stream(home, upstream)
        stopping = home.begin("stop")
        wait_for(lambda: _is_refused(home.port))
        under_way = not upstream.model_requests[0].finished
        rest = response.read()
        stopping.communicate(timeout=60)
        connection.close()

    assert under_way
    assert b"message_stop" in rest


def test_stop_now_cuts_a_stream(home: Home) -> None:
    script = text("one two three four five six").stalled(3)
    with FakeOpenAI(lambda _seen, _n: script, key="k", models=("m",)) as upstream:
        connection, response = _stream(home, upstream)
        began = time.monotonic()
        done = home.run("stop", "--now")
        rest = response.read()
        connection.close()

    assert done.returncode == 0
    assert rest.count(b"event: error") == 1
    assert time.monotonic() - began < 10
    assert get(home.port, "/health") == 0


def test_a_stream_that_does_not_end_is_cut_after_the_drain_timeout(home: Home) -> None:
    script = text("one two three four five six").stalled(3)
    with FakeOpenAI(lambda _seen, _n: script, key="k", models=("m",)) as upstream:
        connection, response = _stream(home, upstream, Timeouts={"drainMs": 500})
        began = time.monotonic()
        done = home.run("stop")
        rest = response.read()
        connection.close()

    assert done.returncode == 0
    assert rest.count(b"event: error") == 1
    assert b"message_stop" not in rest
    assert "Waiting" in done.stderr or time.monotonic() - began < 2
    assert time.monotonic() - began < 5


def test_an_idle_connection_does_not_hold_up_the_end(home: Home) -> None:
    home.run("start")
    connection = http.client.HTTPConnection("127.0.0.1", home.port, timeout=30)
    connection.request("GET", "/health")
    connection.getresponse().read()
    began = time.monotonic()

    done = home.run("stop")
    connection.close()

    assert done.returncode == 0
    assert time.monotonic() - began < 5


def test_drain_fails_readiness_and_refuses_work(home: Home) -> None:
    home.run("start")

    done = home.json("drain")

    assert done["draining"] is True
    assert get(home.port, "/ready") == 503
    assert get(home.port, "/health") == 200
    assert home.json("status")["draining"] is True


def test_a_start_while_it_drains_says_so(home: Home) -> None:
    home.run("start")
    home.run("drain")

    done = home.run("start", seconds=10)

    assert done.returncode == 1
    assert "ccr restart" in done.stderr


def test_modules_of_the_working_directory_are_not_ours(home: Home) -> None:
    project = home.folder / "project"
    project.mkdir()
    for name in ("json", "asyncio", "ccr", "attrs", "granian"):
        (project / f"{name}.py").write_text("raise RuntimeError('a module of the project was imported')\n")

    assert home.run("start", cwd=project).returncode == 0
    assert home.run("status", cwd=project).returncode == 0


def test_status_and_help_take_little_time(home: Home) -> None:
    """Processor time, the least of five runs, beside what the library of the command line alone costs here."""
    unmeasured = {name: value for name, value in home.environment.items() if not name.startswith("COVERAGE_")}

    def least(*command: str) -> float:
        spent = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, env=unmeasured, cwd=home.folder, capture_output=True, check=False)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(spent)

    home.run("init")
    library = least(sys.executable, "-c", "import rich_click")
    for words in (["--help"], ["status"]):
        assert least(*gateway_command(), *words) < 4 * library, (words, library)


def test_two_workers_drain_together(home: Home) -> None:
    home.configure({"Admin": {"workers": 2}, "Router": {"default": "demo,demo"}})
    started = home.run("start")
    assert started.returncode == 0, started.stderr

    home.run("drain")

    assert {get(home.port, "/ready") for _ in range(20)} == {503}


def test_help_and_status_stay_light(home: Home) -> None:
    heavy = ("litestar", "tiktoken", "granian", "httpx", "msgspec", "opentelemetry", "dependency_injector")
    probe = (
        "import sys; from ccr.entrypoints.cli.main import main; main(sys.argv[1:]);"
        f"sys.stderr.write(repr([name for name in {heavy!r} if name in sys.modules]))"
    )
    for word in ("--help", "status", "env", "version"):
        done = subprocess.run(
            [sys.executable, "-c", probe, word],
            env=home.environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.stderr.endswith("[]"), (word, done.stderr)
