"""A scripted OpenAI-compatible upstream: `POST .../chat/completions`, as strict as the strictest real ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from typing_extensions import override

from tests.support.fake_provider import FakeProvider, RejectedError, pieces
from tests.support.loopback import Recorded
from tests.support.scripts import Failure, Json, Reply, Text, Thinking, ToolCall, Usage

_FIELDS = frozenset(
    [
        "model",
        "messages",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "stop",
        "n",
        "seed",
        "user",
        "response_format",
        "reasoning_effort",
        "metadata",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "presence_penalty",
        "frequency_penalty",
        "service_tier",
        "store",
        "verbosity",
        "prompt_cache_key",
        "safety_identifier",
        "modalities",
        "prediction",
    ]
)
_MESSAGE_FIELDS = {
    "system": frozenset({"role", "content", "name"}),
    "developer": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset({"role", "content", "name", "tool_calls", "refusal"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
}
_PARTS = {
    "system": frozenset({"text"}),
    "developer": frozenset({"text"}),
    "user": frozenset({"text", "image_url", "file", "input_audio"}),
    "assistant": frozenset({"text", "refusal"}),
    "tool": frozenset({"text"}),
}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class FakeOpenAI(FakeProvider):
    """Speaks chat completions. `reasoning_echo` accepts `reasoning_content` in assistant messages (DeepSeek)."""

    dialect = "openai"
    model_path = "/v1/chat/completions"
    reasoning_echo = False

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        if self.key and recorded.headers.get("authorization") != f"Bearer {self.key}":
            raise RejectedError("Incorrect API key provided.", 401, "invalid_request_error")

    @override
    def side_reply(self, recorded: Recorded) -> Json | None:
        path = recorded.path.partition("?")[0]
        if path.endswith("/models") and recorded.method == "GET":
            return {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]}
        if recorded.method != "POST" or not path.endswith("/chat/completions"):
            raise RejectedError(f"Invalid URL ({recorded.method} {path})", 404)
        return None

    @override
    def check(self, recorded: Recorded) -> None:
        body = recorded.json
        if not isinstance(body, dict):
            raise RejectedError("We could not parse the JSON body of your request.")
        for name in body:
            if name not in _FIELDS:
                raise RejectedError(f"Unrecognized request argument supplied: {name}")
        _no_cache_control(body, "body")
        self.check_model(body)
        self._check_numbers(body)
        _check_tools(body)
        _check_messages(body.get("messages"), reasoning_echo=self.reasoning_echo)

    def _check_numbers(self, body: Json) -> None:
        if "max_tokens" in body and "max_completion_tokens" in body:
            raise RejectedError(
                "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
            )
        limit = body.get("max_tokens", body.get("max_completion_tokens", 1))
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise RejectedError("Invalid 'max_tokens': integer below minimum value.")
        if limit > self.max_tokens:
            raise RejectedError(
                f"max_tokens is too large: {limit}. This model supports at most {self.max_tokens} completion tokens"
            )
        if "stream_options" in body and body.get("stream") is not True:
            raise RejectedError("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
        if "metadata" in body and not all(
            isinstance(value, str) for value in dict(body["metadata"]).values()
        ):
            raise RejectedError("Invalid type for 'metadata': expected an object of strings.")
        if "user" in body and (not isinstance(body["user"], str) or len(body["user"]) > 512):
            raise RejectedError("Invalid 'user': expected a string of at most 512 characters.")
        if body.get("reasoning_effort", "low") not in {"none", "minimal", "low", "medium", "high", "xhigh"}:
            raise RejectedError("Invalid value for 'reasoning_effort'.")
        if isinstance(body.get("stop"), list) and not 1 <= len(body["stop"]) <= 4:
            raise RejectedError("Invalid 'stop': array too long or empty.")

    @override
    def whole(self, reply: Reply, request: Json) -> Json:
        message: Json = {"role": "assistant", "content": None, "refusal": None}
        calls: list[Json] = []
        for part in reply.parts:
            if isinstance(part, Text):
                message["content"] = (message["content"] or "") + part.text
            elif isinstance(part, Thinking):
                message["reasoning_content"] = message.get("reasoning_content", "") + part.text
            else:
                calls.append(self._call(part))
        if calls:
            message["tool_calls"] = calls
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": _FINISH[reply.stop_reason],
        }
        whole = {**self._envelope(request, "chat.completion"), "choices": [choice]}
        if reply.usage is not None:
            whole["usage"] = _usage(reply.usage)
        return whole

    @override
    def events(self, reply: Reply, request: Json) -> Iterator[bytes]:
        envelope = self._envelope(request, "chat.completion.chunk")
        wants_usage = bool((request.get("stream_options") or {}).get("include_usage"))
        extra: Json = {"usage": None} if wants_usage else {}

        def chunk(delta: Json, finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return _event({**envelope, "choices": [choice], **extra})

        yield chunk({"role": "assistant", "content": ""})
        index = 0
        for part in reply.parts:
            if isinstance(part, ToolCall):
                yield from (chunk(delta) for delta in self._call_deltas(part, index))
                index += 1
            elif isinstance(part, Thinking):
                yield from (chunk({"reasoning_content": piece}) for piece in pieces(part.text, 3))
            else:
                yield from (chunk({"content": piece}) for piece in pieces(part.text, part.pieces))
        yield chunk({}, _FINISH[reply.stop_reason])
        if wants_usage and reply.usage is not None:
            yield _event({**envelope, "choices": [], "usage": _usage(reply.usage)})
        yield b"data: [DONE]\n\n"

    @override
    def error_body(self, failure: Failure) -> Json:
        kind = failure.kind or {429: "rate_limit_exceeded", 401: "invalid_request_error"}.get(
            failure.status, "invalid_request_error" if failure.status < 500 else "server_error"
        )
        return {"error": {"message": failure.message, "type": kind, "param": None, "code": None}}

    @override
    def error_event(self, failure: Failure) -> bytes:
        return _event(self.error_body(failure))

    def _envelope(self, request: Json, kind: str) -> Json:
        number = next(self.numbers)
        return {
            "id": f"chatcmpl-{number:012d}",
            "object": kind,
            "created": 1700000000,
            "model": request["model"],
        }

    def _call(self, part: ToolCall) -> Json:
        arguments = part.raw if part.raw is not None else msgspec.json.encode(part.input).decode()
        return {
            "id": self.call_id(part.id, "call_"),
            "type": "function",
            "function": {"name": part.name, "arguments": arguments},
        }

    def _call_deltas(self, part: ToolCall, index: int) -> Iterator[Json]:
        call = self._call(part)
        arguments = call["function"]["arguments"]
        first = {**call, "index": index, "function": {"name": part.name, "arguments": ""}}
        yield {"tool_calls": [first]}
        for piece in pieces(arguments, 5):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _event(payload: Json) -> bytes:
    return b"data: " + msgspec.json.encode(payload) + b"\n\n"


def _usage(usage: Usage) -> Json:
    prompt = usage.input + usage.cache_read + usage.cache_write
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
    }


def _no_cache_control(value: Any, path: str) -> None:
    """Refuse Anthropic's cache markers outside tool schemas and arguments."""
    if isinstance(value, dict):
        if "cache_control" in value:
            raise RejectedError(f"Unknown parameter: '{path}.cache_control'.")
        for name, inner in value.items():
            if name not in {"parameters", "arguments", "schema"}:
                _no_cache_control(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _no_cache_control(inner, f"{path}[{index}]")


def _check_tools(body: Json) -> None:
    if "tools" not in body:
        if "tool_choice" in body or "parallel_tool_calls" in body:
            raise RejectedError("'tool_choice' is only allowed when 'tools' are specified.")
        return
    tools = body["tools"]
    if not isinstance(tools, list) or not tools:
        raise RejectedError("[] is too short - 'tools'")
    names = [_check_tool(tool, index) for index, tool in enumerate(tools)]
    if len(names) > 128:
        raise RejectedError("Invalid 'tools': array too long. Expected at most 128.")
    if len(set(names)) != len(names):
        raise RejectedError("tools: names must be unique")
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        if choice.get("type") != "function" or choice["function"]["name"] not in names:
            raise RejectedError("Invalid value for 'tool_choice': function not found in 'tools'.")
    elif choice not in {"auto", "none", "required"}:
        raise RejectedError(f"Invalid value for 'tool_choice': {choice!r}")


def _check_tool(tool: Json, index: int) -> str:
    if tool.get("type") != "function" or set(tool) != {"type", "function"}:
        raise RejectedError(
            f"Invalid 'tools[{index}]': expected exactly type and function, got {sorted(tool)}"
        )
    function = tool["function"]
    if unknown := set(function) - {"name", "description", "parameters", "strict"}:
        raise RejectedError(f"Unknown parameter: 'tools[{index}].function.{min(unknown)}'.")
    name = function.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RejectedError(f"Invalid 'tools[{index}].function.name': must match ^[a-zA-Z0-9_-]{{1,64}}$")
    parameters = function.get("parameters", {"type": "object"})
    if not isinstance(parameters, dict) or parameters.get("type") != "object":
        raise RejectedError(f"Invalid schema for function '{name}': schema must be of type object.")
    return name


def _check_messages(messages: object, *, reasoning_echo: bool) -> None:
    if not isinstance(messages, list) or not messages:
        raise RejectedError("[] is too short - 'messages'")
    waiting: list[str] = []
    for index, message in enumerate(messages):
        role = _check_message(message, index, reasoning_echo=reasoning_echo)
        if role == "tool":
            identity = message.get("tool_call_id")
            if identity not in waiting:
                raise RejectedError(
                    f"messages[{index}]: messages with role 'tool' must be a response to a preceding message"
                    " with 'tool_calls'."
                )
            waiting.remove(identity)
            continue
        _nobody_waits(waiting)
        if role == "assistant":
            waiting = [call["id"] for call in message.get("tool_calls") or []]
            if len(set(waiting)) != len(waiting):
                raise RejectedError(f"messages[{index}]: duplicate tool call ids")
    _nobody_waits(waiting)


def _nobody_waits(waiting: list[str]) -> None:
    if waiting:
        raise RejectedError(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            f" 'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}"
        )


def _check_message(message: Json, index: int, *, reasoning_echo: bool) -> str:
    role = message.get("role")
    if role not in _MESSAGE_FIELDS:
        raise RejectedError(
            f"Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'tool'."
        )
    allowed = _MESSAGE_FIELDS[role] | ({"reasoning_content"} if reasoning_echo else frozenset())
    if unknown := set(message) - allowed:
        raise RejectedError(f"Unknown parameter: 'messages[{index}].{min(unknown)}'.")
    calls = message.get("tool_calls")
    if calls is not None:
        _check_calls(calls, index)
    content = message.get("content")
    if content is None and not (role == "assistant" and calls):
        raise RejectedError(f"Invalid value for 'content': expected a string, got null. (messages[{index}])")
    if isinstance(content, list):
        _check_parts(content, role, index)
    elif content is not None and not isinstance(content, str):
        raise RejectedError(f"Invalid type for 'messages[{index}].content'.")
    return str(role)


def _check_calls(calls: list[Json], index: int) -> None:
    if not calls:
        raise RejectedError(f"Invalid 'messages[{index}].tool_calls': empty array.")
    for call in calls:
        if set(call) != {"id", "type", "function"} or call["type"] != "function":
            raise RejectedError(f"Invalid 'messages[{index}].tool_calls': {sorted(call)}")
        function = call["function"]
        if not isinstance(function.get("arguments"), str) or not _NAME.fullmatch(function.get("name", "")):
            raise RejectedError(f"Invalid 'messages[{index}].tool_calls.function'.")
        if len(call["id"]) > 64:
            raise RejectedError(f"Invalid 'messages[{index}].tool_calls.id': string too long (64).")


def _check_parts(content: list[Json], role: str, index: int) -> None:
    if not content:
        raise RejectedError(f"Invalid 'messages[{index}].content': empty array.")
    for part in content:
        kind = part.get("type")
        if kind not in _PARTS[role]:
            raise RejectedError(
                f"Invalid value: '{kind}' in a message of role {role} (messages[{index}].content)."
            )
        if set(part) != {"type", kind}:
            raise RejectedError(f"Unknown parameter in 'messages[{index}].content': {sorted(part)}")
        if kind == "image_url" and not str(part["image_url"].get("url", "")).startswith(
            ("data:image/", "http")
        ):
            raise RejectedError("Invalid image_url.")
