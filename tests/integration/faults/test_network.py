"""The network under a real gateway: black holes, names that are none, certificates that are wrong, limits and pings."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path

import httpx
import pytest
from attrs import define, field

from tests.support.certificates import Authority, server_context
from tests.support.faulty.scripts import SCRIPTS
from tests.support.gateway_process import GatewayProcess
from tests.support.leaving import KINDS, Leaver, Scene, at_rest, config, eventually, lines_of
from tests.support.worker import status_of

_KEY = "sk-canary-of-the-network"
_SLACK = 5.0


def ask(
    gateway: GatewayProcess, model: str, *, stream: bool = False, session: str = "network"
) -> httpx.Response:
    body = {
        "model": model,
        "max_tokens": 9,
        "stream": stream,
        "messages": [{"role": "user", "content": f"{session} asks"}],
    }
    headers = {"x-claude-code-session-id": session}
    return httpx.post(
        f"{gateway.base_url}/v1/messages", json=body, headers=headers, timeout=60, trust_env=False
    )


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Scene() as made:
        yield made


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that swallows the first packet of every connection: its accept queue is full, and nobody accepts."""
    with socket.socket() as deaf, ExitStack() as stack:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        yield int(deaf.getsockname()[1])


@define
class Stranger:
    """A server with a certificate. ``heard``: what it could read of what was sent."""

    port: int
    heard: bytearray = field(factory=bytearray)
    handshakes: int = 0


@contextmanager
def stranger(certificate: Path) -> Iterator[Stranger]:
    context = server_context(certificate)
    whole = SCRIPTS["openai_chat"].whole
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(whole)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        made = Stranger(listener.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                made.handshakes += 1
                with raw:
                    raw.settimeout(5)
                    try:
                        with context.wrap_socket(raw, server_side=True) as secure:
                            made.heard += secure.recv(65_536)
                            secure.sendall(answer + whole)
                            secure.recv(1)
                    except (OSError, ssl.SSLError):
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@define
class Far:
    """A gateway, and those to whom it may not get through; ``servers`` by the name of their provider."""

    gateway: GatewayProcess
    servers: dict[str, Stranger]


@pytest.fixture(scope="module")
def far(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    authority = Authority.made(tmp_path_factory.mktemp("authority"))
    certificates = {
        "good": authority.signed("localhost"),
        "expired": authority.signed("localhost", days=-1),
        "of-another": authority.signed("elsewhere.example"),
        "self-signed": authority.self_signed("localhost"),
    }
    with ExitStack() as stack:
        hole = stack.enter_context(black_hole())
        servers = {name: stack.enter_context(stranger(made)) for name, made in certificates.items()}
        urls = {
            "hole": f"http://127.0.0.1:{hole}",
            "nowhere": "http://nosuch.invalid",
            "other": scene.origin,
            **{name: f"https://localhost:{server.port}" for name, server in servers.items()},
        }
        settings = {
            "Providers": [
                {
                    "name": name,
                    "dialect": "openai_chat",
                    "api_base_url": f"{url}/v1/chat/completions",
                    "api_key": _KEY,
                    "models": ["well"],
                }
                for name, url in urls.items()
            ],
            "Router": {"default": ["hole,well", "other,well"]},
            "Failover": {"breakerFailures": 0, "retries": 0},
            "Timeouts": {"connectMs": 600},
        }
        trust = {"SSL_CERT_FILE": str(authority.file)}
        home = tmp_path_factory.mktemp("far")
        yield Far(stack.enter_context(GatewayProcess(home, settings, environment=trust)), servers)


# -------------------------------------------------------------------------------------------- no connection comes


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_black_hole_is_a_504_in_time(far: Far, stream: bool) -> None:
    session = f"hole-{stream}"
    began = time.monotonic()
    reply = ask(far.gateway, "hole,well", stream=stream, session=session)
    took = time.monotonic() - began

    assert reply.status_code == 504
    assert reply.json()["error"]["type"] == "timeout_error"
    assert "did not connect within 0.6 s" in reply.json()["error"]["message"]
    assert 0.5 < took < 0.6 * _SLACK
    assert eventually(lambda: at_rest(far.gateway))
    assert eventually(
        lambda: [line["outcome"] for line in lines_of(far.gateway.home, session)] == ["timeout"]
    )


def test_a_black_hole_is_left_for_another_target(far: Far) -> None:
    began = time.monotonic()
    reply = ask(far.gateway, "claude-x", session="left-for-another")

    assert reply.status_code == 200
    assert time.monotonic() - began < 0.6 * _SLACK
    # Nothing was sent: nobody has to be told that it may cost something.
    assert reply.headers["x-ccr-attempts"].startswith('"hole,well";status=0')
    assert "maybe-billed" not in reply.headers["x-ccr-attempts"]


def test_a_name_that_does_not_exist_is_a_bad_gateway(far: Far) -> None:
    reply = ask(far.gateway, "nowhere,well", session="nowhere")

    assert reply.status_code in {502, 503}
    assert "cannot be resolved" in reply.json()["error"]["message"]
    assert eventually(lambda: at_rest(far.gateway))
    assert eventually(
        lambda: [line["outcome"] for line in lines_of(far.gateway.home, "nowhere")] == ["upstream_error"]
    )


def test_a_certificate_that_is_good_is_taken(far: Far) -> None:
    """Or the refusals below would prove nothing."""
    # The handshake is in the connection's time, which is short here, and the machine may be busy.
    assert eventually(lambda: ask(far.gateway, "good,well").status_code == 200)
    assert _KEY.encode() in far.servers["good"].heard


@pytest.mark.parametrize(
    "name, says", [("expired", "expired"), ("of-another", "localhost"), ("self-signed", "self-signed")]
)
def test_the_key_goes_only_to_whom_the_certificate_names(far: Far, name: str, says: str) -> None:
    def refused() -> bool:
        return "certificate of localhost" in ask(far.gateway, f"{name},well", session=name).text

    assert eventually(refused)
    reply = ask(far.gateway, f"{name},well", session=name)
    assert reply.status_code in {502, 503}
    assert says in reply.json()["error"]["message"].lower()
    assert bytes(far.servers[name].heard) == b""
    assert far.servers[name].handshakes > 0
    assert eventually(lambda: lines_of(far.gateway.home, name)[-1]["outcome"] == "upstream_error")


# ---------------------------------------------------------------------------------------------- limits and pings


def test_a_reply_that_goes_on_for_ever_ends_at_the_total_limit(scene: Scene, tmp_path: Path) -> None:
    with GatewayProcess(tmp_path, config(scene, timeouts={"totalMs": 700})) as gateway:
        for kind in KINDS:
            began = time.monotonic()
            reply = ask(gateway, f"{kind},flows", stream=True, session=f"total-{kind}")
            took = time.monotonic() - began

            assert reply.status_code == 200
            assert reply.text.count("event: error") == 1
            assert "message_stop" not in reply.text
            assert "was not complete within" in reply.text
            assert 0.6 < took < 0.7 * _SLACK
            assert eventually(lambda: all(one.disconnected for one in scene.asked("total-")))
            assert eventually(lambda: at_rest(gateway))
            assert ask(gateway, f"{kind},is-silent", session=f"total-whole-{kind}").status_code == 504


def test_silence_is_filled_with_pings_of_our_own(scene: Scene, tmp_path: Path) -> None:
    """P7: before the first content once the status is out, and between two events; never inside an event."""
    often = {"keepAliveMs": 100, "commitAfterMs": 100}
    with GatewayProcess(tmp_path, config(scene, timeouts=often)) as gateway:
        for kind, model in product(KINDS, ("is-silent", "stalls")):
            with Leaver(gateway, f"pings-{kind}-{model}") as client:
                client.ask(f"{kind},{model}")
                if model == "stalls":
                    client.read_until(b"content_block_delta")
                pings, began = 0, time.monotonic()
                while pings < 8:
                    at = len(client.said)
                    client.read_more()
                    pings += client.said[at:].count(b"event: ping") + client.said[at:].count(b": keep-alive")
                took = time.monotonic() - began

            assert 0.6 < took < 0.8 * _SLACK
            assert eventually(lambda: status_of(gateway.port)["active_requests"] == 0)


def test_no_pings_while_there_is_something_to_say(scene: Scene, tmp_path: Path) -> None:
    with GatewayProcess(tmp_path, config(scene, timeouts={"keepAliveMs": 400})) as gateway:
        for kind in KINDS:
            with Leaver(gateway, f"talks-{kind}") as client:
                client.ask(f"{kind},flows")
                until = time.monotonic() + 1.5
                while time.monotonic() < until:
                    client.read_more()
                assert client.said.count(b"content_block_delta") > 10
                assert b"event: ping" not in client.said.partition(b"content_block_delta")[2]
                assert b": keep-alive" not in client.said
