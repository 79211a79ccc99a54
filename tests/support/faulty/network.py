"""Faults of connections and of HTTP, the same whatever is spoken."""

from __future__ import annotations

import asyncio
import functools
import gzip
import zlib

from tests.support.faulty.catalogue import CUT, EITHER, OK, fault, told
from tests.support.faulty.scripts import Script
from tests.support.faulty.wire import Asked, GoneError, Wire

BROKEN = (502, 503)
LATE = (504,)


@fault(OK)
async def healthy(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await told(wire, script, stream)


# ------------------------------------------------------------------------------------------------ connections


@fault(BROKEN, row=5)
async def close_no_response(wire: Wire, *_: object) -> None:
    wire.writer.close()


@fault(BROKEN, row=6)
async def rst_before_response(wire: Wire, *_: object) -> None:
    wire.reset()


@fault(BROKEN, row=6)
async def rst_mid_headers(wire: Wire, *_: object) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/ev")
    wire.reset()


@fault(BROKEN, row=6)
async def fin_mid_headers(wire: Wire, *_: object) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/ev")
    wire.writer.close()


async def _begun(wire: Wire, script: Script, stream: bool) -> None:
    """Send a part of the reply that has content."""
    if stream:
        await wire.head()
        await wire.data(*script.opening, script.deltas[0])
    else:
        await wire.head(kind="application/json")
        await wire.data(script.whole[:20])


@fault(CUT, BROKEN, row=7)
async def rst_midstream(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await _begun(wire, script, stream)
    await asyncio.sleep(0.05)
    wire.reset()


@fault(CUT, BROKEN, row=8)
async def fin_midstream(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await _begun(wire, script, stream)
    wire.writer.close()


@fault(CUT, BROKEN, row=9)
async def fin_mid_event(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await _begun(wire, script, stream)
    if stream:
        await wire.data(script.deltas[1][:-7])
    wire.writer.close()


@fault(CUT, LATE, row=9)
async def stall_mid_event(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await _begun(wire, script, stream)
    if stream:
        await wire.data(script.deltas[1][:-7])
    await wire.hang()


@fault(CUT, LATE, row=13)
async def stall_after_first(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await _begun(wire, script, stream)
    await wire.hang()


@fault(LATE, row=13)
async def stall_before_first(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await wire.head(kind="text/event-stream" if stream else "application/json")
    if stream:
        await wire.data(*script.opening[:1])
    await wire.hang()


@fault(LATE, row=12)
async def hang_headers(wire: Wire, *_: object) -> None:
    await wire.hang()


@fault(LATE, row=12)
async def hang_mid_headers(wire: Wire, *_: object) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\ncontent-t")
    await wire.hang()


@fault(OK, row=11)
async def slow_headers(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await asyncio.sleep(0.7)
    await told(wire, script, stream)


@fault(OK, row=14)
async def stall_after_finish(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    if not stream:
        await told(wire, script, stream)
        return
    await wire.head()
    await wire.data(*script.events)
    await wire.hang()


@fault(OK, row=15)
async def slow_drip(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    body = b"".join(script.events) if stream else script.whole
    await wire.head(kind="text/event-stream" if stream else "application/json")
    for at in range(0, len(body), 64):
        await wire.data(body[at : at + 64])
        await asyncio.sleep(0.01)
    await wire.end()


@fault(OK, row=16)
async def comments_first(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    if not stream:
        await told(wire, script, stream)
        return
    await wire.head()
    for _ in range(5):
        await wire.data(b": PROCESSING\n\n")
        await asyncio.sleep(0.15)
    await wire.data(*script.events)
    await wire.end()


@fault(LATE, row=16)
async def comments_for_ever(wire: Wire, *_: object) -> None:
    await wire.head()
    while True:
        await wire.data(b": PROCESSING\n\n")
        await asyncio.sleep(0.1)


@fault(CUT, LATE)
async def comments_after_the_first_for_ever(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await _begun(wire, script, stream)
    while True:
        await wire.data(b": PROCESSING\n\n" if stream else b" ")
        await asyncio.sleep(0.1)


_ASKED_BEFORE: set[int] = set()


@fault(OK, row=17)
async def stale_keep_alive(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    """Answer, say that the connection stays, and close it at the next request."""
    if id(wire.writer) in _ASKED_BEFORE:
        wire.reset()
        return
    _ASKED_BEFORE.add(id(wire.writer))
    await told(wire, script, stream)


# --------------------------------------------------------------------------------------------------------- HTTP


@fault((502,), row=19)
async def garbage_http(wire: Wire, *_: object) -> None:
    await wire.raw(b"\x16\x03\x01 SSH-2.0-OpenSSH hello\r\n\r\n")
    wire.writer.close()


@fault(OK, row=20)
async def early_hints(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await wire.raw(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    await told(wire, script, stream)


@fault(OK, row=21)
async def http10_close(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    kind = b"text/event-stream" if stream else b"application/json"
    await wire.raw(b"HTTP/1.0 200 OK\r\ncontent-type: " + kind + b"\r\n\r\n")
    await wire.raw(b"".join(script.events) if stream else script.whole)
    wire.writer.close()


@fault(CUT, BROKEN, row=22)
async def bad_chunk_size(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await _begun(wire, script, stream)
    await wire.raw(b"zz\r\nwhat\r\n")
    wire.writer.close()


@fault(EITHER, BROKEN, row=23)
async def short_body(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    """Promise more than comes."""
    body = b"".join(script.events) if stream else script.whole
    await wire.head(kind="text/event-stream" if stream else "application/json", length=len(body) + 50)
    await wire.data(body)
    wire.writer.close()


@fault((502,), row=23)
async def cut_body(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
    await wire.whole(script.whole[: len(script.whole) // 2])


@fault(EITHER)
async def two_lengths(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
    body = script.whole
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\ncontent-length: 3\r\n\r\n"
    await wire.raw(head.encode() + body)
    wire.writer.close()


@fault(EITHER, row=32)
async def header_bomb(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\nx-big: " + b"a" * 200_000 + b"\r\n")
    kind = b"text/event-stream" if stream else b"application/json"
    await wire.raw(b"content-type: " + kind + b"\r\nconnection: close\r\n\r\n")
    await wire.raw(b"".join(script.events) if stream else script.whole)
    wire.writer.close()


@fault((502,))
async def endless_headers(wire: Wire, *_more: object) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\n")
    for number in range(200_000):
        await wire.raw(b"x-%d: %s\r\n" % (number, b"a" * 100))


@fault(OK)
async def header_injection(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    body = b"".join(script.events) if stream else script.whole
    await wire.head(
        kind="text/event-stream" if stream else "application/json", length=len(body),
        request_id="x" * 2000, set_cookie="a=b", x_ratelimit_remaining="\xff" * 40, access_control_allow_origin="*",
    )  # fmt: skip
    await wire.data(body)
    wire.keep = True


# -------------------------------------------------------------------------------------------------------- bodies


@fault((502,), row=28)
async def html_200(wire: Wire, *_: object) -> None:
    await wire.whole(
        b"<html><body>Welcome to nginx <script>alert(1)</script></body></html>", kind="text/html"
    )


@fault((502,), row=28)
async def empty_200(wire: Wire, *_: object) -> None:
    await wire.whole(b"")


@fault((502,), row=28)
async def empty_stream(wire: Wire, *_: object) -> None:
    await wire.head()
    await wire.end()


@fault((502,), row=28)
async def text_200(wire: Wire, *_: object) -> None:
    await wire.whole(b"OK", kind="text/plain")


@fault((502,), row=28)
async def null_200(wire: Wire, *_: object) -> None:
    await wire.whole(b"null")


@fault((502,), row=28)
async def list_200(wire: Wire, *_: object) -> None:
    await wire.whole(b"[1, 2]")


@fault((502,), row=28)
async def object_200(wire: Wire, *_: object) -> None:
    await wire.whole(b"{}")


@fault((502,), row=28)
async def no_content_204(wire: Wire, *_: object) -> None:
    await wire.raw(b"HTTP/1.1 204 No Content\r\n\r\n")
    wire.keep = True


@fault((502,))
async def not_modified_304(wire: Wire, *_: object) -> None:
    await wire.raw(b"HTTP/1.1 304 Not Modified\r\n\r\n")


@fault((502,), row=28)
async def deep_json(wire: Wire, *_: object) -> None:
    await wire.whole(b"[" * 100_000)


@fault(EITHER)
async def binary_noise(wire: Wire, *_: object) -> None:
    await wire.head()
    await wire.data(bytes(range(256)) * 40)
    await wire.end()


@fault(OK, row=31)
async def json_when_stream(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
    await wire.whole(script.whole)


@fault(OK, row=31)
async def sse_when_json(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
    await told(wire, script, stream=True)


@fault(OK, row=33)
async def gzip_ok(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    body = gzip.compress(b"".join(script.events) if stream else script.whole)
    await wire.head(
        kind="text/event-stream" if stream else "application/json", length=len(body), content_encoding="gzip"
    )
    await wire.data(body)
    wire.keep = True


@functools.cache
def bomb() -> bytes:
    """200 MB in 200 kB; made once, in pieces."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(200)) + packer.flush()


@fault((502,), row=33)
async def gzip_bomb(wire: Wire, _asked: Asked, _script: Script, stream: bool) -> None:
    body = await asyncio.to_thread(bomb)
    await wire.head(
        kind="text/event-stream" if stream else "application/json", length=len(body), content_encoding="gzip"
    )
    await wire.data(body)


@fault((502,), row=33)
async def gzip_corrupt(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    body = gzip.compress(b"".join(script.events) if stream else script.whole)
    await wire.head(
        kind="text/event-stream" if stream else "application/json", length=len(body), content_encoding="gzip"
    )
    await wire.data(body[:15] + b"\x00\x00\x00\x00" + body[19:])


@fault((502,), row=33)
async def gzip_cut(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    body = gzip.compress(b"".join(script.events) if stream else script.whole)[:30]
    await wire.head(
        kind="text/event-stream" if stream else "application/json", length=len(body), content_encoding="gzip"
    )
    await wire.data(body)


@fault(EITHER, row=33)
async def deflate(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    body = zlib.compress(b"".join(script.events) if stream else script.whole)
    await wire.head(
        kind="text/event-stream" if stream else "application/json",
        length=len(body),
        content_encoding="deflate",
    )
    await wire.data(body)


@fault((502,))
async def unknown_encoding(wire: Wire, _asked: Asked, script: Script, stream: bool) -> None:
    body = b"".join(script.events) if stream else script.whole
    await wire.head(
        kind="text/event-stream" if stream else "application/json", length=len(body), content_encoding="br"
    )
    await wire.data(body)


@fault((502,), row=29)
async def redirect_302(wire: Wire, asked: Asked, _script: Script, _stream: bool) -> None:
    await wire.whole(b"", 302, location=f"http://{asked.headers['host']}/canary")


@fault((502,), row=29)
async def redirect_307(wire: Wire, asked: Asked, _script: Script, _stream: bool) -> None:
    await wire.whole(b"", 307, location=f"http://{asked.headers['host']}/canary")


@fault((502,), row=43)
async def endless_line(wire: Wire, *_more: object) -> None:
    await wire.head()
    piece = b"a" * 65_536
    await wire.data(b"data: ")
    for _turn in range(2000):
        await wire.data(piece)
    raise GoneError


@fault((502,))
async def endless_body(wire: Wire, *_more: object) -> None:
    await wire.head(kind="application/json")
    piece = b'{"a": "' + b"a" * 65_536
    for _turn in range(2000):
        await wire.data(piece)
    raise GoneError


# ------------------------------------------------------------------------------------------------------ statuses


async def _status(
    wire: Wire, script: Script, status: int, message: str, kind: str = "api_error", **more: str
) -> None:
    await wire.whole(script.error(message, kind), status, **more)


def _plain(name: str, status: int, kind: str, expected: tuple[int, ...], row: int) -> None:
    @fault(expected, row=row, name=name)
    async def act(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
        await _status(wire, script, status, f"the provider says {status}", kind)


_plain("status-400", 400, "invalid_request_error", (400,), 24)
_plain("status-401", 401, "authentication_error", (502,), 24)
_plain("status-402", 402, "billing_error", (502,), 24)
_plain("status-403", 403, "permission_error", (502,), 24)
_plain("status-404", 404, "not_found_error", (400, 404), 24)
_plain("status-408", 408, "timeout_error", (408, 503, 504), 24)
_plain("status-413", 413, "request_too_large", (413,), 24)
_plain("status-422", 422, "invalid_request_error", (422,), 24)
_plain("status-429", 429, "rate_limit_error", (429,), 25)
_plain("status-500", 500, "api_error", (500, 503), 26)
_plain("status-504", 504, "api_error", (503, 504), 26)
_plain("status-529", 529, "overloaded_error", (529,), 26)
_plain("status-599", 599, "api_error", (500, 503, 599), 26)


@fault((400,), row=24)
async def context_overflow(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
    await _status(
        wire, script, 400, "This model's maximum context length is 8192 tokens", "invalid_request_error"
    )


@fault((429,), row=25)
async def status_429_retry_after(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
    await _status(wire, script, 429, "slow down", "rate_limit_error", retry_after="7")


@fault((502, 503), row=26)
async def html_502(wire: Wire, *_: object) -> None:
    await wire.whole(b"<html><title>502 Bad Gateway</title></html>", 502, "text/html")


@fault((503,), row=26)
async def empty_503(wire: Wire, *_: object) -> None:
    await wire.whole(b"", 503)


@fault((500, 503), row=26)
async def endless_500(wire: Wire, *_more: object) -> None:
    await wire.head(500, "text/plain")
    for _turn in range(500):
        await wire.data(b"a" * 65_536)


@fault((500, 503, 504), row=26)
async def stalled_500(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
    await wire.head(500, "application/json")
    await wire.data(script.error("half of an")[:12])
    await wire.hang()


@fault((500, 503), row=26)
async def cut_500(wire: Wire, _asked: Asked, script: Script, _stream: bool) -> None:
    await wire.head(500, "application/json")
    await wire.data(script.error("half of an")[:12])
    wire.writer.close()


@fault((502,), row=30)
async def error_echoes_key(wire: Wire, asked: Asked, script: Script, _stream: bool) -> None:
    shown = " ".join(asked.headers.get(name, "") for name in ("authorization", "x-api-key", "x-goog-api-key"))
    await _status(wire, script, 401, f"Incorrect API key provided: {shown}", "authentication_error")


@fault((400,), row=30)
async def complaint_echoes_key(wire: Wire, asked: Asked, script: Script, _stream: bool) -> None:
    shown = " ".join(asked.headers.get(name, "") for name in ("authorization", "x-api-key", "x-goog-api-key"))
    await _status(wire, script, 400, f"bad request: {shown}", "invalid_request_error")
