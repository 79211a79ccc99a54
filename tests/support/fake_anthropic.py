"""A scripted Anthropic upstream: `POST /v1/messages`, `/v1/messages/count_tokens`, `GET /v1/models`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from typing_extensions import override

from tests.support.fake_provider import FakeProvider, RejectedError, pieces
from tests.support.loopback import Recorded
from tests.support.scripts import Failure, Json, Part, Reply, Script, Text, Thinking, Usage

_FIELDS = frozenset(
    [
        "model",
        "messages",
        "max_tokens",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "stream",
        "metadata",
        "stop_sequences",
        "temperature",
        "top_p",
        "top_k",
        "output_config",
        "context_management",
        "safeguards",
        "service_tier",
        "container",
        "mcp_servers",
    ]
)
_PAIRED = {  # a field and the beta that must come with it
    "context_management": "context-management-2025-06-27",
    "safeguards": "dangerous-tool-use-2026-09-03",
}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_CACHE_MARKS = 4


class FakeAnthropic(FakeProvider):
    """Speaks Messages. Thinking that comes back must carry a signature this fake has given."""

    dialect = "anthropic"
    model_path = "/v1/messages"

    def __init__(
        self, script: Script, *, key: str = "k", max_tokens: int = 128000, models: tuple[str, ...] = ()
    ) -> None:
        super().__init__(script, key=key, max_tokens=max_tokens, models=models)
        self.signatures: set[str] = set()

    @property
    def counts(self) -> list[Recorded]:
        """Requests to count_tokens."""
        return [r for r in self.requests if r.path.partition("?")[0].endswith("/count_tokens")]

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        given = {recorded.headers.get("x-api-key"), recorded.headers.get("authorization")} - {None}
        if (self.key and not given <= {self.key, f"Bearer {self.key}"}) or (self.key and not given):
            raise RejectedError("invalid x-api-key", 401, "authentication_error")
        if "anthropic-version" not in recorded.headers:
            raise RejectedError("anthropic-version: header is required")

    @override
    def side_reply(self, recorded: Recorded) -> Json | None:
        path = recorded.path.partition("?")[0]
        if path.endswith("/v1/models") and recorded.method == "GET":
            data = [{"type": "model", "id": name, "display_name": name} for name in self.models]
            return {"data": data, "has_more": False, "first_id": None, "last_id": None}
        if recorded.method == "POST" and path.endswith("/v1/messages/count_tokens"):
            self._check_body(recorded, counting=True)
            return {"input_tokens": len(recorded.body) // 4}
        if recorded.method != "POST" or not path.endswith("/v1/messages"):
            raise RejectedError("Not found", 404, "not_found_error")
        return None

    @override
    def check(self, recorded: Recorded) -> None:
        self._check_body(recorded, counting=False)

    def _check_body(self, recorded: Recorded, *, counting: bool) -> None:
        body = recorded.json
        if not isinstance(body, dict):
            raise RejectedError("The request body is not valid JSON")
        betas = recorded.headers.get("anthropic-beta", "")
        for name in body:
            if name not in _FIELDS or (name in _PAIRED and _PAIRED[name] not in betas):
                raise RejectedError(f"{name}: Extra inputs are not permitted")
        self.check_model(body)
        if not counting:
            self._check_limits(body)
        _check_tools(body.get("tools", []))
        if _marks(body) > _CACHE_MARKS:
            raise RejectedError(
                f"A maximum of 4 blocks with cache_control may be provided. Found {_marks(body)}."
            )
        self._check_messages(body.get("messages"))

    def _check_limits(self, body: Json) -> None:
        limit = body.get("max_tokens")
        if not isinstance(limit, int):
            raise RejectedError("max_tokens: Field required")
        if not 1 <= limit <= self.max_tokens:
            raise RejectedError(f"max_tokens: {limit} > {self.max_tokens}, which is the maximum allowed")
        thought = body.get("thinking") or {"type": "disabled"}
        if thought.get("type") not in {"enabled", "disabled", "adaptive"}:
            raise RejectedError("thinking.type: Input should be 'enabled', 'disabled' or 'adaptive'")
        if thought["type"] == "enabled" and not 1024 <= thought.get("budget_tokens", 0) < limit:
            raise RejectedError("`max_tokens` must be greater than `thinking.budget_tokens` (at least 1024).")
        if thought["type"] == "enabled" and body.get("temperature", 1) != 1:
            raise RejectedError("`temperature` may only be set to 1 when thinking is enabled.")

    def _check_messages(self, messages: object) -> None:
        if not isinstance(messages, list) or not messages:
            raise RejectedError("messages: at least one message is required")
        waiting: list[str] = []
        for index, message in enumerate(messages):
            role = message.get("role")
            if role not in {"user", "assistant", "system"}:
                raise RejectedError(f"messages.{index}.role: Input should be 'user', 'assistant' or 'system'")
            if index == 0 and role != "user":
                raise RejectedError('messages: first message must use the "user" role')
            blocks = _check_content(message.get("content"), index)
            if role == "user":
                waiting = _answered(blocks, waiting, index)
            elif role == "assistant":
                _nobody_waits(waiting, index)
                self._check_thinking(blocks, index)
                waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        _nobody_waits(waiting, len(messages))

    def _check_thinking(self, blocks: list[Json], index: int) -> None:
        for place, block in enumerate(blocks):
            if block["type"] == "thinking" and block.get("signature") not in self.signatures:
                raise RejectedError(
                    f"messages.{index}.content.{place}: Invalid `signature` in `thinking` block"
                )

    @override
    def whole(self, reply: Reply, request: Json) -> Json:
        return {
            **self._message(request),
            "content": [self._block(part) for part in reply.parts],
            "stop_reason": reply.stop_reason,
            "stop_sequence": None,
            "usage": _usage(reply.usage),
        }

    @override
    def events(self, reply: Reply, request: Json) -> Iterator[bytes]:
        opening = {**_usage(reply.usage), "output_tokens": 1}
        start = {
            **self._message(request),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": opening,
        }
        yield _event("message_start", message=start)
        for index, part in enumerate(reply.parts):
            block = self._block(part)
            yield _event("content_block_start", index=index, content_block=_empty(block))
            if index == 0:
                yield _event("ping")
            for delta in _deltas(part, block):
                yield _event("content_block_delta", index=index, delta=delta)
            yield _event("content_block_stop", index=index)
        stop = {"stop_reason": reply.stop_reason, "stop_sequence": None}
        yield _event("message_delta", delta=stop, usage=_usage(reply.usage))
        yield _event("message_stop")

    @override
    def error_body(self, failure: Failure) -> Json:
        kind = failure.kind or _KINDS.get(failure.status, "api_error")
        error = {"type": kind, "message": failure.message}
        return {"type": "error", "error": error, "request_id": f"req_{next(self.numbers):024d}"}

    @override
    def error_event(self, failure: Failure) -> bytes:
        return b"event: error\ndata: " + msgspec.json.encode(self.error_body(failure)) + b"\n\n"

    @override
    def headers(self) -> dict[str, str]:
        return {"content-type": "application/json", "request-id": f"req_{next(self.numbers):024d}"}

    def _message(self, request: Json) -> Json:
        identity = f"msg_{next(self.numbers):024d}"
        return {"id": identity, "type": "message", "role": "assistant", "model": request["model"]}

    def _block(self, part: Part) -> Json:
        if isinstance(part, Text):
            return {"type": "text", "text": part.text}
        if isinstance(part, Thinking):
            self.signatures.add(part.signature)
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        return {
            "type": "tool_use",
            "id": self.call_id(part.id, "toolu_"),
            "name": part.name,
            "input": part.input,
        }


def _event(kind: str, **fields: object) -> bytes:
    data = msgspec.json.encode({"type": kind, **fields})
    return f"event: {kind}\n".encode() + b"data: " + data + b"\n\n"


def _empty(block: Json) -> Json:
    """The block as content_block_start shows it, before its deltas."""
    blank: Json = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
        "tool_use": {"input": {}},
    }
    return {**block, **blank[block["type"]]}


def _deltas(part: Part, block: Json) -> Iterator[Json]:
    if isinstance(part, Text):
        yield from ({"type": "text_delta", "text": piece} for piece in pieces(part.text, part.pieces))
    elif isinstance(part, Thinking):
        yield from ({"type": "thinking_delta", "thinking": piece} for piece in pieces(part.text, 3))
        yield {"type": "signature_delta", "signature": part.signature}
    else:
        arguments = part.raw if part.raw is not None else msgspec.json.encode(block["input"]).decode()
        yield from (
            {"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(arguments, 5)]
        )


def _usage(usage: Usage | None) -> Json:
    used = usage or Usage(0, 0)
    return {
        "input_tokens": used.input,
        "cache_creation_input_tokens": used.cache_write,
        "cache_read_input_tokens": used.cache_read,
        "output_tokens": used.output,
    }


def _check_tools(tools: object) -> None:
    if not isinstance(tools, list):
        raise RejectedError("tools: Input should be a valid list")
    names = [tool.get("name") for tool in tools]
    for index, tool in enumerate(tools):
        if not isinstance(names[index], str) or not _NAME.fullmatch(names[index]):
            raise RejectedError(f"tools.{index}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if "type" not in tool and tool.get("input_schema", {}).get("type") != "object":
            raise RejectedError(f"tools.{index}.custom.input_schema.type: Field required")
    if len(set(names)) != len(names):
        raise RejectedError("tools: Tool names must be unique.")


def _check_content(content: object, index: int) -> list[Json]:
    if isinstance(content, str):
        if not content:
            raise RejectedError(f"messages.{index}: user messages must have non-empty content")
        return [{"type": "text", "text": content}]
    if not isinstance(content, list) or not content:
        raise RejectedError(f"messages.{index}: messages must have non-empty content")
    for place, block in enumerate(content):
        if not isinstance(block, dict) or "type" not in block:
            raise RejectedError(f"messages.{index}.content.{place}: Input should be a valid content block")
        if block["type"] == "text" and not block.get("text"):
            raise RejectedError("messages: text content blocks must be non-empty")
        if block["type"] in {"image_url", "function", "tool_calls"}:
            raise RejectedError(
                f"messages.{index}.content.{place}: Input tag '{block['type']}' is not expected"
            )
    return content


def _answered(blocks: list[Json], waiting: list[str], index: int) -> list[str]:
    """Check the tool results of a user message against the calls that wait for them."""
    given = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    if unexpected := [identity for identity in given if identity not in waiting]:
        raise RejectedError(
            f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {unexpected[0]}. Each"
            " `tool_result` block must have a corresponding `tool_use` block in the previous message."
        )
    _nobody_waits([identity for identity in waiting if identity not in given], index)
    return []


def _nobody_waits(waiting: list[str], index: int) -> None:
    if waiting:
        raise RejectedError(
            f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after:"
            f" {', '.join(waiting)}."
        )


def _marks(value: Any) -> int:
    """How many cache_control marks stand in the request, schemas and inputs excluded."""
    if isinstance(value, dict):
        inner = sum(_marks(v) for name, v in value.items() if name not in {"input_schema", "input"})
        return inner + ("cache_control" in value)
    return sum(_marks(inner) for inner in value) if isinstance(value, list) else 0
