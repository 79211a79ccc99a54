"""Turns as chat messages. Pure and context-free: equal turns give equal messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias, cast

from attrs import evolve

from ccr.adapters.wire import json
from ccr.adapters.wire.data_url import write_data_url
from ccr.adapters.wire.names import LIMIT, short_name
from ccr.domain.conversation import (
    Document,
    FileRef,
    Image,
    Inline,
    Opaque,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
    Turn,
    Url,
)
from ccr.domain.fidelity import Loss
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.domain.conversation import CacheMark, ContentBlock
    from ccr.domain.models import ModelProfile

__all__ = ["Losses", "Message", "fold_system", "reminder", "text_content", "turn_messages"]

Message: TypeAlias = dict[str, object]
Losses: TypeAlias = dict[Loss, None]
"""What was lost, each once, in order."""

_EMPTY_RESULT = "(no output)"
"""OpenAI's models halt on an empty result (P6)."""

_NO_REASONING = " "
"""What DeepSeek and Moonshot accept where reasoning is required and there is none (P11)."""


def turn_messages(turn: Turn, profile: ModelProfile, losses: Losses) -> list[Message]:
    """Return the messages of one turn: none, one, or tool results and what else the user said."""
    if turn.role is Role.ASSISTANT:
        return _assistant(turn.blocks, profile, losses)
    if turn.role is Role.SYSTEM:
        return _system(turn.blocks, profile, losses)
    return _user(turn.blocks, profile, losses)


def reminder(text: str) -> str:
    """Return text of the system as Claude Code's models know it inside the user's words."""
    return f"<system-reminder>\n{text}\n</system-reminder>"


def fold_system(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return turns in which what the system says between them stands in the user's turn beside it.

    It is the turn before, if that is the user's: so an old turn is written alike in every request.
    """
    folded: list[Turn] = []
    waiting: tuple[Text, ...] = ()
    for turn in turns:
        if turn.role is Role.SYSTEM:
            said = tuple(
                evolve(block, text=reminder(block.text)) for block in turn.blocks if isinstance(block, Text)
            )
            if folded and folded[-1].role is Role.USER:
                folded[-1] = evolve(folded[-1], blocks=folded[-1].blocks + said, source=None)
            else:
                waiting += said
        elif turn.role is Role.USER and waiting:
            folded.append(evolve(turn, blocks=waiting + turn.blocks, source=None))
            waiting = ()
        else:
            if waiting:
                folded.append(Turn(Role.USER, waiting))
                waiting = ()
            folded.append(turn)
    if waiting:
        folded.append(Turn(Role.USER, waiting))
    return tuple(folded)


def text_content(texts: Iterable[Text], profile: ModelProfile, separator: str) -> object:
    """Return text blocks as one string, or as parts where cache marks are understood and there are some."""
    blocks = [block for block in texts if block.text]
    if profile.cache_marks and any(block.cache for block in blocks):
        return [_marked({"type": "text", "text": block.text}, block.cache) for block in blocks]
    return separator.join(block.text for block in blocks)


def _system(blocks: Iterable[ContentBlock], profile: ModelProfile, losses: Losses) -> list[Message]:
    texts: list[Text] = []
    for block in blocks:
        if isinstance(block, Text):
            texts.append(block if profile.system_in_turns else evolve(block, text=reminder(block.text)))
        else:
            _lose(block, losses)
    content = text_content(texts, profile, "\n\n")
    return [{"role": "system" if profile.system_in_turns else "user", "content": content}] if content else []


def _assistant(blocks: Iterable[ContentBlock], profile: ModelProfile, losses: Losses) -> list[Message]:
    texts: list[Text] = []
    calls: list[Message] = []
    thoughts: list[str] = []
    for block in blocks:
        match block:
            case Text():
                texts.append(block)
            case ToolCall():
                calls.append(_call(block))
            case Thinking(text=text) if profile.reasoning_field and text:
                thoughts.append(text)
            case _:
                _lose(block, losses)
    content = text_content(texts, profile, "\n")
    if not content and not calls:
        return []
    message: Message = {"role": "assistant", "content": content or None}
    if thoughts:
        message[profile.reasoning_field] = "\n".join(thoughts)
    elif calls and profile.reasoning_field and profile.reasoning_required:
        message[profile.reasoning_field] = _NO_REASONING
    if calls:
        message["tool_calls"] = calls
    return [message]


def _call(call: ToolCall) -> Message:
    given = call.input
    arguments = given.data.decode() if isinstance(given, Json) else given
    return {
        "id": _id(call.id),
        "type": "function",
        "function": {"name": short_name(call.name), "arguments": arguments or "{}"},
    }


def _id(call_id: str) -> str:
    """Ids are given back as they are, except those that OpenAI refuses for their length."""
    return call_id if len(call_id) <= LIMIT else short_name(call_id)


def _user(blocks: Iterable[ContentBlock], profile: ModelProfile, losses: Losses) -> list[Message]:
    """Results go first, because they must follow their calls at once; what they cannot hold, and the rest, comes after."""
    messages: list[Message] = []
    lifted: list[Message] = []
    parts: list[Message] = []
    for block in blocks:
        if isinstance(block, ToolResult):
            messages.append(_result(block, profile, lifted, losses))
        else:
            parts.extend(_part(block, profile, losses))
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
        made = _part(part, profile, losses)
        media = [piece for piece in made if piece["type"] != "text"]
        texts.extend(cast("str", piece["text"]) for piece in made if piece["type"] == "text")
        if media:
            texts.append("[see the attachment in the next message]")
            lifted.append({"type": "text", "text": f"[attachment of tool result {_id(result.call_id)}]"})
            lifted.extend(media)
    text = "\n".join(texts) or _EMPTY_RESULT
    if result.is_error:
        text = f"[tool error] {text}"
    content: object = text
    if profile.cache_marks and result.cache:
        content = [_marked({"type": "text", "text": text}, result.cache)]
    return {"role": "tool", "tool_call_id": _id(result.call_id), "content": content}


def _part(block: ContentBlock, profile: ModelProfile, losses: Losses) -> list[Message]:
    """Return the parts of a user's message (none or one) that a block becomes."""
    match block:
        case Text(text=text, cache=cache):
            part: Message = {"type": "text", "text": text}
            return [_marked(part, cache if profile.cache_marks else None)] if text else []
        case Image():
            return [_image(block, profile, losses)]
        case Document():
            return [_document(block, profile, losses)]
        case ToolReference(name=name):
            return [_note(f"Tool available: {short_name(name)}")]
        case Opaque(kind="search_result", data=data):
            return [_search_result(data)]
        case _:
            _lose(block, losses)
            return []


def _image(image: Image, profile: ModelProfile, losses: Losses) -> Message:
    source = image.source
    if not profile.images:
        losses[Loss("image", "as text")] = None
        return _note("[image left out: this model cannot see images]")
    if isinstance(source, FileRef):
        losses[Loss("image", "as text")] = None
        return _note("[image left out: it is a file kept by another provider]")
    url = source.url if isinstance(source, Url) else write_data_url(source)
    part: Message = {"type": "image_url", "image_url": {"url": url}}
    return _marked(part, image.cache if profile.cache_marks else None)


def _document(document: Document, profile: ModelProfile, losses: Losses) -> Message:
    source = document.source
    title = document.title or "document"
    if isinstance(source, Inline) and source.encoding == "text":
        head = f"{title}:\n{document.context}\n" if document.context else f"{title}:\n"
        return _note(head + source.data)
    if profile.documents and isinstance(source, Inline):
        name = document.title or "document.pdf"
        return {"type": "file", "file": {"filename": name, "file_data": write_data_url(source)}}
    losses[Loss("document", "as text")] = None
    if isinstance(source, Url):
        return _note(f"[document {title!r} left out: this model cannot read it; it is at {source.url}]")
    return _note(f"[document {title!r} left out: this model cannot read it]")


def _search_result(data: Json) -> Message:
    """A search result of the client's own (Anthropic ``search_result``): its texts, with their source."""
    found = json.object_of(data.data) or {}
    content = found.get("content")
    texts = [
        part["text"]
        for part in (content if isinstance(content, list) else ())
        if isinstance(part, Mapping) and isinstance(part.get("text"), str)
    ]
    return _note("\n".join([f"{found.get('title', '')} ({found.get('source', '')})", *texts]))


def _note(text: str) -> Message:
    return {"type": "text", "text": text}


def _marked(part: Message, cache: CacheMark | None) -> Message:
    if cache is None:
        return part
    mark: Message = {"type": "ephemeral"}
    if cache.ttl:
        mark["ttl"] = cache.ttl
    return {**part, "cache_control": mark}


def _lose(block: ContentBlock, losses: Losses) -> None:
    what = block.kind if isinstance(block, Opaque) else _WORDS.get(type(block).__name__, "block")
    losses[Loss(what)] = None


_WORDS = {
    "Thinking": "thinking",
    "ServerToolCall": "server_tool",
    "ServerToolResult": "server_tool",
    "Image": "image",
    "Document": "document",
    "ToolCall": "tool_call",
    "ToolResult": "tool_result",
    "ToolReference": "tool_reference",
}
