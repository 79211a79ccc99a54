from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccr.adapters.hosting.vertex import VertexHosting
from ccr.adapters.wire.json import CODEC, encode
from ccr.application.ports.dialect import Frame
from ccr.application.ports.payload import Encoded, Payload
from ccr.application.ports.provider import Endpoint
from ccr.domain.errors import UnsupportedError
from ccr.domain.facts import Operation
from ccr.domain.fidelity import Loss
from ccr.domain.verbatim import Json

PROJECT = {"GOOGLE_CLOUD_PROJECT": "p"}
BOTH = {**PROJECT, "GOOGLE_CLOUD_LOCATION": "europe-west4"}
PATH = "/v1/projects/q/locations/asia-east1"
GOOGLE = "https://us-central1-aiplatform.googleapis.com"
BLANKS = "https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}/publishers/google/models"


def url_of(
    dialect: str,
    url: str,
    environ: dict[str, str],
    *,
    model: str = "m",
    operation: Operation = Operation.GENERATE,
    stream: bool = False,
) -> str:
    return VertexHosting(environ).url(Endpoint(dialect, url, "vertex"), model, operation, stream=stream)


def amended(
    dialect: str,
    fields: dict[str, object],
    betas: tuple[str, ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
) -> tuple[dict[str, object], Encoded]:
    before = Encoded(Payload(fields, CODEC), (), headers)
    after = VertexHosting({}).amend(before, Endpoint(dialect, GOOGLE, "vertex"), betas, stream=True)
    body: dict[str, object] = json.loads(after.payload.encode())
    return body, after


@pytest.mark.parametrize(
    "dialect, operation, stream, model, expected",
    [
        ("gemini", Operation.GENERATE, False, "g", "/publishers/google/models/g:generateContent"),
        (
            "gemini",
            Operation.GENERATE,
            True,
            "models/g",
            "/publishers/google/models/g:streamGenerateContent?alt=sse",
        ),
        (
            "gemini",
            Operation.COUNT,
            False,
            "publishers/google/models/g",
            "/publishers/google/models/g:countTokens",
        ),
        ("gemini", Operation.COUNT, True, "g", "/publishers/google/models/g:countTokens"),
        (
            "anthropic",
            Operation.GENERATE,
            False,
            "claude-x@20260101",
            "/publishers/anthropic/models/claude-x@20260101:rawPredict",
        ),
        ("anthropic", Operation.GENERATE, True, "c/d", "/publishers/anthropic/models/c%2Fd:streamRawPredict"),
        ("openai_chat", Operation.GENERATE, True, "google/g", "/endpoints/openapi/chat/completions"),
        ("openai_chat", Operation.GENERATE, False, "google/g", "/endpoints/openapi/chat/completions"),
    ],
)
def test_what_is_asked_stands_in_the_path(
    dialect: str, operation: Operation, stream: bool, model: str, expected: str
) -> None:
    url = url_of(dialect, f"{GOOGLE}{PATH}", {}, model=model, operation=operation, stream=stream)

    assert url == f"https://asia-east1-aiplatform.googleapis.com{PATH}{expected}"


@pytest.mark.parametrize(
    "dialect, url, environ, expected",
    [
        # The address says both, and all that comes after; nothing is asked of the environment.
        ("gemini", f"{GOOGLE}/v1/projects/q/locations/us-central1/publishers/google/models/x:generateContent", BOTH,
         f"{GOOGLE}/v1/projects/q/locations/us-central1"),
        ("gemini", f"https://aiplatform.googleapis.com/v1beta1{PATH[3:]}", BOTH,
         f"https://asia-east1-aiplatform.googleapis.com/v1beta1{PATH[3:]}"),
        ("gemini", "https://us-central1-aiplatform.googleapis.com/v1/projects/q/locations/global", {},
         "https://aiplatform.googleapis.com/v1/projects/q/locations/global"),
        # The host says where.
        ("gemini", GOOGLE, BOTH, f"{GOOGLE}/v1/projects/p/locations/us-central1"),
        ("anthropic", "https://aiplatform.eu.rep.googleapis.com", BOTH,
         "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu"),
        # The environment does.
        ("gemini", "https://aiplatform.googleapis.com/", BOTH,
         "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4"),
        ("gemini", BLANKS, BOTH, "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4"),
        ("anthropic", "https://aiplatform.googleapis.com", {**PROJECT, "GOOGLE_CLOUD_LOCATION": "global"},
         "https://aiplatform.googleapis.com/v1/projects/p/locations/global"),
        # Nobody does.
        ("gemini", "https://aiplatform.googleapis.com", {"GOOGLE_CLOUD_PROJECT": "example.com:p", "GOOGLE_CLOUD_LOCATION": " "},
         "https://us-central1-aiplatform.googleapis.com/v1/projects/example.com:p/locations/us-central1"),
        ("anthropic", "https://aiplatform.googleapis.com", PROJECT,
         "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5"),
        # A proxy keeps its host, port and path.
        ("gemini", "http://127.0.0.1:9", PROJECT, "http://127.0.0.1:9/v1/projects/p/locations/us-central1"),
        ("anthropic", "http://[::1]:9/google/v1beta1/projects/q/locations/eu", {},
         "http://[::1]:9/google/v1beta1/projects/q/locations/eu"),
        ("gemini", "https://proxy.io/publishers/google/models", BOTH,
         "https://proxy.io/v1/projects/p/locations/europe-west4"),
    ],
)  # fmt: skip
def test_project_and_location_come_from_the_address_else_from_the_environment(
    dialect: str, url: str, environ: dict[str, str], expected: str
) -> None:
    assert url_of(dialect, url, environ).rpartition("/publishers/")[0] == expected


def test_a_query_of_the_address_is_kept() -> None:
    url = f"http://127.0.0.1:9{PATH}?k=1&alt=json"

    assert url_of("gemini", url, {}, stream=True).endswith(":streamGenerateContent?k=1&alt=sse")
    assert url_of("gemini", url, {}).endswith(":generateContent?k=1")


def test_a_service_accounts_file_says_the_project_too(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text('{"project_id": "of-the-file "}')
    named = {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}

    assert "/projects/of-the-file/" in url_of("gemini", GOOGLE, named)
    assert "/projects/p/" in url_of("gemini", GOOGLE, {**named, **PROJECT})


@pytest.mark.parametrize("text", ["", "[]", "junk", '{"project_id": 7}', None])
def test_a_file_that_names_no_project_is_none(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "account.json"
    if text is not None:
        file.write_text(text)

    with pytest.raises(UnsupportedError, match="GOOGLE_CLOUD_PROJECT"):
        url_of("gemini", GOOGLE, {"GOOGLE_APPLICATION_CREDENTIALS": str(file)})


def test_without_a_project_the_user_is_told_what_to_set() -> None:
    with pytest.raises(UnsupportedError, match="GOOGLE_CLOUD_PROJECT"):
        url_of("gemini", BLANKS, {"GOOGLE_CLOUD_PROJECT": " "})


@pytest.mark.parametrize(
    "dialect, operation",
    [
        ("gemini", Operation.MODELS),
        ("anthropic", Operation.COUNT),
        ("openai_chat", Operation.MODELS),
        ("openai_responses", Operation.GENERATE),
    ],
)
def test_what_this_door_does_not_have_is_refused(dialect: str, operation: Operation) -> None:
    with pytest.raises(UnsupportedError, match=operation.value):
        url_of(dialect, GOOGLE, PROJECT, operation=operation)


def test_geminis_body_has_neither_model_nor_stream() -> None:
    body, _ = amended("gemini", {"model": "g", "stream": True, "contents": []}, ("context-1m-2025-08-07",))

    assert body == {"contents": []}


def test_a_body_of_chat_completions_is_not_changed() -> None:
    before = Encoded(Payload({"model": "google/g", "stream": True}, CODEC))

    assert VertexHosting({}).amend(before, Endpoint("openai_chat", GOOGLE), ("b",), stream=True) is before


def test_claudes_body_has_the_version_and_the_stream_but_no_model() -> None:
    system = Json(
        encode([{"type": "text", "text": "x-anthropic-billing-header: cc"}, {"type": "text", "text": "s"}])
    )
    headers = (("anthropic-version", "2023-06-01"), ("x-own", "1"))
    body, after = amended("anthropic", {"model": "c", "stream": True, "system": system}, (), headers)

    assert body == {
        "stream": True,
        "system": [{"type": "text", "text": "s"}],
        "anthropic_version": "vertex-2023-10-16",
    }
    assert after.headers == (("x-own", "1"),)
    assert after.losses == ()
    assert not VertexHosting({}).verbatim


def test_claudes_betas_go_in_a_header_without_those_that_are_refused() -> None:
    betas = (
        "claude-code-20250219",
        "interleaved-thinking-2025-05-14",
        "advanced-tool-use-2025-11-20",
        "fine-grained-tool-streaming-2025-05-14",
        "of-tomorrow-2027-01-01",
    )
    fields: dict[str, object] = {
        "anthropic_beta": ["context-1m-2025-08-07", "interleaved-thinking-2025-05-14"]
    }
    body, after = amended("anthropic", fields, betas, (("anthropic-beta", "old"),))

    assert body == {"anthropic_version": "vertex-2023-10-16"}
    assert after.headers == (
        (
            "anthropic-beta",
            "context-1m-2025-08-07,interleaved-thinking-2025-05-14,tool-search-tool-2025-10-19,of-tomorrow-2027-01-01",
        ),
    )
    assert after.losses == ()
    assert amended("anthropic", {}, ("claude-code-20250219",))[1].headers == ()


def test_the_fields_of_refused_betas_are_losses() -> None:
    refused: dict[str, object] = {
        "container": "c",
        "mcp_servers": [],
        "output_format": {},
        "speed": "fast",
        "thread": {},
        "inference_geo": "eu",
        "service_tier": "auto",
    }
    kept: dict[str, object] = {"context_management": {}, "metadata": {"user_id": "u"}}
    body, after = amended("anthropic", {**kept, **refused}, ("mcp-client-2025-11-20", "fast-mode-2026-02-01"))

    assert body == {**kept, "anthropic_version": "vertex-2023-10-16"}
    assert after.losses == tuple(map(Loss, refused))
    assert after.headers == ()


def test_streams_are_sse() -> None:
    assert VertexHosting({}).framer(limit=100).feed(b"data: x\n\n") == [Frame(b"", b"x")]
