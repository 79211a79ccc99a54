"""Scripted upstreams of those who copied chat completions, each as strict as it is where it differs (providers.md 4.2)."""

from __future__ import annotations

import re
from typing import ClassVar

from typing_extensions import override

from tests.support.fake_openai import FakeOpenAI
from tests.support.fake_provider import RejectedError
from tests.support.loopback import Recorded
from tests.support.scripts import Json

__all__ = ["FakeDeepSeek", "FakeMistral", "FakeMoonshot", "FakeOpenRouter", "FakeZhipu"]


class FakeMistral(FakeOpenAI):
    """Ids of nine letters and digits, its own word for `required`, thinking in the content, no empty messages."""

    more_fields = frozenset({"random_seed", "safe_prompt", "prompt_mode"})
    more_parts = frozenset({"thinking"})
    call_ids = re.compile(r"[a-zA-Z0-9]{9}")
    choices = frozenset({"auto", "none", "any"})
    refused_keywords = frozenset({"additionalProperties", "strict"})

    @override
    def check(self, recorded: Recorded) -> None:
        super().check(recorded)
        for message in recorded.json["messages"]:
            if not message.get("content") and not message.get("tool_calls"):
                raise RejectedError("Assistant message must have either content or tool_calls, but not none.")


class FakeDeepSeek(FakeOpenAI):
    """Thinking mode: reasoning on every assistant message with calls, and no tool may be forced."""

    reasoning_echo = True
    more_fields = frozenset({"thinking"})
    choices = frozenset({"auto", "none"})
    named_choice = False

    @override
    def check(self, recorded: Recorded) -> None:
        super().check(recorded)
        thinking = recorded.json.get("thinking") or {}
        if thinking.get("type") == "disabled" and "reasoning_effort" in recorded.json:
            raise RejectedError("reasoning_effort is not allowed when thinking is disabled.")
        for message in recorded.json["messages"]:
            if message.get("tool_calls") and not message.get("reasoning_content"):
                raise RejectedError(
                    "The reasoning_content in the thinking mode must be passed back to the API."
                )


class FakeOpenRouter(FakeOpenAI):
    """Knows `reasoning`, plugins and routing; refuses details that it did not write."""

    more_fields = frozenset({"reasoning", "plugins", "provider", "models", "transforms", "usage", "top_k"})
    more_message_fields = frozenset({"reasoning", "reasoning_details"})
    _TYPES: ClassVar[frozenset[str]] = frozenset(
        {"reasoning.text", "reasoning.summary", "reasoning.encrypted"}
    )

    @override
    def check(self, recorded: Recorded) -> None:
        super().check(recorded)
        details = [
            detail for message in recorded.json["messages"] for detail in message.get("reasoning_details", ())
        ]
        if any(detail.get("type") not in self._TYPES or detail.get("format") == "ccr" for detail in details):
            raise RejectedError("Invalid reasoning_details.")


class FakeMoonshot(FakeOpenAI):
    """Searches itself when its call is given back to it as it was, and not while it thinks; no tool may be forced."""

    reasoning_echo = True
    more_fields = frozenset({"thinking"})
    more_tools = frozenset({"builtin_function"})
    call_names = re.compile(r"\$web_search|[a-zA-Z0-9_-]{1,64}")
    choices = frozenset({"auto", "none"})
    named_choice = False

    @override
    def check(self, recorded: Recorded) -> None:
        super().check(recorded)
        body = recorded.json
        own = [tool for tool in body.get("tools", ()) if tool["type"] == "builtin_function"]
        if any(tool != {"type": "builtin_function", "function": {"name": "$web_search"}} for tool in own):
            raise RejectedError("invalid builtin function")
        thinks = (body.get("thinking") or {"type": "enabled"})["type"] == "enabled"
        if own and thinks:
            raise RejectedError("builtin function $web_search is incompatible with thinking")
        searches: dict[str, str] = {}
        for message in body["messages"]:
            if thinks and message.get("tool_calls") and not message.get("reasoning_content"):
                raise RejectedError(
                    "thinking is enabled but reasoning_content is missing in assistant message"
                )
            for call in message.get("tool_calls") or ():
                if call["function"]["name"] == "$web_search":
                    searches[call["id"]] = call["function"]["arguments"]
            given = searches.get(message.get("tool_call_id", ""))
            if given is not None and message["content"] != given:
                raise RejectedError("$web_search wants its own arguments back")


class FakeZhipu(FakeOpenAI):
    """No tool may be forced; searches by an entry of the tools."""

    reasoning_echo = True
    more_fields = frozenset({"thinking", "do_sample"})
    more_tools = frozenset({"web_search", "retrieval"})
    choices = frozenset({"auto"})
    named_choice = False

    @override
    def check(self, recorded: Recorded) -> None:
        super().check(recorded)
        for tool in recorded.json.get("tools", ()):
            _check_search(tool)


def _check_search(tool: Json) -> None:
    if tool["type"] == "web_search" and tool.get("web_search", {}).get("enable") is not True:
        raise RejectedError("tools.web_search.enable is required.")
