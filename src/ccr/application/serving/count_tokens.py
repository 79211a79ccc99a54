"""Counts the input tokens of a request, by the same counter that routing uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ccr.application.call import Answer, Call
from ccr.domain.errors import GatewayError

if TYPE_CHECKING:
    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.counting import Counting

__all__ = ["CountTokens"]


@define(eq=False)
class CountTokens:
    """Answers a call for a count: always locally, so that forty at once cost a provider nothing (P22)."""

    catalog: CatalogHolder
    counting: Counting

    async def __call__(self, call: Call) -> Answer:
        """Count. Errors are answers in the caller's dialect."""
        client = self.catalog.current.clients[call.dialect]
        headers: tuple[tuple[str, str], ...] = (
            ("content-type", "application/json"),
            ("request-id", call.request_id),
        )
        try:
            await call.read()
            tokens = await self.counting.exact(client.read(call))
        except GatewayError as error:
            status, headers, body = client.encode_error(error, call.request_id)
            return Answer(status, headers, body=body)
        return Answer(200, headers, body=client.write_count(tokens))
