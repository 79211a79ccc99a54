"""Turns as contents. Each turn is written alone; what depends on others is a pass over all of them (``assembled``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field

from ccr.adapters.dialects.gemini.names import MADE, function_name
from ccr.adapters.dialects.gemini.seals import FOREIGN, IMAGE, THOUGHT, is_home
from ccr.adapters.dialects.gemini.wire import NAME, Raw, Wire
from ccr.adapters.dialects.gemini.write_media import media_part, search_result
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.notes import left_out
from ccr.adapters.wire.system_turns import reminder
from ccr.domain.conversation import (
    Document,
    Image,
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
from ccr.domain.schema import openapi_subset

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.domain.conversation import ContentBlock
    from ccr.domain.models import ModelProfile

__all__ = ["Losses", "Part", "Writer", "openapi_json", "role_of"]

Part: TypeAlias = Wire | Raw
Losses: TypeAlias = dict[Loss, None]
"""What was lost, each once, in order."""

_RESULT_MEDIA = frozenset({"image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"})
"""What ``functionResponse.parts`` takes (ai.google.dev/gemini-api/docs/function-calling, multimodal responses)."""


def role_of(role: Role) -> str:
    """Return what Gemini calls a role; what the system says between the turns comes from the user."""
    return "model" if role is Role.ASSISTANT else "user"


def openapi_json(schema: bytes) -> bytes:
    """Return the text of a JSON schema in the words that ``parameters`` knows. Pure: it may be memoised."""
    return json.encode_wire(openapi_subset(json.object_of(schema) or {}))


@define(eq=False)
class Writer:
    """``losses`` gathers what could not be carried over; ``openapi`` is :func:`openapi_json`, perhaps with a memory."""

    profile: ModelProfile
    openapi: Callable[[bytes], bytes] = openapi_json
    losses: Losses = field(factory=dict)

    def lose(self, feature: str, what: str = "dropped") -> None:
        """Remember a loss."""
        self.losses[Loss(feature, what)] = None

    def parts(self, turn: Turn) -> list[Part]:
        """Return the parts of one turn. Pure but for ``losses``: a function's response has the id of its call for a name.

        A turn of this dialect that nobody changed is given back as it came, fields without a word in ours included.
        """
        own = _source(turn)
        if own is not None:
            return own
        if turn.role is Role.ASSISTANT:
            return _Answer(self, of_gemini=_is_own(turn) or any(map(_is_signed, turn.blocks))).parts(
                turn.blocks
            )
        made: list[Part] = []
        after: list[Part] = []
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                made.append(self._response(block, after, own=_is_own(turn)))
            elif turn.role is Role.SYSTEM and isinstance(block, Text):
                after.append({"text": reminder(block.text)})
            else:
                after += self.part(block)
        return made + after

    def part(self, block: ContentBlock) -> list[Part]:
        """Return the parts (none or one) that a block becomes, whoever says it."""
        match block:
            case Text(text=text):
                return [{"text": text}] if text else []
            case Image() | Document():
                part, is_whole = media_part(block, self.profile)
                if not is_whole:
                    self.lose("image" if isinstance(block, Image) else "document", "as text")
                return [part]
            case ToolReference(name=name):
                return [{"text": f"Tool available: {function_name(name)}"}]
            case Opaque(kind="search_result", data=data):
                return [{"text": search_result(data)}]
            case Opaque(dialect=dialect, data=data) if dialect == NAME:
                return [Raw(data.data)]
            case Opaque(kind=kind):
                self.lose(kind)
                return [{"text": left_out(kind)}]
            case _:
                self.lose(_WORDS[type(block)])
                return []

    def _response(self, result: ToolResult, after: list[Part], *, own: bool) -> Part:
        texts: list[str] = []
        media: list[Part] = []
        for block in result.content:
            for part in self.part(block):
                if isinstance(part, dict) and "text" in part:
                    texts.append(str(part["text"]))
                elif self.profile.image_results and _may_be_inside(part):
                    media.append(part)
                else:
                    after.append(part)
        text = "\n".join(texts)
        response: object = {"error" if result.is_error else "output": text}
        if own and not result.plain and not result.is_error and json.is_object(text):
            response = Raw(text.encode())  # as a client of this dialect wrote it
        made: Wire = {**_call_id(result.call_id), "name": result.call_id, "response": response}
        if media:
            made["parts"] = media
        return {"functionResponse": made}


def _may_be_inside(part: Part) -> bool:
    inline = part.get("inlineData") if isinstance(part, dict) else None
    return isinstance(inline, dict) and inline["mimeType"] in _RESULT_MEDIA


def _call_id(call_id: str) -> Wire:
    """An id that we made up is none of Gemini's business."""
    return {} if call_id.startswith(MADE) else {"id": call_id}


def _is_own(turn: Turn) -> bool:
    return turn.source is not None and turn.source.dialect == NAME


def _is_signed(block: ContentBlock) -> bool:
    """Whether Gemini itself made a block; what it thought aloud beside it need not go back to it."""
    return isinstance(block, Thinking | ToolCall) and block.seal is not None and is_home(block.seal)


def _source(turn: Turn) -> list[Part] | None:
    """Return the parts of an untouched turn of this dialect; None if any of it must be written anew."""
    if turn.source is None or turn.source.dialect != NAME or FOREIGN in turn.source.data:
        return None
    if any(isinstance(block, ToolCall | ToolResult) for block in turn.blocks):
        return None
    raws = json.top_level(turn.source.data).get("parts")
    found = json.decode(raws) if raws is not None else None
    if not isinstance(found, list):
        return None
    return [dict(part) for part in found if isinstance(part, dict) and part not in ({}, {"text": ""})]


class _Answer:
    """The parts of what the model did."""

    def __init__(self, writer: Writer, *, of_gemini: bool) -> None:
        self._writer = writer
        self._of_gemini = of_gemini
        self._parts: list[Part] = []
        self._asked: dict[str, ServerToolCall] = {}

    def parts(self, blocks: tuple[ContentBlock, ...]) -> list[Part]:
        for block in blocks:
            self._one(block)
        return self._parts

    def _one(self, block: ContentBlock) -> None:
        match block:
            case Thinking():
                self._think(block)
            case ToolCall():
                self._parts.append(_call(block))
            case ServerToolCall(id=call_id):
                self._asked[call_id] = block
            case ServerToolResult(kind=web_results.KIND):
                self._searched(block)
            case _:
                self._parts += self._writer.part(block)

    def _think(self, block: Thinking) -> None:
        seal = block.seal
        if seal is None or not _is_signed(block):
            if not self._of_gemini:
                self._writer.lose("thinking")
            return
        last = self._parts[-1] if self._parts else None
        if seal.form == IMAGE and isinstance(last, dict) and "inlineData" in last:
            last["thoughtSignature"] = seal.data
        elif seal.form == THOUGHT:
            self._parts.append({"text": block.text, "thought": True, "thoughtSignature": seal.data})
        else:
            self._parts.append({"text": "", "thoughtSignature": seal.data})

    def _searched(self, result: ServerToolResult) -> None:
        """Gemini takes no search of its own back: what it found is in its words."""
        if result.dialect.partition("@")[0] == NAME:
            return
        asked = self._asked.get(result.call_id)
        query = web_results.query_of(asked.input) if asked is not None else ""
        self._writer.lose("web_search", "as text")
        self._parts.append({"text": web_results.as_text(result.content, query, texts=not result.dialect)})


def _call(call: ToolCall) -> Wire:
    given = {"input": call.input} if isinstance(call.input, str) else Raw(call.input.data or b"{}")
    made: Wire = {"functionCall": {**_call_id(call.id), "name": function_name(call.name), "args": given}}
    if call.seal is not None and is_home(call.seal):
        made["thoughtSignature"] = call.seal.data
    return made


_WORDS: dict[type, str] = {
    Thinking: "thinking",
    ToolCall: "tool_call",
    ToolResult: "tool_result",
    ServerToolCall: "server_tool",
    ServerToolResult: "server_tool",
}
