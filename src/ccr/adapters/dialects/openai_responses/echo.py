"""What a reply repeats of its request, and what its writer must know of the tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import field

from ccr.adapters.dialects.openai_responses.read_tools import tool_names
from ccr.adapters.dialects.openai_responses.wire import Raw, absent
from ccr.domain.errors import InvalidRequestError
from ccr.domain.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NO_ECHO", "Echo", "echo_of"]

_SETTINGS = (
    "background", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls", "prompt_cache_key",
    "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "temperature", "text", "tool_choice",
    "top_logprobs", "top_p", "truncation", "user",
)  # fmt: skip
_LARGE = ("instructions", "tools")
_LARGEST = 4 * 1024
"""Bytes of tools and instructions that are worth keeping for as long as the stream lives."""
_SPECIAL = re.compile(rb'"(?:custom|namespace)"')
"""What stands in tools of which a reply must know more than the name; looked for first, for most have none."""


@value
class Echo:
    """``settings``: fields of the request as JSON text, to be repeated. ``freeform``: names of tools whose input is text.
    ``namespaces``: for a flat name the namespace and the name in it.
    """

    settings: Mapping[str, bytes] = field(factory=dict)
    freeform: frozenset[str] = frozenset()
    namespaces: Mapping[str, tuple[str, str]] = field(factory=dict)


NO_ECHO = Echo()


def echo_of(top: Mapping[str, Raw]) -> Echo:
    """Return what to keep of a request. Tools that cannot be read are none: the request itself will be refused."""
    settings = {name: bytes(top[name]) for name in _SETTINGS if name in top and not absent(top[name])}
    large = {name: bytes(top[name]) for name in _LARGE if name in top and not absent(top[name])}
    if sum(map(len, large.values())) <= _LARGEST:
        settings.update(large)
    tools = top.get("tools")
    if tools is None or not _SPECIAL.search(bytes(tools)):
        return Echo(settings)
    try:
        return Echo(settings, *tool_names(bytes(tools)))
    except InvalidRequestError:
        return Echo(settings)
