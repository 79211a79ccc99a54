"""``groq``: tool schemas as Groq takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["Groq"]


@define(frozen=True)
class Groq(Transformer):
    """Take ``$schema`` out of the parameters of tools."""

    name: ClassVar[str] = "groq"

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        tools = payload.parsed("tools")
        if not isinstance(tools, list):
            return payload
        for tool in tools:
            function = tool.get("function")
            parameters = function.get("parameters") if isinstance(function, dict) else None
            if isinstance(parameters, dict):
                parameters.pop("$schema", None)
        return payload.with_("tools", tools)
