"""``groq``: tool schemas as Groq takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.adapters.wire import json
from ccr.application.ports.transformer import Transformer
from ccr.domain.conversation import FunctionTool
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.domain.conversation import Conversation, Tool
    from ccr.domain.models import Destination

__all__ = ["Groq"]

_REFUSED = "$schema"


@define(frozen=True)
class Groq(Transformer):
    """Take ``$schema`` out of the schemas of tools."""

    name: ClassVar[str] = "groq"

    @override
    def request(self, conversation: Conversation, to: Destination) -> Conversation:
        tools = tuple(map(_cleaned, conversation.tools))
        if all(new is old for new, old in zip(tools, conversation.tools, strict=True)):
            return conversation
        return evolve(conversation, tools=tools)


def _cleaned(tool: Tool) -> Tool:
    if not isinstance(tool, FunctionTool) or _REFUSED.encode() not in tool.schema.data:
        return tool
    schema = json.object_of(tool.schema.data)
    if schema is None or _REFUSED not in schema:
        return tool
    kept = {name: value for name, value in schema.items() if name != _REFUSED}
    return evolve(tool, schema=Json(json.encode(kept)))
