from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable

import pytest

from ccr.adapters.upstream.decode import decoder_for
from ccr.domain.errors import UpstreamProtocolError

pytestmark = pytest.mark.anyio

TEXT = b"".join(b"%d," % n for n in range(30_000))


def source(data: bytes, step: int) -> Callable[[], Awaitable[bytes]]:
    pieces = iter([data[i : i + step] for i in range(0, len(data), step)])

    async def read() -> bytes:
        return next(pieces, b"")

    return read


async def decode(data: bytes, coding: str, step: int = 4096) -> bytes:
    decoder = decoder_for({"content-encoding": coding}, "up:1")
    assert decoder is not None
    read = source(data, step)
    out = []
    while piece := await decoder.chunk(read):
        out.append(piece)
    assert await decoder.chunk(read) == b""
    return b"".join(out)


def raw_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(data) + machine.flush()


@pytest.mark.parametrize("step", [1, 1000, 10_000_000])
@pytest.mark.parametrize(
    "coding, data",
    [
        ("gzip", gzip.compress(TEXT)),
        ("X-Gzip", gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
)
async def test_decodes_at_every_chunking(coding: str, data: bytes, step: int) -> None:
    assert await decode(data, coding, step) == TEXT


async def test_output_that_zlib_holds_back_is_not_lost() -> None:
    for size in (256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 512 * 1024, 600_000):
        noise = random.Random(size).randbytes(2000)
        text = (noise * 400)[:size]
        assert text == await decode(gzip.compress(text), "gzip", 10_000_000)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_cut_is_an_error(coding: str) -> None:
    data = gzip.compress(TEXT) if coding == "gzip" else zlib.compress(TEXT)

    with pytest.raises(UpstreamProtocolError, match="cut short"):
        await decode(data[:-20], coding)


async def test_an_empty_body_needs_no_compression() -> None:
    assert await decode(b"", "gzip") == b""


async def test_damage_is_an_error() -> None:
    with pytest.raises(UpstreamProtocolError, match="damaged"):
        await decode(b"not gzip at all", "gzip")
    with pytest.raises(UpstreamProtocolError, match="damaged"):
        await decode(zlib.compress(b"x") + b"more", "deflate")


async def test_a_bomb_is_defused_before_it_fills_memory() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(UpstreamProtocolError, match="too far"):
            await decode(bomb, "gzip", 1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # 2 MB: this test keeps what it gets
    assert peak < 64_000_000


def test_headers_that_cease_to_be_true_go() -> None:
    headers = {"content-encoding": "gzip", "content-length": "9", "x": "y"}

    assert decoder_for(headers, "up:1") is not None
    assert headers == {"x": "y"}

    headers = {"content-encoding": "identity", "content-length": "9"}
    assert decoder_for(headers, "up:1") is None
    assert headers == {"content-length": "9"}
    assert decoder_for({}, "up:1") is None


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "exi"])
def test_other_codings_are_refused(coding: str) -> None:
    with pytest.raises(UpstreamProtocolError, match="up:1"):
        decoder_for({"content-encoding": coding}, "up:1")
