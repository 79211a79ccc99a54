"""The four official SDKs behind one face: a session that says something and keeps its history as its SDK gives it."""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import anthropic
import openai
from attrs import define, field, frozen
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as gt

__all__ = ["DRIVERS", "PNG", "Driver", "Got", "Options", "Refused"]

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TOOL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
TOOLS = {"get_weather": "Weather of a city", "get_time": "Time in a city"}


@frozen
class Got:
    """A reply in neutral words. ``calls`` are ``(id, name, arguments)``; ``tokens`` input and output."""

    text: str
    thinking: str
    calls: tuple[tuple[str, str, Mapping[str, Any]], ...]
    stop: str
    tokens: tuple[int, int]


@frozen
class Refused(Exception):  # noqa: N818  # an outcome, not a fault
    """An error as the SDK raises it."""

    status: int
    kind: str
    message: str


@frozen
class Options:
    """How a session asks."""

    stream: bool = False
    tools: bool = False
    think: bool = False
    max_tokens: int = 4000


@define
class Driver(ABC):
    """One conversation with one model through one SDK. ``model`` may be changed between two turns."""

    base_url: str
    model: str
    options: Options = Options()
    history: list[Any] = field(factory=list)

    @abstractmethod
    def say(self, text: str, *, image: bool = False) -> Got:
        """Say something, with a picture if wanted."""

    @abstractmethod
    def give(self, results: Mapping[str, str]) -> Got:
        """Give the results of calls, by their id."""


class Anthropic(Driver):
    """``anthropic``: messages, ``messages.stream``."""

    def say(self, text: str, *, image: bool = False) -> Got:
        content: list[Any] = [{"type": "text", "text": text}]
        if image:
            data = base64.b64encode(PNG).decode()
            source = {"type": "base64", "media_type": "image/png", "data": data}
            content.insert(0, {"type": "image", "source": source})
        self.history.append({"role": "user", "content": content})
        return self._ask()

    def give(self, results: Mapping[str, str]) -> Got:
        content = [{"type": "tool_result", "tool_use_id": k, "content": v} for k, v in results.items()]
        self.history.append({"role": "user", "content": content})
        return self._ask()

    def _ask(self) -> Got:
        asked: dict[str, Any] = {
            "model": self.model,
            "max_tokens": self.options.max_tokens,
            "messages": self.history,
        }
        if self.options.tools:
            asked["tools"] = [
                {"name": name, "description": told, "input_schema": TOOL_SCHEMA}
                for name, told in TOOLS.items()
            ]
        if self.options.think:
            asked["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        try:
            with anthropic.Anthropic(base_url=self.base_url, api_key="k", max_retries=0) as client:
                if self.options.stream:
                    with client.messages.stream(**asked) as stream:
                        message: Any = stream.get_final_message()
                else:
                    message = client.messages.create(**asked)
        except anthropic.APIStatusError as error:
            raise Refused(error.status_code, type(error).__name__, error.message) from error
        self.history.append({"role": "assistant", "content": [b.model_dump() for b in message.content]})
        blocks = message.content
        usage = message.usage
        return Got(
            "".join(b.text for b in blocks if b.type == "text"),
            "".join(b.thinking for b in blocks if b.type == "thinking"),
            tuple((b.id, b.name, b.input) for b in blocks if b.type == "tool_use"),
            {"end_turn": "stop", "tool_use": "tools", "max_tokens": "length"}[message.stop_reason],
            (usage.input_tokens + (usage.cache_read_input_tokens or 0), usage.output_tokens),
        )


class Chat(Driver):
    """``openai``: chat completions, ``chat.completions.stream``."""

    def say(self, text: str, *, image: bool = False) -> Got:
        content: Any = text
        if image:
            url = "data:image/png;base64," + base64.b64encode(PNG).decode()
            content = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
        self.history.append({"role": "user", "content": content})
        return self._ask()

    def give(self, results: Mapping[str, str]) -> Got:
        self.history += [
            {"role": "tool", "tool_call_id": name, "content": text} for name, text in results.items()
        ]
        return self._ask()

    def _ask(self) -> Got:
        asked: dict[str, Any] = {
            "model": self.model,
            "messages": self.history,
            "max_completion_tokens": self.options.max_tokens,
        }
        if self.options.tools:
            asked["tools"] = [
                {
                    "type": "function",
                    "function": {"name": name, "description": told, "parameters": TOOL_SCHEMA},
                }
                for name, told in TOOLS.items()
            ]
        if self.options.think:
            asked["reasoning_effort"] = "low"
        completion = _openai(self.base_url, lambda client: self._completion(client, asked))
        choice = completion.choices[0]
        said = choice.message.model_dump(exclude_none=True)
        for extra in ("parsed", "refusal"):
            said.pop(extra, None)
        for call in said.get("tool_calls", ()):
            call["function"].pop("parsed_arguments", None)
            call.pop("index", None)
        self.history.append(said)
        calls = choice.message.tool_calls or ()
        return Got(
            choice.message.content or "",
            said.get("reasoning_content", ""),
            tuple((c.id, c.function.name, json.loads(c.function.arguments)) for c in calls),
            {"stop": "stop", "tool_calls": "tools", "length": "length"}[choice.finish_reason],
            (completion.usage.prompt_tokens, completion.usage.completion_tokens),
        )

    def _completion(self, client: openai.OpenAI, asked: dict[str, Any]) -> Any:
        if not self.options.stream:
            return client.chat.completions.create(**asked)
        with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
            try:
                return stream.get_final_completion()
            except openai.LengthFinishReasonError as cut:  # the SDK's word for a reply that was cut short
                return cut.completion


_ENDS = ("response.completed", "response.incomplete")


class Responses(Driver):
    """``openai``: responses, ``responses.stream``."""

    def say(self, text: str, *, image: bool = False) -> Got:
        content: list[Any] = [{"type": "input_text", "text": text}]
        if image:
            url = "data:image/png;base64," + base64.b64encode(PNG).decode()
            content.append({"type": "input_image", "image_url": url, "detail": "auto"})
        self.history.append({"role": "user", "content": content})
        return self._ask()

    def give(self, results: Mapping[str, str]) -> Got:
        self.history += [
            {"type": "function_call_output", "call_id": name, "output": text}
            for name, text in results.items()
        ]
        return self._ask()

    def _ask(self) -> Got:
        asked: dict[str, Any] = {
            "model": self.model,
            "input": self.history,
            "max_output_tokens": self.options.max_tokens,
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }
        if self.options.tools:
            asked["tools"] = [
                {
                    "type": "function",
                    "name": name,
                    "description": told,
                    "parameters": TOOL_SCHEMA,
                    "strict": False,
                }
                for name, told in TOOLS.items()
            ]
        if self.options.think:
            asked["reasoning"] = {"effort": "low", "summary": "auto"}
        response = _openai(self.base_url, lambda client: self._response(client, asked))
        self.history += [
            item.model_dump(exclude_none=True, exclude={"status", "parsed_arguments"})
            for item in response.output
        ]
        calls = [item for item in response.output if item.type == "function_call"]
        thoughts = [item for item in response.output if item.type == "reasoning"]
        cut = response.incomplete_details.reason if response.incomplete_details else ""
        return Got(
            response.output_text,
            "".join(part.text for item in thoughts for part in item.summary),
            tuple((c.call_id, c.name, json.loads(c.arguments)) for c in calls),
            {"max_output_tokens": "length"}.get(cut, "tools" if calls else "stop"),
            (response.usage.input_tokens, response.usage.output_tokens),
        )

    def _response(self, client: openai.OpenAI, asked: dict[str, Any]) -> Any:
        if not self.options.stream:
            return client.responses.create(**asked)
        with client.responses.stream(**asked) as stream:
            # The SDK's own helper knows one good end only; a reply that was cut short has the other.
            events: list[Any] = list(stream)
        ends = [event.response for event in events if event.type in _ENDS]
        if len(ends) != 1:
            raise RuntimeError(f"{len(ends)} ends of one response")
        return ends[0]


class Gemini(Driver):
    """``google-genai``: generate_content and its stream."""

    def say(self, text: str, *, image: bool = False) -> Got:
        parts = [gt.Part(text=text)]
        if image:
            parts.append(gt.Part.from_bytes(data=PNG, mime_type="image/png"))
        self.history.append(gt.Content(role="user", parts=parts))
        return self._ask()

    def give(self, results: Mapping[str, str]) -> Got:
        names = {
            part.function_call.id: part.function_call.name
            for content in self.history
            for part in content.parts or ()
            if part.function_call
        }
        parts = [
            gt.Part(
                function_response=gt.FunctionResponse(id=name, name=names[name], response={"output": text})
            )
            for name, text in results.items()
        ]
        self.history.append(gt.Content(role="user", parts=parts))
        return self._ask()

    def _ask(self) -> Got:
        config: dict[str, Any] = {"max_output_tokens": self.options.max_tokens}
        if self.options.tools:
            config["tools"] = [
                gt.Tool(
                    function_declarations=[
                        gt.FunctionDeclaration(
                            name=name, description=told, parameters_json_schema=TOOL_SCHEMA
                        )
                        for name, told in TOOLS.items()
                    ]
                )
            ]
        if self.options.think:
            config["thinking_config"] = gt.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
        try:
            replies = self._replies(gt.GenerateContentConfig(**config))
        except genai_errors.APIError as error:
            raise Refused(error.code, type(error).__name__, str(error.message)) from error
        parts = [
            part
            for reply in replies
            for c in reply.candidates or ()
            for part in (c.content and c.content.parts) or ()
        ]
        kept = [
            part for part in parts if part.text != "" or part.thought_signature
        ]  # as the SDK's own chat does
        self.history.append(gt.Content(role="model", parts=kept))
        calls = [part.function_call for part in parts if part.function_call]
        usage: Any = replies[-1].usage_metadata
        last: Any = replies[-1].candidates
        ended = last[0].finish_reason.value
        return Got(
            "".join(part.text for part in parts if part.text and not part.thought),
            "".join(part.text for part in parts if part.text and part.thought),
            tuple((call.id or "", call.name or "", call.args or {}) for call in calls),
            {"MAX_TOKENS": "length"}.get(ended, "tools" if calls else "stop"),
            (
                usage.prompt_token_count,
                (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
            ),
        )

    def _replies(self, config: gt.GenerateContentConfig) -> list[gt.GenerateContentResponse]:
        with genai.Client(
            api_key="k", http_options=gt.HttpOptions(base_url=self.base_url, retry_options=None)
        ) as client:
            if not self.options.stream:
                return [
                    client.models.generate_content(model=self.model, contents=self.history, config=config)
                ]
            return list(
                client.models.generate_content_stream(model=self.model, contents=self.history, config=config)
            )


def _openai(base_url: str, ask: Any) -> Any:
    try:
        with openai.OpenAI(base_url=f"{base_url}/v1", api_key="k", max_retries=0) as client:
            return ask(client)
    except openai.APIStatusError as error:
        raise Refused(error.status_code, type(error).__name__, error.message) from error


DRIVERS: dict[str, type[Driver]] = {
    "anthropic": Anthropic,
    "openai_chat": Chat,
    "openai_responses": Responses,
    "gemini": Gemini,
}
"""By client dialect."""
