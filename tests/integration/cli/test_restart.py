"""`ccr restart` loses nothing: new requests go to the new server, open ones end with the old, failures change nothing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Self

from ccr.adapters.system.fleet import reachable
from tests.integration.cli.conftest import Home
from tests.integration.cli.test_service import get, wait_for
from tests.support.fake_openai import FakeOpenAI
from tests.support.gateway_process import free_port, provider_entry
from tests.support.scripts import text

_BODY = '{"model":"claude-x","max_tokens":99,"stream":true,"messages":[{"role":"user","content":"go"}]}'
_JSON = {"content-type": "application/json"}


def _configure(home: Home, upstream: FakeOpenAI, **more: object) -> None:
    home.configure(
        {"Providers": [provider_entry("up", upstream, ["m"])], "Router": {"default": "up,m"}, **more}
    )


def _opened(home: Home, port: int = 0) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port or home.port, timeout=60)
    connection.request("POST", "/v1/messages", _BODY, _JSON)
    response = connection.getresponse()
    assert response.status == 200
    response.readline()
    return connection, response


def _workers(parent: int) -> set[int]:
    """The children of the parent, as the kernel knows them."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii")
    return set(map(int, children.split()))


class _Callers:
    """Four threads that ask for short replies over new connections, one after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.good = 0
        self.bad: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(4)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self) -> None:
        while not self._over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                connection.request("POST", "/v1/messages", _BODY, _JSON)
                response = connection.getresponse()
                said = response.read()
                if response.status == 200 and b"message_stop" in said:
                    self.good += 1
                else:
                    self.bad.append(f"{response.status} {said[-200:]!r}")
            except (OSError, http.client.HTTPException) as error:
                self.bad.append(repr(error))
            finally:
                connection.close()


def test_no_stream_and_no_request_is_lost(home: Home) -> None:
    """Three restarts under load, with a stream open across all of them."""
    long, short = text(" ".join(["word"] * 24)).dripping(0.35), text("short")
    with FakeOpenAI(lambda _seen, n: long if n == 0 else short, key="k", models=("m",)) as upstream:
        _configure(home, upstream, Admin={"workers": 2})
        assert home.run("start").returncode == 0
        parent = int(home.pid_file.read_text())
        connection, response = _opened(home)
        seen = set(_workers(parent))
        with _Callers(home.port) as callers:
            for _ in range(3):
                time.sleep(0.3)
                done = home.run("restart")
                assert done.returncode == 0, done.stderr
                assert "Open requests (" in done.stderr
                seen |= _workers(parent)
        rest = response.read()
        connection.close()

    assert callers.bad == []
    assert callers.good > 10
    assert b"message_stop" in rest
    assert int(home.pid_file.read_text()) == parent
    assert len(seen) >= 8, "each restart has workers of its own"
    wait_for(lambda: len(_workers(parent)) == 2)


def test_a_drained_gateway_takes_work_again(home: Home) -> None:
    home.run("start")
    home.run("drain")
    assert get(home.port, "/ready") == 503

    assert home.run("restart").returncode == 0
    assert home.json("status")["draining"] is False


def test_without_a_gateway_one_is_started(home: Home) -> None:
    done = home.run("restart")

    assert done.returncode == 0
    assert get(home.port, "/ready") == 200


def test_the_environment_of_the_shell_is_the_new_one(home: Home) -> None:
    with FakeOpenAI(lambda _seen, _n: text("hi"), key="right", models=("m",)) as upstream:
        entry = {**provider_entry("up", upstream, ["m"]), "api_key": "$UP_KEY"}
        home.configure({"Providers": [entry], "Router": {"default": "up,m"}})
        assert home.run("start", env={"UP_KEY": "wrong"}).returncode == 0

        assert home.run("restart", env={"UP_KEY": "right"}).returncode == 0
        connection, response = _opened(home)
        assert b"message_stop" in response.read()
        connection.close()


def test_a_new_server_that_fails_leaves_the_old_one(home: Home) -> None:
    long = text("one two three four five six").dripping(0.3)
    with FakeOpenAI(lambda _seen, _n: long, key="k", models=("m",)) as upstream:
        _configure(home, upstream)
        home.run("start")
        worker = home.json("status")["pid"]
        connection, response = _opened(home)
        wrong = {**provider_entry("up", upstream, ["m"]), "transformer": {"use": [["maxtoken", {"no": 1}]]}}
        home.configure({"Providers": [wrong], "Router": {"default": "up,m"}})

        done = home.run("restart")

        assert done.returncode == 78, done.stdout
        assert "was not restarted" in done.stderr
        assert home.json("status")["pid"] == worker
        assert b"message_stop" in response.read()
        connection.close()
        # It is as whole as before: a worker that dies comes back, a restart and a stop work.
        _configure(home, upstream)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: home.json("status").get("pid", worker) != worker)
        assert home.run("restart").returncode == 0
        assert home.run("stop").returncode == 0
    assert get(home.port, "/health") == 0


def test_it_moves_to_another_port(home: Home) -> None:
    long = text("one two three four five six").dripping(0.3)
    port = free_port()
    with FakeOpenAI(lambda _seen, _n: long, key="k", models=("m",)) as upstream:
        _configure(home, upstream)
        home.run("start")
        connection, response = _opened(home)

        done = home.run("restart", "--port", str(port))

        assert done.returncode == 0, done.stderr
        assert f"http://127.0.0.1:{port}" in done.stdout
        assert get(port, "/ready") == 200
        wait_for(lambda: get(home.port, "/health") == 0)
        assert b"message_stop" in response.read()
        connection.close()
    assert home.json("status")["address"] == f"http://127.0.0.1:{port}"


def test_a_port_that_is_taken_changes_nothing(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    try:
        assert other.run("start").returncode == 0
        home.run("start")
        worker = home.json("status")["pid"]

        done = home.run("restart", "--port", str(other.port))

        assert done.returncode == 1
        assert "taken" in done.stderr
        assert home.json("status")["pid"] == worker
        assert get(home.port, "/ready") == 200
    finally:
        other.close()


def test_a_stop_ends_those_who_are_leaving_too(home: Home) -> None:
    stalled = text("one two three").stalled(2)
    with FakeOpenAI(lambda _seen, _n: stalled, key="k", models=("m",)) as upstream:
        _configure(home, upstream)
        home.run("start")
        parent = int(home.pid_file.read_text())
        connection, _ = _opened(home)
        assert home.run("restart").returncode == 0
        workers = _workers(parent)
        assert len(workers) == 2, "the old one still has its stream"

        assert home.run("stop", "--now").returncode == 0
        connection.close()
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_what_is_no_renewal_is_refused(home: Home) -> None:
    """Nobody but this user reaches the socket; all the same it takes no nonsense."""
    import socket

    home.run("start")
    worker = home.json("status")["pid"]
    with socket.socket(socket.AF_UNIX) as talk:
        talk.settimeout(10)
        talk.connect(str(reachable(home.ccr_home / "state" / "ccr.sock")))
        reader = talk.makefile("rb")
        wrongs: tuple[dict[str, object], ...] = (
            {},
            {"command": [], "environment": {}},
            {"command": ["x"], "environment": {}, "service": "{}"},
        )
        for wrong in wrongs:
            talk.sendall(json.dumps({"renew": wrong}).encode() + b"\n")
            assert json.loads(reader.readline()) == {"renewing": False}

    assert home.json("status")["pid"] == worker


def test_a_worker_that_holds_too_much_is_replaced_and_its_stream_goes_on(home: Home) -> None:
    long = text(" ".join(["word"] * 30)).dripping(0.3)
    with FakeOpenAI(lambda _seen, _n: long, key="k", models=("m",)) as upstream:
        # Less than a worker needs: every one is too big.
        _configure(home, upstream, Limits={"workerMemoryMb": 10})
        home.run("start")
        worker = home.json("status")["pid"]
        connection, response = _opened(home)

        wait_for(lambda: home.json("status").get("pid", worker) != worker)
        assert get(home.port, "/ready") == 200
        assert b"message_stop" in response.read()
        connection.close()
        second = home.json("status")["pid"]
        time.sleep(4)
        assert home.json("status")["pid"] == second, "not again and again"
    assert "holds more than 10 MB" in (home.ccr_home / "logs" / "service.log").read_text()
