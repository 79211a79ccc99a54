"""The data path in one bundle: what HTTP model endpoints and embedding programs hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ccr.application.serving.converse import Converse
    from ccr.application.serving.count_tokens import CountTokens
    from ccr.application.serving.handle_call import HandleCall
    from ccr.application.serving.list_models import ListModels
    from ccr.domain.access import Principal
    from ccr.domain.conversation import Conversation
    from ccr.domain.stream import StreamEvent

__all__ = ["Gateway"]


@define(eq=False)
class Gateway:
    """Use cases of the data path; each is a callable of one purpose."""

    handle_call: HandleCall
    converse_with: Converse
    count_tokens: CountTokens
    list_models: ListModels

    def converse(
        self, conversation: Conversation, principal: Principal | None = None
    ) -> AsyncIterator[StreamEvent]:
        """Route a conversation and yield the events of its reply, the last of them MessageStop.

        Raises:
            GatewayError: the reply failed, at the start or in the middle.
        """
        return self.converse_with(conversation, principal)
