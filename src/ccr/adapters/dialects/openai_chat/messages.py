"""Turns as chat messages. Pure and context-free: equal turns give equal messages."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from attrs import field

from ccr.adapters.dialects.openai_chat.details import DETAILS, detail_entries
from ccr.adapters.dialects.openai_chat.parts import Losses, Message, lose, marked, write_part
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.names import LIMIT, short_name
from ccr.adapters.wire.system_turns import reminder
from ccr.domain.conversation import (
    Role,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from ccr.domain.fidelity import Loss
from ccr.domain.models import KIMI_SEARCH, ReasoningStyle
from ccr.domain.value import evolve, value
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.domain.conversation import ContentBlock
    from ccr.domain.models import ModelProfile

__all__ = ["text_content", "turn_messages"]

_EMPTY_RESULT = "(no output)"
"""OpenAI's models halt on an empty result (P6)."""

_NO_REASONING = " "
"""What DeepSeek and Moonshot accept where reasoning is required and there is none (P11)."""

_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def turn_messages(turn: Turn, profile: ModelProfile, losses: Losses) -> list[Message]:
    """Return the messages of one turn: none, one, or tool results and what else the user said."""
    if turn.role is Role.ASSISTANT:
        return _assistant(turn.blocks, profile, losses)
    if turn.role is Role.SYSTEM:
        return _system(turn.blocks, profile, losses)
    return _user(turn.blocks, profile, losses)


def text_content(texts: Iterable[Text], profile: ModelProfile, separator: str) -> object:
    """Return text blocks as one string, or as parts where cache marks are understood and there are some."""
    blocks = [block for block in texts if block.text]
    if profile.cache_marks and any(block.cache for block in blocks):
        return [marked({"type": "text", "text": block.text}, block.cache) for block in blocks]
    return separator.join(block.text for block in blocks)


def _system(blocks: Iterable[ContentBlock], profile: ModelProfile, losses: Losses) -> list[Message]:
    texts: list[Text] = []
    for block in blocks:
        if isinstance(block, Text):
            texts.append(block if profile.system_in_turns else evolve(block, text=reminder(block.text)))
        else:
            lose(block, losses)
    content = text_content(texts, profile, "\n\n")
    return [{"role": "system" if profile.system_in_turns else "user", "content": content}] if content else []


@value
class _Said:
    """What an assistant's turn comes to."""

    texts: list[Text] = field(factory=list)
    calls: list[Message] = field(factory=list)
    thoughts: list[str] = field(factory=list)
    details: list[object] = field(factory=list)


def _assistant(blocks: Iterable[ContentBlock], profile: ModelProfile, losses: Losses) -> list[Message]:
    said = _Said()
    queries: dict[str, str] = {}
    for block in blocks:
        match block:
            case Text():
                said.texts.append(block)
            case ToolCall():
                said.calls.append(_call(block, profile))
            case Thinking():
                _think(block, said, profile, losses)
            case ServerToolCall(id=call, name="web_search", input=given):
                queries[call] = web_results.query_of(given)
            case ServerToolResult(kind=web_results.KIND, call_id=call, content=results):
                losses[Loss(web_results.KIND, "as text")] = None
                found = web_results.as_text(results, queries.get(call, ""), texts=not block.dialect)
                said.texts.append(Text(found))
            case _:
                lose(block, losses)
    content = text_content(said.texts, profile, "\n")
    if not content and not said.calls:
        return []
    message: Message = {"role": "assistant", "content": content or None}
    _add_reasoning(message, said, profile)
    if said.calls:
        message["tool_calls"] = said.calls
    return [message]


def _think(block: Thinking, said: _Said, profile: ModelProfile, losses: Losses) -> None:
    seal = block.seal
    # Without a maker it came bare from a client: only who has such details at all may see them.
    known = seal is not None and (seal.origin.provider or profile.reasoning is ReasoningStyle.OPENROUTER)
    if seal is not None and known and seal.form == DETAILS:
        said.details.extend(detail_entries(seal.data))
    elif block.text and (profile.reasoning_field or profile.reasoning_parts):
        said.thoughts.append(block.text)
    else:
        lose(block, losses)


def _add_reasoning(message: Message, said: _Said, profile: ModelProfile) -> None:
    if said.details:
        message["reasoning_details"] = said.details
    if said.thoughts and profile.reasoning_parts:
        content = message["content"]
        rest = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        parts = [{"type": "thinking", "thinking": [{"type": "text", "text": text}]} for text in said.thoughts]
        message["content"] = [*parts, *cast("list[object]", rest)]
    elif said.thoughts:
        message[profile.reasoning_field] = "\n".join(said.thoughts)
    elif said.calls and profile.reasoning_field and profile.reasoning_required and not said.details:
        message[profile.reasoning_field] = _NO_REASONING


def _call(call: ToolCall, profile: ModelProfile) -> Message:
    given = call.input
    if isinstance(given, Json):
        arguments = given.data.decode()
    else:  # free text: the tool was offered as one with a single parameter
        arguments = json.encode_wire({"input": given}).decode() if given else ""
    return {
        "id": _id(call.id, profile),
        "type": "function",
        "function": {"name": _name(call.name), "arguments": arguments or "{}"},
    }


def _name(name: str) -> str:
    return name if name == KIMI_SEARCH else short_name(name)


def _id(call_id: str, profile: ModelProfile) -> str:
    """Ids are given back as they are, except those that are refused for their length or their letters.

    A pure function of the id, so a call and its result have the same in every request.
    """
    exact = profile.call_id_length
    if exact is None:
        return call_id if len(call_id) <= LIMIT else short_name(call_id)
    if len(call_id) == exact and call_id.isascii() and call_id.isalnum():
        return call_id
    number = int.from_bytes(sha256(call_id.encode("utf-8", "surrogatepass")).digest(), "big")
    letters: list[str] = []
    for _ in range(exact):
        number, letter = divmod(number, len(_ALPHANUMERIC))
        letters.append(_ALPHANUMERIC[letter])
    return "".join(letters)


def _user(blocks: Iterable[ContentBlock], profile: ModelProfile, losses: Losses) -> list[Message]:
    """Results go first, because they must follow their calls at once; what they cannot hold, and the rest, comes after."""
    messages: list[Message] = []
    lifted: list[Message] = []
    parts: list[Message] = []
    for block in blocks:
        if isinstance(block, ToolResult):
            messages.append(_result(block, profile, lifted, losses))
        else:
            parts.extend(write_part(block, profile, losses))
    content = _content(lifted + parts)
    return [*messages, {"role": "user", "content": content}] if content else messages


def _content(parts: list[Message]) -> object:
    """Text alone is one string: text-only models take no list."""
    if all(part["type"] == "text" and len(part) == 2 for part in parts):
        return "\n\n".join(cast("str", part["text"]) for part in parts)
    return parts


def _result(result: ToolResult, profile: ModelProfile, lifted: list[Message], losses: Losses) -> Message:
    texts: list[str] = []
    for part in result.content:
        made = write_part(part, profile, losses)
        media = [piece for piece in made if piece["type"] != "text"]
        texts.extend(cast("str", piece["text"]) for piece in made if piece["type"] == "text")
        if media:
            texts.append("[see the attachment in the next message]")
            lifted.append(
                {"type": "text", "text": f"[attachment of tool result {_id(result.call_id, profile)}]"}
            )
            lifted.extend(media)
    text = "\n".join(texts) or _EMPTY_RESULT
    if result.is_error:
        text = f"[tool error] {text}"
    content: object = text
    if profile.cache_marks and result.cache:
        content = [marked({"type": "text", "text": text}, result.cache)]
    return {"role": "tool", "tool_call_id": _id(result.call_id, profile), "content": content}
