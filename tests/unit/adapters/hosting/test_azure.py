from __future__ import annotations

import pytest

from ccr.adapters.hosting.azure import AzureHosting
from ccr.adapters.wire.json import CODEC
from ccr.application.ports.dialect import Frame
from ccr.application.ports.payload import Encoded, Payload
from ccr.application.ports.provider import Endpoint
from ccr.domain.errors import UnsupportedError
from ccr.domain.facts import Operation

HOST = "https://res.openai.azure.com"
V1 = f"{HOST}/openai/v1"
DEPLOYMENT = f"{HOST}/openai/deployments/dep/chat/completions?api-version=2025-01-01-preview"


@pytest.mark.parametrize(
    "dialect, url, operation, expected",
    [
        ("openai_chat", HOST, Operation.GENERATE, f"{V1}/chat/completions"),
        ("openai_chat", f"{HOST}/openai", Operation.GENERATE, f"{V1}/chat/completions"),
        ("openai_chat", f"{V1}/", Operation.GENERATE, f"{V1}/chat/completions"),
        ("openai_chat", f"{V1}/chat/completions", Operation.GENERATE, f"{V1}/chat/completions"),
        ("openai_responses", f"{HOST}/", Operation.GENERATE, f"{V1}/responses"),
        ("openai_responses", V1, Operation.GENERATE, f"{V1}/responses"),
        (
            "openai_responses",
            f"{HOST}/openai/v1?api-version=preview",
            Operation.GENERATE,
            f"{V1}/responses?api-version=preview",
        ),
        (
            "openai_responses",
            f"{HOST}/openai/responses?api-version=2025-04-01-preview",
            Operation.GENERATE,
            f"{HOST}/openai/responses?api-version=2025-04-01-preview",
        ),
        ("openai_chat", "http://127.0.0.1:9/azure", Operation.GENERATE, "http://127.0.0.1:9/azure/openai/v1/chat/completions"),
        ("openai_chat", V1, Operation.MODELS, f"{V1}/models"),
        ("openai_responses", f"{V1}/responses", Operation.COUNT, f"{V1}/responses/input_tokens"),
        ("openai_chat", DEPLOYMENT, Operation.GENERATE, DEPLOYMENT),
        ("openai_chat", DEPLOYMENT, Operation.MODELS, f"{HOST}/openai/models?api-version=2025-01-01-preview"),
        ("openai_responses", DEPLOYMENT, Operation.GENERATE, f"{HOST}/openai/responses?api-version=2025-01-01-preview"),
        ("openai_responses", f"{HOST}/openai/deployments/dep", Operation.GENERATE, f"{V1}/responses"),
        ("openai_chat", f"{HOST}/openai/deployments/dep", Operation.MODELS, f"{V1}/models"),
        (
            "openai_chat",
            f"{HOST}/openai/deployments/dep?x=1",
            Operation.GENERATE,
            f"{HOST}/openai/deployments/dep/chat/completions?x=1&api-version=2024-10-21",
        ),
        (
            "openai_chat",
            "http://127.0.0.1:9/p/openai/deployments/",
            Operation.GENERATE,
            "http://127.0.0.1:9/p/openai/deployments/gpt%2F5/chat/completions?api-version=2024-10-21",
        ),
        (
            "openai_chat",
            f"{HOST}/openai/deployments/{{deployment}}/chat/completions",
            Operation.GENERATE,
            f"{HOST}/openai/deployments/gpt%2F5/chat/completions?api-version=2024-10-21",
        ),
    ],
)  # fmt: skip
def test_urls(dialect: str, url: str, operation: Operation, expected: str) -> None:
    assert AzureHosting().url(Endpoint(dialect, url, "azure"), "gpt/5", operation, stream=True) == expected


@pytest.mark.parametrize(
    "dialect, operation",
    [("openai_chat", Operation.COUNT), ("anthropic", Operation.GENERATE), ("gemini", Operation.MODELS)],
)
def test_what_this_door_does_not_have_is_refused(dialect: str, operation: Operation) -> None:
    with pytest.raises(UnsupportedError, match=operation.value):
        AzureHosting().url(Endpoint(dialect, HOST, "azure"), "m", operation, stream=True)


@pytest.mark.parametrize("url, has_model", [(HOST, True), (V1, True), (DEPLOYMENT, False)])
def test_only_the_address_of_a_deployment_takes_the_model_out_of_the_body(url: str, has_model: bool) -> None:
    encoded = Encoded(Payload({"model": "gpt-5", "stream": True}, CODEC))

    amended = AzureHosting().amend(encoded, Endpoint("openai_chat", url, "azure"), ("b",), stream=True)

    assert dict(amended.payload.fields) == ({"model": "gpt-5"} if has_model else {}) | {"stream": True}
    assert amended.losses == ()
    assert not AzureHosting().verbatim


def test_responses_of_a_deployment_name_it_in_the_body() -> None:
    encoded = Encoded(Payload({"model": "gpt-5"}, CODEC))

    assert AzureHosting().amend(encoded, Endpoint("openai_responses", DEPLOYMENT), (), stream=True) is encoded


def test_streams_are_sse() -> None:
    assert AzureHosting().framer(limit=100).feed(b"data: x\n\n") == [Frame(b"", b"x")]
