"""Claude on Bedrock: signatures that Amazon would find, event streams as the network cuts them, errors in Amazon's words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx
import pytest

from tests.integration.doors.talk import SCRIPT, THINKING, TOOL, ask, thoughts, whole_talk
from tests.support.anthropic_calls import fixtures
from tests.support.fake_clouds import FakeBedrock, unscripted
from tests.support.gateway_process import GatewayProcess, provider_entry
from tests.support.scripts import Failure, Thinking, call, thinking

ACCESS, SECRET, SESSION = "AKIACANARY0000000001", "canary/Secret+Key/000000000000001", "canary-session/+="
MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
TARGET = f"bedrock,{MODEL}"
PATH = "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
CLAUDE_CODE = list(fixtures())


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeBedrock]:
    fake = unscripted(FakeBedrock, key=f"{ACCESS}:{SECRET}:{SESSION}")
    assert isinstance(fake, FakeBedrock)
    with fake:
        yield fake


@pytest.fixture(autouse=True)
def as_it_was(upstream: FakeBedrock) -> Iterator[None]:
    yield
    upstream.piece, upstream.bytes_cut = 0, None


def config_of(upstream: FakeBedrock, key: str | None = None) -> dict[str, Any]:
    entry = provider_entry("bedrock", upstream, (MODEL,))
    entry["transformer"] = {}
    if key is not None:
        entry["api_key"] = key
    return {"LOG": False, "Providers": [entry], "Router": {"default": TARGET}}


@pytest.fixture(scope="module")
def gateway(upstream: FakeBedrock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    home = tmp_path_factory.mktemp("bedrock")
    with GatewayProcess(home, config_of(upstream), environment={"AWS_REGION": "eu-west-1"}) as process:
        yield process


@pytest.mark.parametrize(
    "headers, body", [pytest.param(headers, body, id=name) for name, headers, body in CLAUDE_CODE]
)
def test_amazon_takes_what_claude_code_sends(
    gateway: GatewayProcess, upstream: FakeBedrock, headers: dict[str, str], body: dict[str, Any]
) -> None:
    upstream.restart(SCRIPT)
    upstream.signatures |= set(signatures(body))
    own = {name: value for name, value in headers.items() if name.startswith(("anthropic-", "x-app"))}
    reply = httpx.post(f"{gateway.base_url}/v1/messages", json=body, headers=own, timeout=20)

    assert reply.status_code == 200
    assert upstream.rejections == []
    (seen,) = upstream.seen
    assert seen.path == f"{PATH}-with-response-stream"
    offered = [tool["name"] for tool in body.get("tools", ()) if tool["name"] != "DeferredToolPlaceholder"]
    assert seen.tool_names == offered
    assert list(signatures(seen.json)) == list(signatures(body))


def signatures(body: dict[str, Any]) -> Iterator[str]:
    """Those of the thinking in a request, which come from Anthropic itself."""
    for message in body["messages"]:
        if isinstance(message["content"], list):
            yield from (block["signature"] for block in message["content"] if block["type"] == "thinking")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_talk_with_tools_and_thinking(gateway: GatewayProcess, upstream: FakeBedrock, stream: bool) -> None:
    first, _ = whole_talk(gateway.base_url, TARGET, upstream, stream=stream, thinking=THINKING)

    assert thoughts(first) == ["Let me look."]
    path = f"{PATH}-with-response-stream" if stream else PATH
    assert [request.path for request in upstream.requests] == [path, path]
    assert {request.headers["x-amz-security-token"] for request in upstream.requests} == {SESSION}
    assert upstream.seen[1].messages[1]["content"][0] == {
        "type": "thinking",
        "thinking": "Let me look.",
        "signature": Thinking("").signature,
    }


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tools_name_may_be_longer_than_amazon_takes(
    gateway: GatewayProcess, upstream: FakeBedrock, stream: bool
) -> None:
    name = f"mcp__server__{'a_tool_with_a_long_name_' * 3}"
    upstream.restart(lambda seen, _n: call(seen.tool_names[0], a=1))
    choice = {"type": "tool", "name": name}
    answer = ask(gateway.base_url, TARGET, stream=stream, tools=[{**TOOL, "name": name}], tool_choice=choice)

    assert upstream.rejections == []
    (seen,) = upstream.seen
    assert seen.json["tool_choice"]["name"] == seen.tool_names[0]
    assert [(block.name, block.input) for block in answer.content if block.type == "tool_use"] == [
        (name, {"a": 1})
    ]


@pytest.mark.parametrize("piece", [1, 2, 7, 64])
def test_a_stream_may_be_cut_anywhere(gateway: GatewayProcess, upstream: FakeBedrock, piece: int) -> None:
    upstream.piece = piece

    whole_talk(gateway.base_url, TARGET, upstream, stream=True)


def test_a_connection_that_breaks_in_a_message_is_an_error(
    gateway: GatewayProcess, upstream: FakeBedrock
) -> None:
    upstream.restart(SCRIPT)
    upstream.bytes_cut = 1500

    with pytest.raises((anthropic.APIError, httpx.HTTPError)):
        ask(gateway.base_url, TARGET, stream=True)


def test_an_exception_in_the_stream_is_an_error_in_it(gateway: GatewayProcess, upstream: FakeBedrock) -> None:
    slow = Failure(429, "Too many tokens, please wait", "throttlingException")
    upstream.restart(lambda _seen, _n: thinking("Hm", "and then").failing(5, slow))

    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(gateway.base_url, TARGET, stream=True, thinking=THINKING)

    assert caught.value.body["error"]["type"] == "rate_limit_error"  # type: ignore[index]
    assert "Too many tokens, please wait" in str(caught.value)


@pytest.mark.parametrize(
    "failure, status, kind, words",
    [
        (Failure(429, "Too many requests"), 429, "rate_limit_error", "Too many requests"),
        (Failure(400, "messages.0: no"), 400, "invalid_request_error", "messages.0: no"),
        (
            Failure(400, "Input is too long for requested model."),
            400,
            "invalid_request_error",
            "prompt is too long",
        ),
        (Failure(403, "You don't have access to the model"), 502, "api_error", "access to the model"),
        (
            Failure(400, "The security token is expired", "ExpiredTokenException"),
            502,
            "api_error",
            "expired",
        ),
        (
            Failure(404, "Model use case details have not been submitted"),
            400,
            "invalid_request_error",
            "use case",
        ),
        (Failure(503, "Try again"), 503, "api_error", "Try again"),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_amazon_refuses_is_said_in_the_words_of_the_messages_api(
    gateway: GatewayProcess,
    upstream: FakeBedrock,
    failure: Failure,
    status: int,
    kind: str,
    words: str,
    stream: bool,
) -> None:
    upstream.restart(lambda _seen, _n: failure)

    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(gateway.base_url, TARGET, stream=stream)

    assert caught.value.status_code == status
    assert caught.value.body["error"]["type"] == kind  # type: ignore[index]
    assert words in caught.value.body["error"]["message"]  # type: ignore[index]


def test_tokens_are_counted_here(gateway: GatewayProcess, upstream: FakeBedrock) -> None:
    upstream.restart(SCRIPT)
    with anthropic.Anthropic(base_url=gateway.base_url, api_key="k", max_retries=0) as client:
        counted = client.messages.count_tokens(
            model=TARGET, messages=[{"role": "user", "content": "one two three"}]
        )

    assert 1 <= counted.input_tokens <= 50
    assert upstream.requests == []


@pytest.mark.parametrize(
    "key, environment",
    [
        ("canary-bedrock-api-key", {}),
        ("", {"AWS_BEARER_TOKEN_BEDROCK": "canary-bedrock-api-key"}),
    ],
    ids=["configured", "environment"],
)
def test_a_bearer_key_goes_as_it_is(tmp_path: Path, key: str, environment: dict[str, str]) -> None:
    with FakeBedrock(SCRIPT, key="canary-bedrock-api-key") as upstream:
        with GatewayProcess(tmp_path, config_of(upstream, key), environment=environment) as gateway:
            whole_talk(gateway.base_url, TARGET, upstream, stream=True)

        assert {request.headers["authorization"] for request in upstream.requests} == {
            "Bearer canary-bedrock-api-key"
        }


@pytest.mark.parametrize("right", [True, False])
def test_botocores_own_chain_signs_where_there_is_no_key(tmp_path: Path, right: bool) -> None:
    environment = {
        "AWS_ACCESS_KEY_ID": ACCESS,
        "AWS_SECRET_ACCESS_KEY": SECRET if right else "canary-another-secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    with (
        FakeBedrock(SCRIPT, key=f"{ACCESS}:{SECRET}") as upstream,
        GatewayProcess(tmp_path, config_of(upstream, ""), environment=environment) as gateway,
    ):
        if right:
            whole_talk(gateway.base_url, TARGET, upstream, stream=True)
            return
        with pytest.raises(anthropic.APIStatusError) as caught:
            ask(gateway.base_url, TARGET, stream=True)
        assert caught.value.status_code == 502
        assert "signature" in str(caught.value)
        assert "canary" not in str(caught.value) + gateway.output


def test_without_any_credentials_the_user_is_told_what_to_set(tmp_path: Path) -> None:
    environment = {"AWS_EC2_METADATA_DISABLED": "true"}
    with (
        FakeBedrock(SCRIPT) as upstream,
        GatewayProcess(tmp_path, config_of(upstream, ""), environment=environment) as gateway,
    ):
        with pytest.raises(anthropic.APIStatusError) as caught:
            ask(gateway.base_url, TARGET, stream=True)

        assert caught.value.status_code == 502
        assert "no AWS credentials were found" in str(caught.value)
        assert upstream.requests == []
