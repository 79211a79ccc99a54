"""Vertex AI: Gemini, Claude and the rest under a project, and the tokens that a service account's file buys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx
import msgspec
import pytest

from tests.integration.doors.talk import SCRIPT, THINKING, ask, thoughts, whole_talk
from tests.support.anthropic_calls import fixtures
from tests.support.fake_cloud_tokens import FakeTokens
from tests.support.fake_clouds import FakeVertexChat, FakeVertexClaude, FakeVertexGemini, unscripted
from tests.support.fake_provider import FakeProvider
from tests.support.gateway_process import GatewayProcess, provider_entry
from tests.support.scripts import Failure, Thinking

CLAUDE, GEMINI, OPEN = "claude-sonnet-4-5@20250929", "gemini-3-pro-preview", "meta/llama-4"
PLACE = "/v1/projects/my-project/locations/europe-west4"
PATHS = {
    "vertex": (f"{PLACE}/publishers/anthropic/models/{CLAUDE}:rawPredict",
               f"{PLACE}/publishers/anthropic/models/{CLAUDE}:streamRawPredict"),
    "own-claude": (f"{PLACE}/publishers/anthropic/models/{CLAUDE}:rawPredict",
                   f"{PLACE}/publishers/anthropic/models/{CLAUDE}:streamRawPredict"),
    "own-gemini": (f"{PLACE}/publishers/google/models/{GEMINI}:generateContent",
                   f"{PLACE}/publishers/google/models/{GEMINI}:streamGenerateContent?alt=sse"),
    "own-open": (f"{PLACE}/endpoints/openapi/chat/completions",) * 2,
}  # fmt: skip
MODELS = {"vertex": CLAUDE, "own-claude": CLAUDE, "own-gemini": GEMINI, "own-open": OPEN}
WAYS = list(MODELS)
CLAUDES = ["vertex", "own-claude"]
ENVIRONMENT = {"GOOGLE_CLOUD_PROJECT": "my-project", "GOOGLE_CLOUD_LOCATION": "europe-west4"}
CLAUDE_CODE = list(fixtures())


@pytest.fixture(scope="module")
def tokens() -> Iterator[FakeTokens]:
    with FakeTokens() as server:
        yield server


@pytest.fixture(scope="module")
def upstreams(tokens: FakeTokens) -> Iterator[dict[str, FakeProvider]]:
    claude, gemini, chat = (
        unscripted(kind, key="") for kind in (FakeVertexClaude, FakeVertexGemini, FakeVertexChat)
    )
    for upstream in (claude, gemini, chat):
        upstream.tokens = tokens  # type: ignore[attr-defined]
    with claude, gemini, chat:
        yield {"vertex": claude, "own-claude": claude, "own-gemini": gemini, "own-open": chat}


@pytest.fixture(scope="module")
def account(tokens: FakeTokens, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return account_file(tokens, tmp_path_factory.mktemp("account"))


def account_file(tokens: FakeTokens, folder: Path) -> Path:
    file = folder / "account.json"
    file.write_bytes(msgspec.json.encode(tokens.account))
    return file


@pytest.fixture(scope="module")
def gateway(
    upstreams: dict[str, FakeProvider], account: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """One is called by the provider's name and gives a whole address; the others say by a transformer what they are."""
    ways = {"own-claude": "vertex-claude", "own-gemini": "vertex-gemini", "own-open": "vertex-openai"}
    entries = [
        {
            "name": name,
            "api_base_url": upstream.url if name == "vertex" else upstream.origin,
            "api_key": str(account),
            "models": [MODELS[name]],
            **({"transformer": {"use": [ways[name]]}} if name in ways else {}),
        }
        for name, upstream in upstreams.items()
    ]
    config = {"LOG": False, "Providers": entries, "Router": {"default": f"vertex,{CLAUDE}"}}
    home = tmp_path_factory.mktemp("vertex")
    with GatewayProcess(home, config, environment=ENVIRONMENT) as process:
        yield process


def target(way: str) -> str:
    return f"{way},{MODELS[way]}"


# ------------------------------------------------------------------------------------------- conversations


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("way", WAYS)
def test_a_talk_with_tools(
    gateway: GatewayProcess, upstreams: dict[str, FakeProvider], way: str, stream: bool
) -> None:
    upstream = upstreams[way]
    whole_talk(gateway.base_url, target(way), upstream, stream=stream)

    assert [request.path for request in upstream.model_requests] == [PATHS[way][stream]] * 2
    assert {request.headers["authorization"][:17] for request in upstream.requests} == {"Bearer ya29.token"}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("way", CLAUDES)
def test_claudes_thinking_goes_back_as_it_came(
    gateway: GatewayProcess, upstreams: dict[str, FakeProvider], way: str, stream: bool
) -> None:
    upstream = upstreams[way]
    first, _ = whole_talk(gateway.base_url, target(way), upstream, stream=stream, thinking=THINKING)

    assert thoughts(first) == ["Let me look."]
    assert upstream.seen[1].messages[1]["content"][0] == {
        "type": "thinking",
        "thinking": "Let me look.",
        "signature": Thinking("").signature,
    }


@pytest.mark.parametrize("way", CLAUDES)
@pytest.mark.parametrize(
    "headers, body", [pytest.param(headers, body, id=name) for name, headers, body in CLAUDE_CODE]
)
def test_claude_on_vertex_takes_what_claude_code_sends(
    gateway: GatewayProcess,
    upstreams: dict[str, FakeProvider],
    way: str,
    headers: dict[str, str],
    body: dict[str, Any],
) -> None:
    upstream = upstreams[way]
    assert isinstance(upstream, FakeVertexClaude)
    upstream.restart(SCRIPT)
    upstream.signatures |= {
        block["signature"]
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block["type"] == "thinking"
    }
    own = {name: value for name, value in headers.items() if name.startswith(("anthropic-", "x-app"))}
    asked = {**body, "model": target(way)}
    reply = httpx.post(f"{gateway.base_url}/v1/messages", json=asked, headers=own, timeout=20)

    assert (reply.status_code, upstream.rejections) == (200, [])
    (seen,) = upstream.seen
    assert seen.path == PATHS[way][True]
    assert "x-billing" not in seen.system_text


def test_the_host_of_everywhere_has_no_region(
    upstreams: dict[str, FakeProvider], account: Path, tmp_path: Path
) -> None:
    """A proxy for HTTP sees whole addresses: thus Google's own host is asked for here."""
    del upstreams
    with FakeTokens() as tokens, FakeVertexGemini(SCRIPT, key="") as upstream:
        upstream.tokens = tokens
        upstream.host = "aiplatform.googleapis.com"
        upstream.model_path = "/v1/projects/my-project/locations/global/publishers/google/models"
        entry = {
            "name": "vertex",
            "api_base_url": "http://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/global",
            "api_key": str(account_file(tokens, tmp_path)),
            "models": [GEMINI],
            "transformer": {"use": ["vertex-gemini"]},
        }
        config = {"LOG": False, "Providers": [entry], "PROXY_URL": upstream.origin}
        with GatewayProcess(tmp_path / "home", config) as gateway:
            whole_talk(gateway.base_url, f"vertex,{GEMINI}", upstream, stream=True)

        assert {request.headers["host"] for request in upstream.requests} == {"aiplatform.googleapis.com"}


# --------------------------------------------------------------------------------------------------- errors


def google(status: int, code: str, message: str, *, listed: bool, **more: Any) -> Failure:
    body = {"error": {"code": status, "message": message, "status": code, **more}}
    return Failure(status, body=msgspec.json.encode([body] if listed else body))


@pytest.mark.parametrize("listed", [False, True], ids=["alone", "in a list"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "status, code, message, expected, kind",
    [
        (400, "INVALID_ARGUMENT", "tools: no", 400, "invalid_request_error"),
        (403, "PERMISSION_DENIED", "Permission 'predict' denied", 502, "api_error"),
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded for region", 429, "rate_limit_error"),
        (503, "UNAVAILABLE", "The service is unavailable", 503, "api_error"),
    ],
)
def test_googles_errors_are_said_in_the_words_of_the_messages_api(
    gateway: GatewayProcess,
    upstreams: dict[str, FakeProvider],
    way: str,
    stream: bool,
    listed: bool,
    status: int,
    code: str,
    message: str,
    expected: int,
    kind: str,
) -> None:
    upstreams[way].restart(lambda _seen, _n: google(status, code, message, listed=listed))

    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(gateway.base_url, target(way), stream=stream)

    assert caught.value.status_code == expected
    assert caught.value.body["error"]["type"] == kind  # type: ignore[index]
    assert message in caught.value.body["error"]["message"]  # type: ignore[index]


# --------------------------------------------------------------------------------------------------- tokens


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[GatewayProcess, FakeVertexGemini, FakeTokens]]:
    """A gateway that has asked for no token yet, and knows its project from the account's file alone."""
    with FakeTokens() as tokens, FakeVertexGemini(SCRIPT, key="") as upstream:
        upstream.tokens = tokens
        entry = provider_entry("vertex", upstream, (GEMINI,), transformer={"use": ["vertex-gemini"]})
        entry |= {"api_base_url": upstream.origin, "api_key": ""}
        environment = {
            "GOOGLE_APPLICATION_CREDENTIALS": str(account_file(tokens, tmp_path)),
            "GOOGLE_CLOUD_LOCATION": "europe-west4",
        }
        config = {"LOG": False, "Providers": [entry]}
        with GatewayProcess(tmp_path / "home", config, environment=environment) as gateway:
            yield gateway, upstream, tokens


Own = tuple[GatewayProcess, FakeVertexGemini, FakeTokens]


def test_the_file_of_the_environment_gives_project_and_token_and_the_token_is_kept(own: Own) -> None:
    gateway, upstream, tokens = own
    for _ in range(3):
        ask(gateway.base_url, f"vertex,{GEMINI}", stream=False)

    assert upstream.rejections == []
    assert {request.path for request in upstream.requests} == {PATHS["own-gemini"][False]}
    assert tokens.refusals == []
    assert tokens.given == ["ya29.token-1"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_geminis_thoughts_are_seen_and_its_signatures_go_back(own: Own, stream: bool) -> None:
    gateway, upstream, _ = own
    first, _ = whole_talk(gateway.base_url, f"vertex,{GEMINI}", upstream, stream=stream, thinking=THINKING)

    assert "".join(thoughts(first)) == "Let me look."
    contents = upstream.seen[1].json["contents"]
    (call,) = [part for content in contents for part in content["parts"] if "functionCall" in part]
    assert call["thoughtSignature"] == upstream.signed[call["functionCall"]["id"]]


def test_a_token_that_ends_is_renewed(own: Own) -> None:
    gateway, upstream, tokens = own
    tokens.lasts = 1
    ask(gateway.base_url, f"vertex,{GEMINI}", stream=False)
    ask(gateway.base_url, f"vertex,{GEMINI}", stream=False)

    sent = [request.headers["authorization"] for request in upstream.requests]
    assert sent == ["Bearer ya29.token-1", "Bearer ya29.token-2"]
    assert tokens.refusals == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_token_that_is_refused_is_renewed_at_once(own: Own, stream: bool) -> None:
    gateway, upstream, tokens = own
    ask(gateway.base_url, f"vertex,{GEMINI}", stream=False)
    tokens.valid.clear()
    answer = ask(gateway.base_url, f"vertex,{GEMINI}", stream=stream)

    assert answer.stop_reason == "tool_use"
    assert tokens.given == ["ya29.token-1", "ya29.token-2"]
    assert [request.status for request in upstream.requests] == [200, 401, 200]


def test_a_new_token_that_is_refused_too_is_the_providers_word(own: Own) -> None:
    gateway, upstream, tokens = own
    upstream.tokens = None  # nothing that is given counts here
    upstream.key = "another"
    for _ in range(2):
        with pytest.raises(anthropic.APIStatusError) as caught:
            ask(gateway.base_url, f"vertex,{GEMINI}", stream=False)
        assert caught.value.status_code == 502
        assert "invalid authentication credentials" in str(caught.value)

    assert len(upstream.requests) == 4
    assert tokens.given == ["ya29.token-1", "ya29.token-2"]


def test_an_account_that_google_does_not_know_is_said(own: Own) -> None:
    gateway, upstream, tokens = own
    tokens.project = "renamed"  # the assertion's issuer is another then

    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(gateway.base_url, f"vertex,{GEMINI}", stream=False)

    assert caught.value.status_code == 502
    assert "Google gave no token" in str(caught.value)
    assert "Invalid JWT: iss" in str(caught.value)
    assert upstream.requests == []
    assert "PRIVATE KEY" not in str(caught.value) + gateway.output


def test_without_a_project_the_user_is_told_what_to_set(tmp_path: Path) -> None:
    with FakeVertexGemini(SCRIPT, key="ya29.canary") as upstream:
        entry = provider_entry("vertex", upstream, (GEMINI,), transformer={"use": ["vertex-gemini"]})
        config = {"LOG": False, "Providers": [{**entry, "api_base_url": upstream.origin}]}
        with (
            GatewayProcess(tmp_path, config) as gateway,
            pytest.raises(anthropic.BadRequestError, match="set GOOGLE_CLOUD_PROJECT"),
        ):
            ask(gateway.base_url, f"vertex,{GEMINI}", stream=False)

        assert upstream.requests == []
