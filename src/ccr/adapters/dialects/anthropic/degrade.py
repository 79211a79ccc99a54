"""What a provider cannot take, taken out of the turns before they are written (user-pains P12, P45).

Anthropic itself gets everything but what others sealed. A provider that merely speaks like Anthropic gets the plain
Messages API of before the betas. Each turn is looked at alone (context-free); merging neighbours is a pass of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ccr.adapters.dialects.anthropic.seals import at_home, is_home
from ccr.adapters.dialects.anthropic.wire import DIALECT
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.names import short_name
from ccr.adapters.wire.notes import left_out
from ccr.domain.conversation import (
    CacheMark,
    Document,
    Image,
    Inline,
    Opaque,
    Role,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
    Turn,
)
from ccr.domain.fidelity import Loss
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ccr.domain.conversation import ContentBlock, ResultPart
    from ccr.domain.models import ModelProfile

__all__ = ["merged", "own_name", "plain_turn", "searches_as_text", "unmarked", "without_foreign"]

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def searches_as_text(
    blocks: Sequence[ContentBlock], losses: list[Loss], *, keep: str = ""
) -> Sequence[ContentBlock]:
    """Return blocks in which a web search and its results are text, but for those of the dialect ``keep``.

    Results are sealed for whoever made them: nobody else can be given them as results (user-pains P29).
    """
    told = {
        block.call_id
        for block in blocks
        if isinstance(block, ServerToolResult)
        and block.kind == web_results.KIND
        and (not keep or block.dialect != keep)
    }
    if not told:
        return blocks
    queries: dict[str, str] = {}
    made: list[ContentBlock] = []
    for block in blocks:
        if isinstance(block, ServerToolCall) and block.id in told:
            queries[block.id] = web_results.query_of(block.input)
        elif isinstance(block, ServerToolResult) and block.call_id in told:
            is_plain = not block.dialect
            made.append(
                Text(web_results.as_text(block.content, queries.get(block.call_id, ""), texts=is_plain))
            )
            losses.append(Loss(web_results.KIND, "as text"))
        else:
            made.append(block)
    return made


# ------------------------------------------------------------------------------------- Anthropic itself


def without_foreign(turn: Turn, losses: list[Loss]) -> Turn:
    """Return the turn without what only another dialect may read, and with ids that Anthropic takes.

    An untouched turn comes back as it is, with its source.
    """
    if not any(map(_is_foreign, turn.blocks)):
        return turn
    kept: list[ContentBlock] = []
    for block in searches_as_text(turn.blocks, losses, keep=DIALECT):
        if isinstance(block, ToolCall):
            kept.append(evolve(block, id=short_name(block.id), name=own_name(block.name)))
        elif isinstance(block, ToolResult):
            kept.append(evolve(block, call_id=short_name(block.call_id)))
        elif _is_foreign(block):
            losses.append(Loss(_feature(block)))
            if isinstance(block, Opaque) and turn.role is Role.USER:
                kept.append(Text(left_out(block.kind)))
        else:
            kept.append(block)
    return evolve(turn, blocks=tuple(kept), source=None)


def own_name(name: str) -> str:
    """Return a tool's name as Anthropic takes it: Gemini's may hold dots and colons. The reply gives it back."""
    return name if _NAME.fullmatch(name) else short_name(name)


def _is_foreign(block: ContentBlock) -> bool:
    match block:
        case Thinking(seal=seal):
            # Unsigned thinking is refused, and a signature must never be made up.
            return seal is None or not is_home(seal)
        case Opaque(dialect=dialect) | ServerToolResult(dialect=dialect):
            return dialect != DIALECT
        case ToolCall(id=name, name=tool):
            return _ID.fullmatch(name) is None or own_name(tool) != tool
        case ToolResult(call_id=name):
            return _ID.fullmatch(name) is None
        case _:
            return False


def _feature(block: ContentBlock) -> str:
    return block.kind if isinstance(block, Opaque | ServerToolResult) else "thinking"


# ------------------------------------------------------------------------- who merely speaks like Anthropic


def plain_turn(turn: Turn, profile: ModelProfile, losses: list[Loss]) -> Turn:
    """Return the turn in words that every provider of this dialect knows; a system turn becomes a user's.

    A seal of this dialect that is still there is the provider's own: others were taken off before (``homeward``).
    """
    said = searches_as_text(turn.blocks, losses)
    blocks = [plain for block in said if (plain := _plain(block, profile, losses)) is not None]
    if turn.role is not Role.SYSTEM:
        return Turn(turn.role, tuple(blocks))
    return Turn(Role.USER, tuple(_reminder(block) for block in blocks))


def _reminder(block: ContentBlock) -> ContentBlock:
    if not isinstance(block, Text):
        return block
    return evolve(block, text=f"<system-reminder>\n{block.text}\n</system-reminder>")


def _plain(block: ContentBlock, profile: ModelProfile, losses: list[Loss]) -> ContentBlock | None:
    match block:
        case Text(text=text):
            return _plain_text(block) if text else None
        case Thinking(seal=seal):
            if seal is not None and seal.origin.dialect == DIALECT:
                return evolve(block, seal=at_home(seal))
            if seal is None and profile.reasoning_required:
                return block
            losses.append(Loss("thinking"))
            return None
        case ToolCall():
            name, cache = short_name(block.name), unmarked(block.cache)
            return ToolCall(short_name(block.id), name, block.input, cache)
        case ToolResult(content=content):
            parts = tuple(_part(part, profile, losses) for part in content)
            call_id, cache = short_name(block.call_id), unmarked(block.cache)
            return ToolResult(call_id, parts, block.is_error, cache, block.plain)
        case Image() | Document() | ToolReference() | Opaque():
            return _part(block, profile, losses)
        case _:  # what a provider's own tool was asked and gave
            losses.append(Loss("server_tool"))
            return None


def _part(part: ResultPart, profile: ModelProfile, losses: list[Loss]) -> ResultPart:
    match part:
        case Text():
            return _plain_text(part)
        case Image():
            if profile.images:
                return evolve(part, cache=unmarked(part.cache))
            losses.append(Loss("image"))
            return Text("[an image was here; this model cannot see images]")
        case Document():
            return _document(part, profile, losses)
        case ToolReference(name=name):
            losses.append(Loss("tool_reference", "as text"))
            return Text(f"Tool available: {short_name(name)}")
        case Opaque(kind="search_result"):
            losses.append(Loss("search_result", "as text"))
            return Text(_search_result(part))
        case _:
            losses.append(Loss(part.kind, "as note"))
            return Text(left_out(part.kind))


def _plain_text(block: Text) -> Text:
    marked = block.cache is not None or block.citations
    return Text(block.text, unmarked(block.cache)) if marked else block


def _document(part: Document, profile: ModelProfile, losses: list[Loss]) -> ResultPart:
    source = part.source
    if isinstance(source, Inline) and source.encoding == "text":
        title = f"{part.title}\n\n" if part.title else ""
        return Text(f"{title}{source.data}", unmarked(part.cache))
    if profile.documents:
        return evolve(part, citations=False, cache=unmarked(part.cache))
    losses.append(Loss("document"))
    return Text(f"[the document {part.title or ''} was here; this model cannot read documents]")


def _search_result(part: Opaque) -> str:
    fields = json.object_of(part.data.data) or {}
    content = fields.get("content")
    pieces = content if isinstance(content, list) else []
    texts = [str(piece.get("text", "")) for piece in pieces if isinstance(piece, dict)]
    return "\n".join([f"{fields.get('title', '')} ({fields.get('source', '')})", *texts])


def unmarked(cache: CacheMark | None) -> CacheMark | None:
    """Return the mark without its ttl, which strict providers refuse (P20)."""
    return None if cache is None else CacheMark()


def merged(turns: Iterable[Turn]) -> list[Turn]:
    """Join neighbours of one role, and leave out empty turns; tool results go first in a user turn."""
    joined: list[Turn] = []
    for turn in turns:
        if not turn.blocks:
            continue
        if joined and joined[-1].role is turn.role:
            joined[-1] = Turn(turn.role, _results_first([*joined[-1].blocks, *turn.blocks]))
        else:
            joined.append(turn)
    return joined


def _results_first(blocks: Sequence[ContentBlock]) -> tuple[ContentBlock, ...]:
    return tuple(sorted(blocks, key=lambda block: not isinstance(block, ToolResult)))
