"""What the parsed requests of all dialects have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.domain.conversation import Conversation, Tool, Turn
    from ccr.domain.facts import RequestFacts

__all__ = ["Parsed"]


class Parsed(ABC):
    """:class:`ccr.application.ports.dialect.ParsedCall` but for what only a dialect knows."""

    __slots__ = ("_conversation", "_model", "_read_tools", "_read_turn", "facts")

    def __init__(
        self,
        model: str,
        facts: RequestFacts,
        read_turn: Callable[[bytes], Turn],
        read_tools: Callable[[bytes], tuple[Tool, ...]],
    ) -> None:
        self.facts = facts
        self._model = model
        self._read_turn = read_turn
        self._read_tools = read_tools
        self._conversation: Conversation | None = None

    @abstractmethod
    def _built(self) -> Conversation:
        """Build the conversation. Raises InvalidRequestError."""

    def conversation(self) -> Conversation:
        """Build the conversation, at most once. Raises InvalidRequestError."""
        if self._conversation is None:
            self._conversation = self._built()
        return self._conversation
