"""The service behind Gemini CLI's own login, Code Assist: generateContent, wrapped both ways.

Out goes ``{model, project, user_prompt_id, request: {...generateContent's own fields}}``, back comes ``{response: {...},
traceId}``, in every event of a stream too; errors are Google's usual ones (read in the sources of Gemini CLI 0.61.0, Apache-2.0:
its client of this service).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import msgspec

from ccr.adapters.wire.sse import SseFramer
from ccr.application.ports.dialect import Frame
from ccr.domain.errors import UnsupportedError
from ccr.domain.facts import Operation
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ccr.application.ports.dialect import Framer
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.provider import Endpoint

__all__ = ["CodeAssistHosting"]

_VERSION = "/v1internal"
_PROJECT = "project"
_PROJECT_VARIABLE = "GOOGLE_CLOUD_PROJECT"
_OUTSIDE = frozenset({"model", _PROJECT})
"""Fields that stand beside ``request``."""
_NOWHERE = frozenset({"stream"})
"""It is said by the address."""


class _Wrapped(msgspec.Struct, gc=False):
    response: msgspec.Raw = msgspec.Raw()


_WRAPPED = msgspec.json.Decoder(_Wrapped)


class CodeAssistHosting:
    """Door to Code Assist. ``environ`` says the project where no option of ``gemini-cli`` does."""

    name = "code_assist"
    verbatim = False

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def url(self, endpoint: Endpoint, model: str, operation: Operation, *, stream: bool) -> str:
        """Return the absolute URL; what a configured address says after ``/v1internal`` is replaced.

        Raises UnsupportedError for anything but a generation of Gemini's dialect.
        """
        del model
        if operation is not Operation.GENERATE or endpoint.dialect != "gemini":
            raise UnsupportedError(
                f"Code Assist has no way to ask for {operation.value} in the dialect {endpoint.dialect}"
            )
        parts = urlsplit(endpoint.url)
        head = parts.path.partition(_VERSION)[0].rstrip("/")
        action = ":streamGenerateContent" if stream else ":generateContent"
        return urlunsplit(parts._replace(path=f"{head}{_VERSION}{action}", query="alt=sse" if stream else ""))

    def amend(self, encoded: Encoded, endpoint: Endpoint, betas: Sequence[str], *, stream: bool) -> Encoded:
        """Return the request wrapped."""
        del endpoint, betas, stream
        fields = encoded.payload.fields
        inner = {name: value for name, value in fields.items() if name not in _OUTSIDE | _NOWHERE}
        project = fields.get(_PROJECT) or self._environ.get(_PROJECT_VARIABLE, "").strip()
        wrapped = {
            "model": str(fields.get("model", "")).removeprefix("models/"),
            **({_PROJECT: project} if project else {}),
            "user_prompt_id": uuid4().hex,
            "request": inner,
        }
        return evolve(encoded, payload=evolve(encoded.payload, fields=wrapped))

    def framer(self, *, limit: int) -> Framer:
        """Return an SSE framer that unwraps."""
        return _Unwrapping(SseFramer(limit))

    def unwrapped(self, body: bytes) -> bytes:
        """Return what a whole reply has inside; an error, and what is no such reply, as it came."""
        try:
            inner = bytes(_WRAPPED.decode(body).response)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return body
        return inner or body


class _Unwrapping:
    def __init__(self, framer: SseFramer) -> None:
        self._framer = framer

    def feed(self, data: bytes) -> list[Frame]:
        return list(map(_unwrapped, self._framer.feed(data)))

    def close(self) -> list[Frame]:
        return list(map(_unwrapped, self._framer.close()))


def _unwrapped(frame: Frame) -> Frame:
    try:
        inner = bytes(_WRAPPED.decode(frame.data).response)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return frame  # the dialect says what is wrong with it
    return Frame(frame.event, inner) if inner else frame
