"""What a custom router sees of a request: read-only, built as far as it is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from ccr.adapters.wire import json
from ccr.domain.conversation import Role, Text

if TYPE_CHECKING:
    from ccr.application.call import Call, Headers
    from ccr.application.counting import Counting
    from ccr.application.ports.dialect import ParsedCall
    from ccr.domain.facts import RequestFacts

__all__ = ["RequestView", "frozen_json"]

_BYTES_A_TOKEN = 4
"""Rule of thumb for ``token_count``; whoever needs the number awaits ``count_tokens()``."""


class RequestView:
    """The ``request`` of ``route(request, config)``. Nothing that is done to it changes the request."""

    def __init__(self, call: Call, parsed: ParsedCall, counting: Counting | None = None) -> None:
        self._call = call
        self._parsed = parsed
        self._counting = counting
        self._loop = asyncio.get_running_loop()

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: the ancestor let routers change a request in passing, ours only choose. Raises AttributeError."""
        if not name.startswith("_"):
            raise AttributeError(f"the request is read-only: cannot set {name!r}")
        super().__setattr__(name, value)

    @property
    def model(self) -> str:
        """The model that the caller wrote."""
        return self._parsed.facts.model

    @property
    def headers(self) -> Headers:
        """Headers by lower-case name, without credentials."""
        secret = {"authorization", "x-api-key", "cookie"}
        return MappingProxyType({k: v for k, v in self._call.headers.items() if k not in secret})

    @property
    def session_id(self) -> str:
        """Claude Code's session, empty if there is none."""
        return self._parsed.facts.session.session

    @property
    def facts(self) -> RequestFacts:
        """What the gateway's own rules look at."""
        return self._parsed.facts

    @property
    def token_count(self) -> int:
        """Input tokens, roughly: four bytes of text are one."""
        return self._parsed.facts.text_size // _BYTES_A_TOKEN

    async def count_tokens(self) -> int:
        """Count the input tokens exactly; slow for text that has not been seen before."""
        if self._counting is None:
            return self.token_count
        # A router runs in a thread of its own; memos and counter belong to the thread of the requests.
        future = asyncio.run_coroutine_threadsafe(self._counting.exact(self._parsed), self._loop)
        return await asyncio.wrap_future(future)

    # cached_property writes to the instance's dictionary and so does not meet __setattr__.
    @cached_property
    def body(self) -> Mapping[str, object]:
        """The request's JSON, read-only all the way down; empty for a conversation that came as values."""
        found = json.object_of(self._call.body or b"{}")
        frozen = frozen_json(found or {})
        assert isinstance(frozen, Mapping)
        return frozen

    @cached_property
    def user_text(self) -> str:
        """The text of the first user message, whichever way the client wrote its content."""
        if self._call.body:
            return "\n".join(_first_user(self.body.get("messages")))
        turns = self._parsed.conversation().turns
        first = next((turn for turn in turns if turn.role is Role.USER), None)
        blocks = first.blocks if first is not None else ()
        return "\n".join(block.text for block in blocks if isinstance(block, Text))


def _first_user(messages: object) -> Iterator[str]:
    turns = messages if isinstance(messages, tuple) else ()
    first = next((turn for turn in turns if isinstance(turn, Mapping) and turn.get("role") == "user"), None)
    content = first.get("content") if first is not None else None
    if isinstance(content, str):
        yield content
    for block in content if isinstance(content, tuple) else ():
        text = block.get("text") if isinstance(block, Mapping) else None
        if isinstance(text, str):
            yield text


def frozen_json(value: object) -> object:
    """Return JSON values that nobody can change: mappings and tuples in place of dicts and lists."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: frozen_json(inner) for key, inner in value.items()})
    if isinstance(value, list | tuple):
        return tuple(frozen_json(inner) for inner in value)
    return value
