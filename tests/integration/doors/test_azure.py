"""Azure OpenAI by deployment and by its v1 API, Claude on AI Foundry: addresses, logins, what the filter of contents does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import msgspec
import pytest
from attrs import evolve, frozen

from tests.integration.doors.talk import SCRIPT, THINKING, ask, thoughts, whole_talk
from tests.support.fake_clouds import (
    FakeAzureChat,
    FakeAzureResponses,
    FakeDeployment,
    FakeFoundry,
    unscripted,
)
from tests.support.fake_provider import FakeProvider
from tests.support.gateway_process import GatewayProcess
from tests.support.scripts import Failure, Seen, text

KEY = "canary0123456789abcdef0123456789"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJjYW5hcnkifQ.Y2FuYXJ5"


@frozen
class Way:
    """An address as it is configured, and where its requests arrive."""

    kind: type[FakeProvider]
    url: str
    model: str
    arrives: str


DEPLOYMENT = "/openai/deployments/my-gpt/chat/completions"
OPENAI = {
    "deployment": Way(
        FakeDeployment, f"{DEPLOYMENT}?api-version=2025-01-01-preview", "my-gpt",
        f"{DEPLOYMENT}?api-version=2025-01-01-preview",
    ),
    "deployment without a version": Way(FakeDeployment, DEPLOYMENT, "my-gpt", f"{DEPLOYMENT}?api-version=2024-10-21"),
    "deployment by the model": Way(
        FakeDeployment, "/openai/deployments/{deployment}/chat/completions", "my-gpt",
        f"{DEPLOYMENT}?api-version=2024-10-21",
    ),
    "v1 chat": Way(FakeAzureChat, "/openai/v1/chat/completions", "gpt-5", "/openai/v1/chat/completions"),
    "v1 responses": Way(FakeAzureResponses, "/openai/v1/responses", "gpt-5", "/openai/v1/responses"),
    "v1 responses, preview": Way(
        FakeAzureResponses, "/openai/v1/responses?api-version=preview", "gpt-5",
        "/openai/v1/responses?api-version=preview",
    ),
}  # fmt: skip
FOUNDRY = Way(FakeFoundry, "/anthropic/v1/messages", "claude-sonnet-4-5", "/anthropic/v1/messages")


@frozen(eq=False)
class Open:
    """A gateway before one of them."""

    way: Way
    upstream: FakeProvider
    base_url: str

    @property
    def target(self) -> str:
        return f"azure,{self.way.model}"

    @property
    def arrived(self) -> set[str]:
        return {request.path for request in self.upstream.requests}


def opened(way: Way, home: Path, key: str = KEY) -> Iterator[Open]:
    with unscripted(way.kind, key=KEY) as upstream:
        entry = {
            "name": "azure",
            "api_base_url": upstream.origin + way.url,
            "api_key": key,
            "models": [way.model],
        }
        with GatewayProcess(home, {"LOG": False, "Providers": [entry]}) as gateway:
            yield Open(way, upstream, gateway.base_url)


@pytest.fixture(scope="module", params=OPENAI.values(), ids=list(OPENAI))
def azure(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    yield from opened(request.param, tmp_path_factory.mktemp("azure"))


@pytest.fixture(scope="module")
def foundry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    yield from opened(FOUNDRY, tmp_path_factory.mktemp("foundry"))


STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@STREAM
def test_a_talk_with_tools(azure: Open, stream: bool) -> None:
    whole_talk(azure.base_url, azure.target, azure.upstream, stream=stream)

    assert azure.arrived == {azure.way.arrives}
    assert {request.headers["api-key"] for request in azure.upstream.requests} == {KEY}


@STREAM
def test_thinking_of_responses_is_seen_and_goes_back_sealed(tmp_path: Path, stream: bool) -> None:
    for azure in opened(OPENAI["v1 responses"], tmp_path):
        first, _ = whole_talk(azure.base_url, azure.target, azure.upstream, stream=stream, thinking=THINKING)

        assert "".join(thoughts(first)) == "Let me look."
        items = azure.upstream.seen[1].json["input"]
        (sealed,) = [item for item in items if item.get("type") == "reasoning"]
        assert sealed["encrypted_content"]


@STREAM
def test_claude_on_foundry(foundry: Open, stream: bool) -> None:
    first, _ = whole_talk(
        foundry.base_url, foundry.target, foundry.upstream, stream=stream, thinking=THINKING
    )

    assert thoughts(first) == ["Let me look."]
    assert foundry.arrived == {"/anthropic/v1/messages"}
    assert foundry.upstream.seen[1].messages[1]["content"][0]["type"] == "thinking"


@pytest.mark.parametrize("name", ["deployment", "v1 chat", "v1 responses"])
def test_a_token_of_entra_goes_as_a_bearers(tmp_path: Path, name: str) -> None:
    for azure in opened(OPENAI[name], tmp_path, TOKEN):
        azure.upstream.token = TOKEN  # type: ignore[attr-defined]
        whole_talk(azure.base_url, azure.target, azure.upstream, stream=True)

        headers = [request.headers for request in azure.upstream.requests]
        assert {sent["authorization"] for sent in headers} == {f"Bearer {TOKEN}"}
        assert not any("api-key" in sent for sent in headers)


# --------------------------------------------------------------------------------------------------- errors

FILTERED: dict[str, Any] = {
    "code": "content_filter",
    "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    "param": "prompt",
    "type": None,
    "status": 400,
    "innererror": {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": {"violence": {"filtered": True, "severity": "medium"}},
    },
}


def refusal(status: int, body: Any) -> Failure:
    return Failure(status, body=msgspec.json.encode(body))


@STREAM
@pytest.mark.parametrize(
    "failure, status, kind, words",
    [
        (refusal(400, {"error": FILTERED}), 400, "invalid_request_error", "content management policy"),
        (refusal(401, {"statusCode": 401, "message": "Unauthorized. Access token is missing"}), 502, "api_error",
         "Access token is missing"),
        (refusal(404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}), 400,
         "invalid_request_error", "deployment does not exist"),
        (refusal(404, {"statusCode": 404, "message": "Resource not found"}), 400, "invalid_request_error",
         "Resource not found"),
        (refusal(429, {"error": {"code": "429", "message": "Requests have exceeded call rate limit."}}), 429,
         "rate_limit_error", "call rate limit"),
        (refusal(500, {"statusCode": 500, "message": "Internal server error"}), 503, "api_error", "Internal server"),
    ],
)  # fmt: skip
def test_what_azure_refuses_is_said_in_the_words_of_the_messages_api(
    azure: Open, stream: bool, failure: Failure, status: int, kind: str, words: str
) -> None:
    azure.upstream.restart(lambda _seen, _n: failure)

    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(azure.base_url, azure.target, stream=stream)

    assert caught.value.status_code == status
    assert caught.value.body["error"]["type"] == kind  # type: ignore[index]
    assert words in caught.value.body["error"]["message"]  # type: ignore[index]


@STREAM
def test_an_answer_that_the_filter_stops_is_a_refusal(azure: Open, stream: bool) -> None:
    def stopped(_seen: Seen, _n: int) -> Any:
        return evolve(text("Once upon"), stop="refusal")

    azure.upstream.restart(stopped)
    answer = ask(azure.base_url, azure.target, stream=stream)

    assert answer.stop_reason == "refusal"
    assert [block.text for block in answer.content if block.type == "text"] == ["Once upon"]


@STREAM
def test_retry_after_is_handed_on(azure: Open, stream: bool) -> None:
    busy = evolve(
        refusal(429, {"error": {"code": "429", "message": "slow down"}}), headers={"retry-after": "17"}
    )
    azure.upstream.restart(lambda _seen, _n: busy)

    with pytest.raises(anthropic.RateLimitError) as caught:
        ask(azure.base_url, azure.target, stream=stream)

    assert caught.value.response.headers["retry-after"] == "17"


def test_a_key_that_azure_does_not_know_is_not_the_clients_fault(tmp_path: Path) -> None:
    for azure in opened(OPENAI["v1 chat"], tmp_path, "canary-of-another"):
        azure.upstream.restart(SCRIPT)
        with pytest.raises(anthropic.APIStatusError, match="invalid subscription key") as caught:
            ask(azure.base_url, azure.target, stream=False)

        assert caught.value.status_code == 502
        assert caught.value.response.headers["x-should-retry"] == "false"
        assert "canary" not in str(caught.value)
