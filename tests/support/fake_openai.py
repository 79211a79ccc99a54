"""A scripted OpenAI-compatible upstream: `POST .../chat/completions`, as strict as the strictest real ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from typing_extensions import override

from tests.support.chat_rules import (
    TOOL_NAME,
    check_calls,
    check_parts,
    check_tool,
    keywords,
    no_cache_control,
    nobody_waits,
)
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
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class FakeOpenAI(FakeProvider):
    """Speaks chat completions. The others who do (``fake_chats``) differ in these:

    Attributes:
        reasoning_echo: `reasoning_content` is accepted in assistant messages (DeepSeek).
        more_fields: top-level fields that it knows beside OpenAI's.
        more_message_fields: fields of assistant messages that it knows beside OpenAI's.
        more_parts: content parts of assistant messages that it knows beside OpenAI's.
        more_tools: types of tools that it runs itself.
        call_ids: what a call's id must look like.
        call_names: what a called function may be named.
        choices: the words of `tool_choice`; `named_choice`: a tool may be named.
        refused_keywords: what a tool may not have, in its declaration or its schema.
    """

    dialect = "openai"
    model_path = "/v1/chat/completions"
    reasoning_echo = False
    more_fields: frozenset[str] = frozenset()
    more_message_fields: frozenset[str] = frozenset()
    more_parts: frozenset[str] = frozenset()
    more_tools: frozenset[str] = frozenset()
    call_ids = re.compile(r".{1,64}", re.DOTALL)
    call_names = TOOL_NAME
    choices: frozenset[str] = frozenset({"auto", "none", "required"})
    named_choice = True
    refused_keywords: frozenset[str] = frozenset()

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
            if name not in _FIELDS | self.more_fields:
                raise RejectedError(f"Unrecognized request argument supplied: {name}")
        no_cache_control(body, "body")
        self.check_model(body)
        self._check_numbers(body)
        self._check_format(body.get("response_format"))
        self._check_tools(body)
        self._check_messages(body.get("messages"))

    def _check_format(self, given: object) -> None:
        if given is None:
            return
        kind = given.get("type") if isinstance(given, dict) else None
        if not isinstance(given, dict) or kind not in {"text", "json_object", "json_schema"}:
            raise RejectedError("Invalid value: 'response_format.type'.")
        if kind == "json_schema" and not (
            TOOL_NAME.fullmatch(given["json_schema"].get("name", ""))
            and isinstance(given["json_schema"].get("schema"), dict)
        ):
            raise RejectedError("Missing required parameter: 'response_format.json_schema'.")

    def _check_tools(self, body: Json) -> None:
        if "tools" not in body:
            if "tool_choice" in body or "parallel_tool_calls" in body:
                raise RejectedError("'tool_choice' is only allowed when 'tools' are specified.")
            return
        tools = body["tools"]
        if not isinstance(tools, list) or not tools:
            raise RejectedError("[] is too short - 'tools'")
        own = [tool for tool in tools if tool.get("type") not in self.more_tools]
        names = [check_tool(tool, index) for index, tool in enumerate(own)]
        if len(names) > 128:
            raise RejectedError("Invalid 'tools': array too long. Expected at most 128.")
        if len(set(names)) != len(names):
            raise RejectedError("tools: names must be unique")
        if found := self.refused_keywords & keywords(tools):
            raise RejectedError(f"Extra inputs are not permitted: tools: {min(found)}", 422)
        self._check_choice(body.get("tool_choice", "auto"), names)

    def _check_choice(self, choice: object, names: list[str]) -> None:
        if isinstance(choice, dict):
            if not self.named_choice or choice.get("type") != "function":
                raise RejectedError("Invalid value for 'tool_choice'.")
            if choice["function"]["name"] not in names:
                raise RejectedError("Invalid value for 'tool_choice': function not found in 'tools'.")
        elif choice not in self.choices:
            raise RejectedError(f"Invalid value for 'tool_choice': {choice!r}")

    def _check_messages(self, messages: object) -> None:
        if not isinstance(messages, list) or not messages:
            raise RejectedError("[] is too short - 'messages'")
        waiting: list[str] = []
        for index, message in enumerate(messages):
            role = self._check_message(message, index)
            if role == "tool":
                identity = message.get("tool_call_id")
                if identity not in waiting:
                    raise RejectedError(
                        f"messages[{index}]: messages with role 'tool' must be a response to a preceding message"
                        " with 'tool_calls'."
                    )
                waiting.remove(identity)
                continue
            nobody_waits(waiting)
            if role == "assistant":
                waiting = [call["id"] for call in message.get("tool_calls") or []]
                if len(set(waiting)) != len(waiting):
                    raise RejectedError(f"messages[{index}]: duplicate tool call ids")
        nobody_waits(waiting)

    def _check_message(self, message: Json, index: int) -> str:
        role = message.get("role")
        if role not in _MESSAGE_FIELDS:
            raise RejectedError(
                f"Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'tool'."
            )
        allowed, parts = _MESSAGE_FIELDS[role], _PARTS[role]
        if role == "assistant":
            allowed |= self.more_message_fields | ({"reasoning_content"} if self.reasoning_echo else set())
            parts |= self.more_parts
        if unknown := set(message) - allowed:
            raise RejectedError(f"Unknown parameter: 'messages[{index}].{min(unknown)}'.")
        calls = message.get("tool_calls")
        if calls is not None:
            check_calls(calls, index, self.call_ids, self.call_names)
        content = message.get("content")
        if content is None and not (role == "assistant" and calls):
            raise RejectedError(
                f"Invalid value for 'content': expected a string, got null. (messages[{index}])"
            )
        if isinstance(content, list):
            check_parts(content, role, parts, index)
        elif content is not None and not isinstance(content, str):
            raise RejectedError(f"Invalid type for 'messages[{index}].content'.")
        return str(role)

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
