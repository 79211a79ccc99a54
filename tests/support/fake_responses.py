"""A scripted OpenAI Responses upstream: `POST .../responses`, as strict as the strictest real ones.

Reasoning comes with `encrypted_content` where it is asked for. It must come back as it went out, in order, before the call
that it led to, for as long as that call stands in the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from attrs import evolve
from typing_extensions import override

from tests.support.fake_provider import FakeProvider, RejectedError, pieces
from tests.support.loopback import Recorded
from tests.support.scripts import Failure, Json, Part, Reply, Script, Seen, Text, Thinking, ToolCall, Usage

_FIELDS = frozenset(
    [
        "background",
        "context_management",
        "conversation",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    ]
)
_ITEM_FIELDS = {
    "message": frozenset({"type", "role", "content", "id", "status", "phase"}),
    "function_call": frozenset({"type", "call_id", "name", "namespace", "arguments", "id", "status"}),
    "function_call_output": frozenset({"type", "call_id", "output", "id", "status"}),
    "custom_tool_call": frozenset({"type", "call_id", "name", "namespace", "input", "id", "status"}),
    "custom_tool_call_output": frozenset({"type", "call_id", "output", "id"}),
    "reasoning": frozenset({"type", "id", "summary", "content", "encrypted_content", "status"}),
    "web_search_call": frozenset({"type", "id", "status", "action"}),
}
_TOOL_FIELDS = {
    "function": frozenset({"type", "name", "description", "parameters", "strict", "defer_loading"}),
    "custom": frozenset({"type", "name", "description", "format", "defer_loading"}),
    "web_search": frozenset(
        {"type", "filters", "user_location", "search_context_size", "external_web_access"}
    ),
}
_PARTS = {
    "user": frozenset({"input_text", "input_image", "input_file"}),
    "system": frozenset({"input_text"}),
    "developer": frozenset({"input_text"}),
    "assistant": frozenset({"output_text", "refusal"}),
}
_PART_FIELDS = {
    "input_text": frozenset({"type", "text"}),
    "output_text": frozenset({"type", "text", "annotations", "logprobs"}),
    "refusal": frozenset({"type", "refusal"}),
    "input_image": frozenset({"type", "detail", "image_url", "file_id"}),
    "input_file": frozenset({"type", "detail", "file_data", "file_id", "file_url", "filename"}),
}
_INCLUDES = frozenset(
    ["reasoning.encrypted_content", "web_search_call.action.sources", "message.output_text.logprobs"]
)
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CALLS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
}
_FOLLOWERS = frozenset({"function_call", "custom_tool_call", "message", "web_search_call", "reasoning"})
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})


class FakeResponses(FakeProvider):
    """Speaks Responses. ``reasons`` = a model that thinks: it takes no sampling and gives its thoughts back sealed."""

    dialect = "openai_responses"
    model_path = "/v1/responses"
    demands_thoughts = True
    """What was thought before a call must come back with it; false for clients that have no place for it."""

    def __init__(
        self,
        script: Script,
        *,
        key: str = "k",
        max_tokens: int = 128000,
        models: tuple[str, ...] = (),
        reasons: bool = True,
    ) -> None:
        super().__init__(script, key=key, max_tokens=max_tokens, models=models)
        self.reasons = reasons
        self.thoughts: dict[str, str] = {}
        """Every ``encrypted_content`` that was given, with the id of its item."""
        self.before: dict[str, list[str]] = {}
        """For every call the ``encrypted_content`` of the thoughts that led to it."""

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        if self.key and recorded.headers.get("authorization") != f"Bearer {self.key}":
            raise RejectedError("Incorrect API key provided.", 401, "invalid_request_error")

    @override
    def side_reply(self, recorded: Recorded) -> Json | None:
        path = recorded.path.partition("?")[0]
        if path.endswith("/models") and recorded.method == "GET":
            return {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]}
        if recorded.method != "POST" or not path.endswith("/responses"):
            raise RejectedError(f"Invalid URL ({recorded.method} {path})", 404)
        return None

    @override
    def check(self, recorded: Recorded) -> None:
        body = recorded.json
        if not isinstance(body, dict):
            raise RejectedError("We could not parse the JSON body of your request.")
        for name in body:
            if name not in _FIELDS:
                raise RejectedError(f"Unknown parameter: '{name}'.")
        self.check_model(body)
        self._check_settings(body)
        _check_tools(body)
        self._check_input(body.get("input"))

    def _check_settings(self, body: Json) -> None:
        limit = body.get("max_output_tokens", 16)
        if not isinstance(limit, int) or not 16 <= limit <= self.max_tokens:
            raise RejectedError(f"Invalid 'max_output_tokens': {limit} is not in 16..{self.max_tokens}.")
        if len(body.get("prompt_cache_key", "")) > 64:
            raise RejectedError("Invalid 'prompt_cache_key': string too long (64).")
        if body.get("previous_response_id") is not None:
            raise RejectedError("Previous response not found.", 400)
        self._check_reasoning(body)

    def _check_reasoning(self, body: Json) -> None:
        for name in ("temperature", "top_p"):
            if self.reasons and name in body:
                raise RejectedError(f"Unsupported parameter: '{name}' is not supported with this model.")
        reasoning = body.get("reasoning", {})
        if reasoning and not self.reasons:
            raise RejectedError("Unsupported parameter: 'reasoning.effort' is not supported with this model.")
        if unknown := set(reasoning) - {"effort", "summary", "generate_summary", "context", "mode"}:
            raise RejectedError(f"Unknown parameter: 'reasoning.{min(unknown)}'.")
        if reasoning.get("effort", "low") not in _EFFORTS:
            raise RejectedError(f"Invalid value: '{reasoning['effort']}' for 'reasoning.effort'.")
        for word in body.get("include", []):
            if word not in _INCLUDES:
                raise RejectedError(f"Invalid value: '{word}' for 'include'.")
        if "reasoning.encrypted_content" in body.get("include", []) and not self.reasons:
            raise RejectedError("Encrypted content is not supported with this model.")

    def _check_input(self, given: object) -> None:
        if not isinstance(given, list | str) or not given:
            raise RejectedError("Missing required parameter: 'input'.")
        if isinstance(given, list):
            self._check_items(given)

    def _check_items(self, given: list[Any]) -> None:
        waiting: dict[str, str] = {}
        thoughts: list[str] = []
        for index, item in enumerate(given):
            kind = _check_item(item, index)
            if kind.endswith("_output"):
                if waiting.pop(item["call_id"], "") != kind:
                    raise RejectedError(f"No tool call found for {kind} with call_id {item['call_id']}.")
                continue
            if kind == "reasoning" or item.get("role") == "user":
                _nobody_waits(waiting)
            if kind not in _FOLLOWERS or item.get("role", "assistant") != "assistant":
                _nothing_alone(thoughts)
            if kind == "reasoning":
                self._check_thought(item, index)
                thoughts.append(item["encrypted_content"])
                continue
            if kind in _CALLS:
                self._check_led(item["call_id"], thoughts)
                waiting[item["call_id"]] = _CALLS[kind]
            thoughts = []
        _nobody_waits(waiting)
        _nothing_alone(thoughts)

    def _check_thought(self, item: Json, index: int) -> None:
        sealed = item.get("encrypted_content")
        if not isinstance(sealed, str) or sealed not in self.thoughts:
            raise RejectedError(f"input[{index}]: The encrypted content could not be verified.")
        if item.get("id", self.thoughts[sealed]) != self.thoughts[sealed]:
            raise RejectedError(f"input[{index}]: Item with id '{item['id']}' not found.")

    def _check_led(self, call_id: str, thoughts: list[str]) -> None:
        """What this fake thought before a call must stand before it."""
        wanted = self.before.get(call_id, [])
        if self.demands_thoughts and thoughts != wanted:
            raise RejectedError(
                f"Item 'function_call' {call_id} was provided without its required 'reasoning' item."
            )

    @override
    def _seen(self, recorded: Recorded) -> Seen:
        seen = super()._seen(recorded)
        return evolve(seen, json={**recorded.json, **_as_chat(recorded.json)})

    # ------------------------------------------------------------------------------------------ replies

    @override
    def whole(self, reply: Reply, request: Json) -> Json:
        output = self._items(reply, request)
        return _ended(self._response(request), reply, output)

    @override
    def events(self, reply: Reply, request: Json) -> Iterator[bytes]:
        number = 0
        response = self._response(request)

        def event(kind: str, **fields: object) -> bytes:
            nonlocal number
            data = {"type": kind, "sequence_number": number, **fields}
            number += 1
            return f"event: {kind}\n".encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"

        yield event("response.created", response=response)
        yield event("response.in_progress", response=response)
        output = self._items(reply, request)
        for index, item in enumerate(output):
            yield event("response.output_item.added", output_index=index, item=_blank(item))
            for kind, fields in _fillings(item, reply):
                yield event(kind, item_id=item["id"], output_index=index, **fields)
            yield event("response.output_item.done", output_index=index, item=item)
        ended = _ended(response, reply, output)
        yield event(f"response.{ended['status']}", response=ended)

    @override
    def error_body(self, failure: Failure) -> Json:
        kind = failure.kind or "invalid_request_error" if failure.status < 500 else "server_error"
        code = {429: "rate_limit_exceeded", 401: "invalid_api_key"}.get(failure.status)
        return {"error": {"message": failure.message, "type": kind, "param": None, "code": code}}

    @override
    def error_event(self, failure: Failure) -> bytes:
        code = "rate_limit_exceeded" if failure.status == 429 else "server_error"
        data = {
            "type": "error",
            "code": code,
            "message": failure.message,
            "param": None,
            "sequence_number": 9,
        }
        return b"event: error\ndata: " + msgspec.json.encode(data) + b"\n\n"

    def _response(self, request: Json) -> Json:
        return {
            "id": f"resp_{next(self.numbers):024d}",
            "object": "response",
            "created_at": 1700000000,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": request.get("instructions"),
            "metadata": {},
            "model": request["model"],
            "output": [],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": request.get("tools", []),
            "top_p": 1.0,
            "usage": None,
        }

    def _items(self, reply: Reply, request: Json) -> list[Json]:
        custom = {tool["name"] for tool in request.get("tools", []) if tool["type"] == "custom"}
        items: list[Json] = []
        led: list[str] = []
        for part in reply.parts:
            if isinstance(part, Thinking):
                item = self._thought(part, request)
                led += [item["encrypted_content"]] if item.get("encrypted_content") else []
            else:
                item = self._item(part, custom)
                if isinstance(part, ToolCall):
                    self.before[item["call_id"]] = led
                led = []
            items.append(item)
        return items

    def _thought(self, part: Thinking, request: Json) -> Json:
        item: Json = {
            "id": f"rs_{next(self.numbers):024d}",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": part.text}],
        }
        if "reasoning.encrypted_content" in request.get("include", []):
            sealed = f"gAAAA{next(self.numbers):08d}{part.signature}"
            self.thoughts[sealed] = item["id"]
            item["encrypted_content"] = sealed
        return item

    def _item(self, part: Part, custom: set[str]) -> Json:
        if isinstance(part, Text):
            content = {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}
            return {
                "id": f"msg_{next(self.numbers):024d}",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [content],
            }
        assert isinstance(part, ToolCall), "what parts there are"
        made: Json = {"call_id": self.call_id(part.id, "call_rs"), "name": part.name, "status": "completed"}
        if part.name in custom:
            text = str(part.raw if part.raw is not None else part.input.get("input", ""))
            return {"id": f"ctc_{next(self.numbers):024d}", "type": "custom_tool_call", **made, "input": text}
        arguments = part.raw if part.raw is not None else msgspec.json.encode(part.input).decode()
        return {
            "id": f"fc_{next(self.numbers):024d}",
            "type": "function_call",
            **made,
            "arguments": arguments,
        }


def _ended(response: Json, reply: Reply, output: list[Json]) -> Json:
    cut = {"max_tokens": "max_output_tokens", "refusal": "content_filter"}.get(reply.stop_reason)
    return {
        **response,
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": cut} if cut else None,
        "output": output,
        "usage": _usage(reply.usage) if reply.usage else None,
    }


def _blank(item: Json) -> Json:
    """The item as output_item.added shows it, before anything of it was told."""
    empty: dict[str, Json] = {
        "message": {"status": "in_progress", "content": []},
        "reasoning": {"summary": []},
        "function_call": {"status": "in_progress", "arguments": ""},
        "custom_tool_call": {"status": "in_progress", "input": ""},
    }
    return {
        name: value for name, value in {**item, **empty[item["type"]]}.items() if name != "encrypted_content"
    }


def _fillings(item: Json, reply: Reply) -> Iterator[tuple[str, Json]]:
    match item["type"]:
        case "message":
            part = item["content"][0]
            at: Json = {"content_index": 0}
            many = next(
                one.pieces for one in reply.parts if isinstance(one, Text) and one.text == part["text"]
            )
            yield "response.content_part.added", {**at, "part": {**part, "text": ""}}
            for piece in pieces(part["text"], many):
                yield "response.output_text.delta", {**at, "delta": piece, "logprobs": []}
            yield "response.output_text.done", {**at, "text": part["text"], "logprobs": []}
            yield "response.content_part.done", {**at, "part": part}
        case "reasoning":
            part, at = item["summary"][0], {"summary_index": 0}
            yield "response.reasoning_summary_part.added", {**at, "part": {**part, "text": ""}}
            for piece in pieces(part["text"], 3):
                yield "response.reasoning_summary_text.delta", {**at, "delta": piece}
            yield "response.reasoning_summary_text.done", {**at, "text": part["text"]}
            yield "response.reasoning_summary_part.done", {**at, "part": part}
        case "function_call":
            for piece in pieces(item["arguments"], 5):
                yield "response.function_call_arguments.delta", {"delta": piece}
            yield "response.function_call_arguments.done", {"arguments": item["arguments"]}
        case _:
            for piece in pieces(item["input"], 5):
                yield "response.custom_tool_call_input.delta", {"delta": piece}
            yield "response.custom_tool_call_input.done", {"input": item["input"]}


def _usage(usage: Usage) -> Json:
    given = usage.input + usage.cache_read + usage.cache_write
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + usage.output,
    }


# --------------------------------------------------------------------------------------------- checks


def _nobody_waits(waiting: dict[str, str]) -> None:
    if waiting:
        raise RejectedError(f"No tool output found for function call {next(iter(waiting))}.")


def _nothing_alone(thoughts: list[str]) -> None:
    if thoughts:
        raise RejectedError("Item of type 'reasoning' was provided without its required following item.")


def _check_tools(body: Json) -> None:
    if "tools" not in body:
        if "tool_choice" in body:
            raise RejectedError("Tool choice is only allowed when 'tools' are specified.")
        return
    tools = body["tools"]
    if not isinstance(tools, list) or not 1 <= len(tools) <= 128:
        raise RejectedError("Invalid 'tools': array too short or too long.")
    names = [name for index, tool in enumerate(tools) if (name := _check_tool(tool, index))]
    if len(set(names)) != len(names):
        raise RejectedError("tools: names must be unique")
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        if choice.get("type") in {"function", "custom"} and choice.get("name") not in names:
            raise RejectedError(f"Tool choice '{choice.get('name')}' not found in 'tools' parameter.")
        if choice.get("type") not in {"function", "custom", "allowed_tools"}:
            raise RejectedError("Invalid value for 'tool_choice.type'.")
    elif choice not in {"auto", "none", "required"}:
        raise RejectedError(f"Invalid value for 'tool_choice': {choice!r}")


def _check_tool(tool: Json, index: int) -> str:
    kind = tool.get("type")
    if kind not in _TOOL_FIELDS:
        raise RejectedError(f"Invalid value: '{kind}' for 'tools[{index}].type'.")
    if unknown := set(tool) - _TOOL_FIELDS[kind]:
        raise RejectedError(f"Unknown parameter: 'tools[{index}].{min(unknown)}'.")
    if kind == "web_search":
        return ""
    name = tool.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RejectedError(f"Invalid 'tools[{index}].name': must match ^[a-zA-Z0-9_-]{{1,64}}$")
    if kind == "function":
        schema = tool.get("parameters")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise RejectedError(f"Invalid schema for function '{name}': schema must be of type object.")
        if tool.get("strict", True) and schema.get("additionalProperties") is not False:
            raise RejectedError(
                f"Invalid schema for function '{name}': 'additionalProperties' is required to be false."
            )
    return name


def _check_item(item: Any, index: int) -> str:
    if not isinstance(item, dict):
        raise RejectedError(f"Invalid type for 'input[{index}]': expected an object.")
    kind = str(item.get("type", "message"))
    if kind not in _ITEM_FIELDS:
        raise RejectedError(f"Invalid value: '{kind}' for 'input[{index}].type'.")
    if unknown := set(item) - _ITEM_FIELDS[kind]:
        raise RejectedError(f"Unknown parameter: 'input[{index}].{min(unknown)}'.")
    if kind == "message":
        _check_message(item, index)
    elif kind in _CALLS:
        _check_id(item.get("call_id"), index)
        if not _NAME.fullmatch(item.get("name", "")):
            raise RejectedError(f"Invalid 'input[{index}].name'.")
        if not isinstance(item.get("arguments", item.get("input")), str):
            raise RejectedError(f"Missing required parameter: 'input[{index}].arguments'.")
    elif kind.endswith("_output"):
        _check_id(item.get("call_id"), index)
        _check_output(item.get("output"), index)
    return kind


def _check_id(call_id: object, index: int) -> None:
    if not isinstance(call_id, str) or not 1 <= len(call_id) <= 64:
        raise RejectedError(f"Invalid 'input[{index}].call_id': string too long (64) or empty.")


def _check_output(output: object, index: int) -> None:
    if isinstance(output, list):
        _check_parts(output, "user", f"input[{index}].output")
    elif not isinstance(output, str) or not output:
        raise RejectedError(f"Invalid 'input[{index}].output': expected a string.")


def _check_message(item: Json, index: int) -> None:
    role = item.get("role")
    if role not in _PARTS:
        raise RejectedError(
            f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'."
        )
    content = item.get("content")
    if isinstance(content, list):
        _check_parts(content, role, f"input[{index}].content")
    elif not isinstance(content, str) or not content:
        raise RejectedError(f"Invalid 'input[{index}].content': empty.")


def _check_parts(parts: list[Json], role: str, where: str) -> None:
    if not parts:
        raise RejectedError(f"Invalid '{where}': empty array.")
    for part in parts:
        kind = str(part.get("type"))
        if kind not in _PARTS[role]:
            raise RejectedError(f"Invalid value: '{kind}' in '{where}'.")
        if unknown := set(part) - _PART_FIELDS[kind]:
            raise RejectedError(f"Unknown parameter: '{where}.{min(unknown)}'.")
        if kind in {"input_text", "output_text"} and not part.get("text"):
            raise RejectedError(f"Invalid '{where}': empty text.")
        if kind == "input_image" and not str(part.get("image_url", part.get("file_id", ""))).startswith(
            ("data:image/", "http", "file-")
        ):
            raise RejectedError(f"Invalid '{where}.image_url'.")
        if kind == "input_file" and not (
            part.get("file_data") or part.get("file_url") or part.get("file_id")
        ):
            raise RejectedError(f"Invalid '{where}': a file needs file_data, file_url or file_id.")


# --------------------------------------------------------------------------- in the words of other fakes


def _as_chat(body: Json) -> Json:
    """The input as messages of chat completions, so that the questions of `Seen` have answers; calls of one turn are one."""
    given = body.get("input")
    items = given if isinstance(given, list) else [{"role": "user", "content": given}]
    messages: list[Json] = []
    for item in items:
        kind = str(item.get("type", "message"))
        if kind in _CALLS:
            call = {"id": item["call_id"], "function": {"name": item["name"]}}
            _answer(messages).setdefault("tool_calls", []).append(call)
        elif kind.endswith("_output"):
            content = _neutral(item["output"])
            messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": content})
        elif kind == "message" and item.get("role") == "assistant":
            _answer(messages).setdefault("content", []).extend(_neutral(item["content"]))
        elif kind == "message":
            messages.append({"role": item["role"], "content": _neutral(item["content"])})
    tools = [{**tool, "name": tool.get("name", tool["type"])} for tool in body.get("tools", [])]
    return {"messages": messages, "system": body.get("instructions"), "tools": tools}


def _answer(messages: list[Json]) -> Json:
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant"})
    return messages[-1]


def _neutral(content: object) -> list[Json]:
    if not isinstance(content, list):
        return [{"type": "text", "text": content}]
    return [
        {"type": "image_url", "image_url": {"url": part.get("image_url", "")}}
        if part["type"] == "input_image"
        else {"type": "text", "text": part.get("text", part.get("filename", ""))}
        for part in content
    ]
