from __future__ import annotations

from ccr.application.catalog.memo import Memo


def test_equal_bytes_are_read_once() -> None:
    read: list[bytes] = []

    def length(raw: bytes) -> int:
        read.append(raw)
        return len(raw)

    memo = Memo(length)

    assert [memo(b"abc"), memo(b"abc"), memo(b"ab")] == [3, 3, 2]
    assert read == [b"abc", b"ab"]


def test_memory_is_bounded_and_the_oldest_use_goes_first() -> None:
    read: list[bytes] = []

    def same(raw: bytes) -> bytes:
        read.append(raw)
        return raw

    memo = Memo(same, bound=8)
    for raw in (b"aaaa", b"bbbb", b"aaaa", b"cccc", b"aaaa", b"bbbb"):
        memo(raw)

    assert read == [b"aaaa", b"bbbb", b"cccc", b"bbbb"]
    assert memo.size <= 8


def test_what_is_larger_than_the_memory_is_not_kept() -> None:
    memo = Memo(bytes.decode, bound=2)

    assert memo(b"long") == "long"
    assert memo.size == 0
