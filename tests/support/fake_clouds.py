"""Scripted clouds that sell other people's models, as strict as they are about address, login and body.

Each is one of our fakes behind another door: what the door demands is checked and taken off, then the model is asked.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
from attrs import evolve
from typing_extensions import override

from ccr.adapters.wire.eventstream import CONTENT_TYPE, write_message
from tests.support.fake_anthropic import FakeAnthropic
from tests.support.fake_cloud_signatures import Signer
from tests.support.fake_cloud_tokens import FakeTokens
from tests.support.fake_gemini import FakeGemini
from tests.support.fake_openai import FakeOpenAI
from tests.support.fake_provider import FakeProvider, RejectedError
from tests.support.fake_responses import FakeResponses
from tests.support.loopback import Exchange, Recorded
from tests.support.scripts import Failure, Json, Reply, Script

_BY_AMAZON = {
    "service_tier",
    "container",
    "mcp_servers",
    "context_management",
    "safeguards",
    "speed",
    "thread",
}
"""Fields of the Messages API that InvokeModel does not know."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_INVOKE = re.compile(r"/model/([^/]+)/(invoke|invoke-with-response-stream)")
_EXCEPTIONS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
_BETAS = frozenset(
    {
        "compact-2026-01-12",
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "dev-full-thinking-2025-05-14",
        "effort-2025-11-24",
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
        "output-128k-2025-02-19",
        "token-efficient-tools-2025-02-19",
        "tool-examples-2025-10-29",
        "tool-search-tool-2025-10-19",
    }
)
"""What Amazon's pages name for InvokeModel, and what others have found it to take (providers.md 4.1, 4.7)."""
_NEEDED = {
    "defer_loading": "tool-search-tool-2025-10-19",
    "input_examples": "tool-examples-2025-10-29",
    "eager_input_streaming": "fine-grained-tool-streaming-2025-05-14",
}
"""Fields of a tool, and the beta without which they are refused."""


class FakeBedrock(FakeAnthropic):
    """InvokeModel of Claude. ``key`` is a bearer key, or ``ACCESS:SECRET[:SESSION]``, with which it verifies signatures.

    Attributes:
        region: of which a signature must be.
        piece: bytes of the event stream that go out at once; 0 = a message.
        bytes_cut: send only so many bytes of the stream, then close.
        damaged: which byte of the stream arrives as another.
    """

    model_path = ""
    region = "eu-west-1"
    piece = 0
    bytes_cut: int | None = None
    damaged: int | None = None

    @property
    @override
    def model_requests(self) -> list[Recorded]:
        return [r for r in self.requests if r.path.startswith("/model/")]

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        given = recorded.headers.get("authorization", "")
        wrong = "The request signature we calculated does not match the signature you provided."
        if given.startswith("AWS4"):
            if complaint := self._signer().complaint(recorded, datetime.now(UTC)):
                raise RejectedError(f"{wrong} ({complaint})", 403, "InvalidSignatureException")
        elif given != f"Bearer {self.key}":
            raise RejectedError("Authentication failed", 403, "AccessDeniedException")

    def _signer(self) -> Signer:
        access, _, rest = self.key.partition(":")
        secret, _, session = rest.partition(":")
        return Signer(access, secret, session, self.region, "bedrock")

    @override
    def side_reply(self, recorded: Recorded) -> Json | None:
        found = _INVOKE.fullmatch(recorded.path)
        if recorded.method != "POST" or found is None:
            raise RejectedError("The requested operation is not recognized by the service.", 404)
        body = recorded.json
        if not isinstance(body, dict) or body.get("anthropic_version") != "bedrock-2023-05-31":
            raise RejectedError("Malformed input request: anthropic_version")
        for name in body:
            if name in _BY_AMAZON | {"model", "stream"}:
                raise RejectedError(f"Malformed input request: {name}: Extra inputs are not permitted")
        betas = set(body.get("anthropic_beta", ()))
        if not betas <= _BETAS:
            raise RejectedError("invalid beta flag")
        for tool in body.get("tools", ()):
            if refused := [name for name, beta in _NEEDED.items() if name in tool and beta not in betas]:
                raise RejectedError(f"tools.0.custom.{refused[0]}: Extra inputs are not permitted")
        if any(not _NAME.fullmatch(tool.get("name", "")) for tool in body.get("tools", ())):
            raise RejectedError("tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'")
        if "x-anthropic-billing-header" in recorded.body.decode():
            raise RejectedError("x-anthropic-billing-header is a reserved keyword")
        plain = {name: value for name, value in body.items() if not name.startswith("anthropic_")}
        recorded.json = {**plain, "model": unquote(found[1]), "stream": found[2] != "invoke"}
        return None

    @override
    async def _fail(self, exchange: Exchange, failure: Failure) -> None:
        kind = failure.kind if failure.kind and failure.kind.endswith("Exception") else ""
        name = kind or _EXCEPTIONS.get(failure.status, "InternalServerException")
        named = {**failure.headers, "x-amzn-errortype": f"{name}:http://internal.amazon.com/coral/"}
        await super()._fail(exchange, evolve(failure, headers=named))

    @override
    def error_body(self, failure: Failure) -> Json:
        return {"message": failure.message}

    @override
    async def _stream(self, exchange: Exchange, reply: Reply) -> None:
        named = evolve(reply, headers={**reply.headers, "content-type": CONTENT_TYPE})
        if not self.piece and self.bytes_cut is None and self.damaged is None:
            await super()._stream(exchange, named)
            return
        await exchange.open(200, dict(named.headers))
        whole = bytearray(b"".join(self.events(reply, exchange.recorded.json))[: self.bytes_cut])
        if self.damaged is not None:
            whole[self.damaged] ^= 1
        size = self.piece or len(whole)
        for at in range(0, len(whole), size):
            await exchange.chunk(bytes(whole[at : at + size]))
        await (exchange.end() if self.bytes_cut is None else exchange.cut())

    @override
    def events(self, reply: Reply, request: Json) -> Iterator[bytes]:
        for event in super().events(reply, request):
            said = msgspec.json.decode(event.partition(b"data: ")[2])
            if said["type"] == "ping":
                continue  # there are none here
            if said["type"] == "message_stop":
                said["amazon-bedrock-invocationMetrics"] = {"inputTokenCount": 1, "invocationLatency": 9}
            yield _chunk(said)

    @override
    def error_event(self, failure: Failure) -> bytes:
        name = failure.kind or "modelStreamErrorException"
        payload = msgspec.json.encode({"message": failure.message})
        return write_message({":message-type": "exception", ":exception-type": name}, payload)


def _chunk(event: Json) -> bytes:
    inner = base64.b64encode(msgspec.json.encode(event)).decode()
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return write_message(headers, msgspec.json.encode({"bytes": inner, "p": "abcdefghij"}))


_PLACE = "/v1/projects/my-project/locations/europe-west4"
_UNKNOWN_THERE = frozenset(
    {
        "advanced-tool-use-2025-11-20",
        "afk-mode-2026-01-31",
        "claude-code-20250219",
        "code-execution-2025-08-25",
        "fast-mode-2026-02-01",
        "files-api-2025-04-14",
        "fine-grained-tool-streaming-2025-05-14",
        "mcp-client-2025-11-20",
        "output-128k-2025-02-19",
        "prompt-caching-scope-2026-01-05",
        "skills-2025-10-02",
        "structured-outputs-2025-11-13",
        "thinking-token-count-2026-05-13",
        "token-efficient-tools-2025-02-19",
        "web-fetch-2025-09-10",
    }
)
"""Betas that others have found Vertex to refuse (providers.md 4.7)."""


class _OfGoogle(FakeProvider):
    """What the doors of Vertex have in common.

    Attributes:
        tokens: who gives tokens; None = ``key`` is the only one.
    """

    tokens: FakeTokens | None = None

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        valid = {self.key} if self.tokens is None else self.tokens.valid
        given = recorded.headers.get("authorization", "").removeprefix("Bearer ")
        if given not in valid or {"x-goog-api-key", "x-api-key"} & recorded.headers.keys():
            raise RejectedError("Request had invalid authentication credentials.", 401, "UNAUTHENTICATED")


class FakeVertexClaude(_OfGoogle, FakeAnthropic):
    """rawPredict and streamRawPredict."""

    model_path = f"{_PLACE}/publishers/anthropic/models"

    @property
    @override
    def model_requests(self) -> list[Recorded]:
        return [r for r in self.requests if r.path.endswith("awPredict")]

    @override
    def side_reply(self, recorded: Recorded) -> Json | None:
        path = re.escape(f"{self.model_path}/") + "([^/:]+):(rawPredict|streamRawPredict)"
        found = re.fullmatch(path, recorded.path)
        if recorded.method != "POST" or found is None:
            raise RejectedError("Not found", 404)
        body = recorded.json
        if not isinstance(body, dict) or body.get("anthropic_version") != "vertex-2023-10-16":
            raise RejectedError("anthropic_version: Field required")
        if "model" in body or "anthropic_beta" in body:
            raise RejectedError("model: Extra inputs are not permitted")
        if body.get("stream", False) is not (found[2] == "streamRawPredict"):
            raise RejectedError("stream: does not go with the method")
        asked = recorded.headers.get("anthropic-beta", "").replace(" ", "").split(",")
        if unknown := sorted(_UNKNOWN_THERE.intersection(asked)):
            raise RejectedError(f"Unexpected value(s) `{unknown[0]}` for the `anthropic-beta` header.")
        recorded.json = {name: value for name, value in body.items() if name != "anthropic_version"} | {
            "model": unquote(found[1])
        }
        return None

    @override
    def error_body(self, failure: Failure) -> Json:
        return _google_error(failure)


class FakeVertexGemini(_OfGoogle, FakeGemini):
    """Gemini under a project. Behind a proxy for HTTP it is asked by whole addresses; ``host`` is then that of the address."""

    model_path = f"{_PLACE}/publishers/google/models"
    host = ""

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        super().check_credentials(recorded)
        origin = f"http://{self.host}" if self.host else ""
        if not recorded.path.startswith(f"{origin}{self.model_path}/"):
            raise RejectedError("Not found.", 404)
        if isinstance(recorded.json, dict) and "model" in recorded.json:
            raise RejectedError('Unknown name "model": Cannot find field.')


class FakeVertexChat(_OfGoogle, FakeOpenAI):
    """Chat completions of Vertex."""

    model_path = f"{_PLACE}/endpoints/openapi/chat/completions"

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        super().check_credentials(recorded)
        if recorded.path != self.model_path:
            raise RejectedError("Not found.", 404)


def _google_error(failure: Failure) -> Json:
    words = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
    status = words.get(failure.status, "UNAVAILABLE")
    return {"error": {"code": failure.status, "message": failure.message, "status": status}}


_SAFE = {
    name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")
}


class _OfAzure(FakeProvider):
    """What the doors of Azure OpenAI have in common.

    Attributes:
        token: one of Entra that counts, too.
    """

    token = ""

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        key, bearer = recorded.headers.get("api-key"), recorded.headers.get("authorization")
        if (key, bearer) not in {(self.key, None), (None, f"Bearer {self.token}")}:
            raise RejectedError(
                "Access denied due to invalid subscription key or wrong API endpoint.", 401, "401"
            )
        self.check_path(*recorded.path.partition("?")[::2])

    def check_path(self, path: str, query: str) -> None:
        """Raise RejectedError for another address than this door's."""
        if path != self.model_path or query not in {"", "api-version=preview"}:
            raise RejectedError("Resource not found", 404, "404")

    @override
    def error_body(self, failure: Failure) -> Json:
        if failure.kind == str(failure.status):
            return {"error": {"code": failure.kind, "message": failure.message}}
        return super().error_body(failure)  # type: ignore[safe-super]  # the dialect's stands behind


class _Filtered(_OfAzure, FakeOpenAI):
    """Chat completions as Azure's filter of contents frames them."""

    @override
    def whole(self, reply: Reply, request: Json) -> Json:
        said = super().whole(reply, request)
        choices = [{**choice, "content_filter_results": _SAFE} for choice in said["choices"]]
        return {**said, "choices": choices, "prompt_filter_results": _prompt_results()}

    @override
    def events(self, reply: Reply, request: Json) -> Iterator[bytes]:
        first = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
        yield b"data: " + msgspec.json.encode({**first, "prompt_filter_results": _prompt_results()}) + b"\n\n"
        for event in super().events(reply, request):
            data = event.removeprefix(b"data: ")
            if data.startswith(b"{"):
                said = msgspec.json.decode(data)
                said["choices"] = [{**choice, "content_filter_results": {}} for choice in said["choices"]]
                event = b"data: " + msgspec.json.encode(said) + b"\n\n"  # noqa: PLW2901
            yield event


def _prompt_results() -> list[Json]:
    return [{"prompt_index": 0, "content_filter_results": _SAFE}]


class FakeDeployment(_Filtered):
    """A deployment of Azure OpenAI by its address, which needs a version and names the model."""

    model_path = "/openai/deployments/my-gpt/chat/completions"

    @override
    def check_path(self, path: str, query: str) -> None:
        if path != self.model_path or not parse_qs(query).get("api-version"):
            raise RejectedError("Resource not found", 404, "404")

    @override
    def side_reply(self, recorded: Recorded) -> Json | None:
        if isinstance(recorded.json, dict):
            if "model" in recorded.json:
                raise RejectedError("model: the deployment is named twice")
            recorded.json["model"] = "my-gpt"
        return super().side_reply(recorded)


class FakeAzureChat(_Filtered):
    """The ``v1`` API of Azure OpenAI."""

    model_path = "/openai/v1/chat/completions"


class FakeAzureResponses(_OfAzure, FakeResponses):
    """Responses of the ``v1`` API of Azure OpenAI."""

    model_path = "/openai/v1/responses"


class FakeFoundry(FakeAnthropic):
    """Claude on AI Foundry."""

    model_path = "/anthropic/v1/messages"

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        super().check_credentials(recorded)
        if "x-api-key" not in recorded.headers or recorded.path != self.model_path:
            raise RejectedError("Access denied due to invalid subscription key", 401)


def unscripted(kind: type[FakeProvider], **options: Any) -> FakeProvider:
    """Make an upstream whose scenes come later."""
    nothing: Script = lambda _seen, _n: Failure(500, "nothing was scripted")  # noqa: E731
    return kind(nothing, **options)
