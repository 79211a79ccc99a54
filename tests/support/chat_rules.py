"""What OpenAI refuses in a chat completions request, rule by rule; `fake_openai` puts them together."""

from __future__ import annotations

import re
from typing import Any

from tests.support.fake_provider import RejectedError
from tests.support.scripts import Json

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def no_cache_control(value: Any, path: str) -> None:
    """Refuse Anthropic's cache markers outside tool schemas and arguments."""
    if isinstance(value, dict):
        if "cache_control" in value:
            raise RejectedError(f"Unknown parameter: '{path}.cache_control'.")
        for name, inner in value.items():
            if name not in {"parameters", "arguments", "schema"}:
                no_cache_control(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            no_cache_control(inner, f"{path}[{index}]")


def keywords(value: Any) -> set[str]:
    """All keys of a declaration, but not the names of properties."""
    if isinstance(value, list):
        return set().union(*map(keywords, value))
    if not isinstance(value, dict):
        return set()
    found = set(value)
    for name, inner in value.items():
        found |= keywords(list(inner.values()) if name == "properties" else inner)
    return found


def check_tool(tool: Json, index: int) -> str:
    if tool.get("type") != "function" or set(tool) != {"type", "function"}:
        raise RejectedError(
            f"Invalid 'tools[{index}]': expected exactly type and function, got {sorted(tool)}"
        )
    function = tool["function"]
    if unknown := set(function) - {"name", "description", "parameters", "strict"}:
        raise RejectedError(f"Unknown parameter: 'tools[{index}].function.{min(unknown)}'.")
    name = function.get("name")
    if not isinstance(name, str) or not TOOL_NAME.fullmatch(name):
        raise RejectedError(f"Invalid 'tools[{index}].function.name': must match ^[a-zA-Z0-9_-]{{1,64}}$")
    parameters = function.get("parameters", {"type": "object"})
    if not isinstance(parameters, dict) or parameters.get("type") != "object":
        raise RejectedError(f"Invalid schema for function '{name}': schema must be of type object.")
    if function.get("strict") and parameters.get("additionalProperties") is not False:
        raise RejectedError(f"Invalid schema for function '{name}': 'additionalProperties' must be false.")
    return name


def nobody_waits(waiting: list[str]) -> None:
    if waiting:
        raise RejectedError(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            f" 'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}"
        )


def check_calls(
    calls: list[Json], index: int, ids: re.Pattern[str], names: re.Pattern[str] = TOOL_NAME
) -> None:
    if not calls:
        raise RejectedError(f"Invalid 'messages[{index}].tool_calls': empty array.")
    for call in calls:
        if set(call) != {"id", "type", "function"} or call["type"] != "function":
            raise RejectedError(f"Invalid 'messages[{index}].tool_calls': {sorted(call)}")
        function = call["function"]
        if not isinstance(function.get("arguments"), str) or not names.fullmatch(function.get("name", "")):
            raise RejectedError(f"Invalid 'messages[{index}].tool_calls.function'.")
        if not ids.fullmatch(call["id"]):
            raise RejectedError(f"Invalid 'messages[{index}].tool_calls.id': {ids.pattern}")


def check_parts(content: list[Json], role: str, allowed: frozenset[str], index: int) -> None:
    if not content:
        raise RejectedError(f"Invalid 'messages[{index}].content': empty array.")
    for part in content:
        kind = part.get("type")
        if kind not in allowed:
            raise RejectedError(
                f"Invalid value: '{kind}' in a message of role {role} (messages[{index}].content)."
            )
        if set(part) != {"type", kind}:
            raise RejectedError(f"Unknown parameter in 'messages[{index}].content': {sorted(part)}")
        if kind == "image_url" and not str(part["image_url"].get("url", "")).startswith(
            ("data:image/", "http")
        ):
            raise RejectedError("Invalid image_url.")
