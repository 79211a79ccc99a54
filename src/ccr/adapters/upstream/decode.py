"""Content codings that we never asked for, undone with bounds: a kilobyte of gzip can hold a megabyte."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from ccr.domain.errors import UpstreamProtocolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["MAX_DECODED", "MAX_RATIO", "Decoder", "decoder_for"]

MAX_DECODED = 64 * 1024 * 1024  # bytes of one answer; the largest real ones are about 1 MB
MAX_RATIO = 200  # JSON and SSE reach 20 to 50, deflate's limit is 1032
_RATIO_FROM = 1024 * 1024  # below this nobody is hurt
_PIECE = 256 * 1024

_GZIP = 16 + zlib.MAX_WBITS


def decoder_for(headers: dict[str, str], where: str) -> Decoder | None:
    """Return what decodes the body, or None if it is not encoded; takes the headers that cease to be true.

    Raises UpstreamProtocolError for a coding other than gzip and deflate.
    """
    coding = headers.get("content-encoding")
    if coding is None:
        return None
    match coding.strip().lower():
        case "" | "identity":
            decoder = None
        case "gzip" | "x-gzip":
            decoder = Decoder(where, gzip=True)
        case "deflate":
            decoder = Decoder(where, gzip=False)
        case _:
            raise UpstreamProtocolError(f"{where} sends a content coding that we did not ask for")
    del headers["content-encoding"]
    if decoder is not None:
        headers.pop("content-length", None)
    return decoder


class Decoder:
    """Decodes one body piece by piece; never holds more than one piece of output."""

    __slots__ = ("_gzip", "_held", "_inflater", "_read", "_tail", "_where", "_written")

    def __init__(self, where: str, *, gzip: bool) -> None:
        self._where = where
        self._gzip = gzip
        self._inflater: zlib._Decompress | None = zlib.decompressobj(_GZIP) if gzip else None
        self._tail = b""
        self._held = False
        self._read = 0
        self._written = 0

    async def chunk(self, source: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the next decoded piece (at most 256 kB), ``b""`` at the end; reads on only when it must.

        Raises UpstreamProtocolError for what does not decode, ends early, or grows beyond the bounds.
        """
        while True:
            piece = self._step()
            if piece:
                return piece
            data = await source()
            if not data:
                if self._read and not (self._inflater is not None and self._inflater.eof):
                    raise UpstreamProtocolError(f"The answer of {self._where} was cut short")
                return b""
            self._read += len(data)
            self._tail += data

    def _step(self) -> bytes:
        while self._tail or self._held:
            inflater = self._ready()
            try:
                piece = inflater.decompress(self._tail, _PIECE)
            except zlib.error as exc:
                raise UpstreamProtocolError(f"The compressed answer of {self._where} is damaged") from exc
            self._tail = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            # A full piece may leave output inside zlib although all input is consumed.
            self._held = len(piece) == _PIECE and not inflater.eof
            if piece:
                self._count(len(piece))
                return piece
        return b""

    def _ready(self) -> zlib._Decompress:
        if self._inflater is None:
            # "deflate" is zlib by the standard and raw in the wild: CMF is 8 in its low half, and the first two
            # bytes are a multiple of 31 (RFC 1950 2.2). One byte suffices to tell in practice.
            wrapped = self._tail[0] & 0x0F == 8 and self._tail[0] >> 4 <= 7
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        elif self._inflater.eof:
            if not self._gzip:
                raise UpstreamProtocolError(f"The compressed answer of {self._where} is damaged")
            self._inflater = zlib.decompressobj(_GZIP)  # RFC 1952 2.2: members may follow each other
        return self._inflater

    def _count(self, size: int) -> None:
        self._written += size
        grown = self._written > _RATIO_FROM and self._written > MAX_RATIO * self._read
        if grown or self._written > MAX_DECODED:
            raise UpstreamProtocolError(f"The compressed answer of {self._where} expands too far")
