from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.wire.sse import SseFramer, write_event
from ccr.application.ports.dialect import Frame
from ccr.domain.errors import UpstreamProtocolError

CASES = [
    (b"data: a\n\n", [Frame(b"", b"a")]),
    (b"event: x\ndata: a\n\n", [Frame(b"x", b"a")]),
    (b"event:x\rdata:a\r\r", [Frame(b"x", b"a")]),
    (b"event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", [Frame(b"x", b"a"), Frame(b"", b"b")]),
    (b"\xef\xbb\xbfdata: a\n\n", [Frame(b"", b"a")]),
    (b"\xef\xbbdata: a\n\n", []),
    (b": comment\n\ndata: a\nid: 7\nretry: 1\n\n", [Frame(b"", b"a")]),
    (b"data: a\ndata:  b\n\n", [Frame(b"", b"a\n b")]),
    (b"data\n\n", [Frame(b"", b"")]),
    (b"data: a\ndata\n\n", [Frame(b"", b"a\n")]),
    (b"event: x\n\n", []),
    (b"\n\n\n\ndata: a\n\n\n\n", [Frame(b"", b"a")]),
    (b"data: a", [Frame(b"", b"a")]),
    (b"", []),
    ("data: \N{GRINNING FACE}é\n\n".encode(), [Frame(b"", "\N{GRINNING FACE}é".encode())]),
]


def read(pieces: list[bytes], limit: int = 1000) -> list[Frame] | None:
    framer, frames = SseFramer(limit), []
    try:
        for piece in pieces:
            frames += framer.feed(piece)
        frames += framer.close()
    except UpstreamProtocolError:
        return [*frames, Frame(b"", b"TOO LONG")]
    return frames


@pytest.mark.parametrize("stream, expected", CASES)
def test_frames(stream: bytes, expected: list[Frame]) -> None:
    assert expected == read([stream])
    assert expected == read([stream[at : at + 1] for at in range(len(stream))])
    assert expected == read([b"", stream, b""])


@given(
    st.lists(st.sampled_from([b"data: a", b"event:x", b"\n", b"\r", b"\r\n", b":c", b"\xef\xbb\xbf"])),
    st.data(),
)
def test_frames_do_not_depend_on_where_the_network_cut(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    assert read([stream], 12) == read(pieces, 12)
    assert read([stream]) == read(pieces)


def test_an_event_over_the_bound_is_an_error_after_the_frames_before_it() -> None:
    framer = SseFramer(20)

    assert [Frame(b"", b"a")] == framer.feed(b"data: a\n\ndata: " + b"x" * 20)
    with pytest.raises(UpstreamProtocolError, match="20 bytes"):
        framer.feed(b"")
    with pytest.raises(UpstreamProtocolError):
        framer.close()


def test_a_large_event_in_many_pieces_is_not_searched_again() -> None:
    framer = SseFramer()
    framer.feed(b"data: ")
    for _ in range(20_000):
        assert framer.feed(b"x" * 100) == []

    assert len(framer.feed(b"\n\n")[0].data) == 2_000_000


def test_an_event_is_written_in_two_lines() -> None:
    assert write_event(b"ping", b"{}") == b"event: ping\ndata: {}\n\n"
    assert [Frame(b"ping", b"{}")] == SseFramer().feed(write_event(b"ping", b"{}"))
