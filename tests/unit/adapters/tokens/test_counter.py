from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from tiktoken import Encoding

from ccr.adapters.tokens.counter import TokenCounter
from ccr.adapters.tokens.estimate import typical
from ccr.adapters.tokens.ranks import VocabularyError, load_encoding
from ccr.application.ports import tokens as port

pytestmark = pytest.mark.anyio


class Recorder:
    """A vocabulary of one token a character, which remembers what it was asked and where."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.threads: set[int] = set()

    def encode_ordinary(self, text: str) -> list[int]:
        self.asked.append(text)
        self.threads.add(threading.get_ident())
        return [0] * len(text)

    def load(self) -> Encoding:
        return self  # type: ignore[return-value]  # the one method the counter calls


async def count(counter: TokenCounter, texts: Sequence[bytes]) -> int:
    """One group."""
    (tokens,) = await counter.count_each([texts])
    return tokens


@pytest.fixture(scope="module")
def encoding() -> Encoding:
    return load_encoding()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def counter(recorder: Recorder) -> Iterator[TokenCounter]:
    counter = TokenCounter(memo_bytes=10_000, load=recorder.load)
    yield counter
    counter.close()


@pytest.fixture
def real(encoding: Encoding) -> Iterator[TokenCounter]:
    counter = TokenCounter(load=lambda: encoding)
    yield counter
    counter.close()


def test_is_the_port(counter: TokenCounter) -> None:
    as_port: port.TokenCounter = counter

    assert as_port.estimate(160) == port.TokenRange(10, 160)


async def test_counts_with_the_real_vocabulary(real: TokenCounter) -> None:
    assert await count(real, [b"hello world", "Grüße".encode(), b""]) == 2 + 3


async def test_special_tokens_are_plain_text(real: TokenCounter) -> None:
    assert await count(real, [b"<|endoftext|>"]) == 7


async def test_bytes_that_are_no_utf8_are_counted_too(real: TokenCounter) -> None:
    assert await count(real, [b"\xff\xfe"]) > 0


async def test_nothing_needs_no_vocabulary(counter: TokenCounter) -> None:
    assert await count(counter, []) == 0
    assert counter._vocabulary is None


@given(st.lists(st.text(max_size=30), max_size=8), st.lists(st.text(max_size=30), max_size=8))
def test_a_count_is_additive_whatever_is_remembered(
    encoding: Encoding, first: list[str], second: list[str]
) -> None:
    async def run() -> tuple[int, int, int]:
        counter = TokenCounter(memo_bytes=2000, load=lambda: encoding)
        before = await count(counter, [text.encode() for text in first])
        both = await count(counter, [text.encode() for text in first + second])
        after = await count(counter, [text.encode() for text in second])
        counter.close()
        return before, both, after

    before, both, after = asyncio.run(run())

    assert both == before + after
    assert both == sum(len(encoding.encode_ordinary(text)) for text in first + second)


async def test_what_is_known_is_not_encoded_again(counter: TokenCounter, recorder: Recorder) -> None:
    await count(counter, [b"one", b"two"])

    assert await count(counter, [b"one", b"two", b"three"]) == 11
    assert recorder.asked == ["one", "two", "three"]


async def test_the_memo_is_bounded_and_forgets_the_least_used(
    counter: TokenCounter, recorder: Recorder
) -> None:
    texts = [f"{number:04}".encode() * 100 for number in range(46)]  # of 216 bytes each, 46 fit
    await count(counter, texts)
    await count(counter, texts[:1])
    await count(counter, [b"z" * 1000])
    recorder.asked.clear()

    await count(counter, [texts[0]])
    assert recorder.asked == []
    await count(counter, [texts[1]])
    assert recorder.asked == ["0001" * 100]
    assert counter._held == sum(len(name) + 200 for name in counter._memo) <= 10_000


async def test_no_text_is_kept_that_is_longer_than_its_digest(
    counter: TokenCounter, recorder: Recorder
) -> None:
    alike = [b"x" * 1_000_000 + end for end in (b"1", b"2")]

    assert await count(counter, [*alike, b"short"]) == 2_000_007
    assert await count(counter, [*alike, b"short"]) == 2_000_007
    assert len(recorder.asked) == 3 + 2 * 3  # in pieces, each once
    assert sorted(map(len, counter._memo)) == [5, 16, 16]


async def test_the_digests_of_two_workers_have_nothing_in_common(recorder: Recorder) -> None:
    one, other = TokenCounter(load=recorder.load), TokenCounter(load=recorder.load)
    await count(one, [b"x" * 100])
    await count(other, [b"x" * 100])

    assert set(one._memo).isdisjoint(other._memo)


async def test_short_texts_are_counted_on_the_loop_and_long_ones_beside_it(
    counter: TokenCounter, recorder: Recorder
) -> None:
    await count(counter, [b"x" * 8000])
    assert {threading.get_ident()} == recorder.threads
    recorder.threads.clear()

    await count(counter, [b"y" * 8000, b"z" * 8000])
    assert threading.get_ident() not in recorder.threads


async def test_the_loop_goes_on_while_a_megabyte_is_counted(real: TokenCounter) -> None:
    text = b"The quick brown fox jumps over the lazy dog, again and again.\n" * 17_000
    counting = asyncio.create_task(count(real, [text]))
    ticks = 0
    while not counting.done():
        await asyncio.sleep(0)
        ticks += 1

    assert ticks > 20
    assert await counting > 200_000


async def test_a_million_blanks_do_not_break_the_vocabulary(real: TokenCounter) -> None:
    assert await count(real, [b" " * 1_100_000 + b"x"]) > 8000


async def test_long_texts_are_cut_after_lines_which_changes_no_count(
    real: TokenCounter, encoding: Encoding
) -> None:
    text = "A line of a long file, of which there are many.\n" * 12_000

    assert await count(real, [text.encode()]) == len(encoding.encode_ordinary(text))


async def test_the_vocabulary_is_loaded_once_even_if_the_first_caller_goes_away() -> None:
    loads = 0
    go = threading.Event()

    def load() -> Encoding:
        nonlocal loads
        loads += 1
        go.wait(5)
        return Recorder().load()

    counter = TokenCounter(load=load)
    first, second = (asyncio.create_task(count(counter, [text])) for text in (b"a", b"bc"))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0)
    go.set()

    assert await second == 2
    assert first.cancelled()
    assert loads == 1
    counter.close()


async def test_without_a_vocabulary_it_estimates_and_warns_once() -> None:
    def load() -> Encoding:
        raise VocabularyError("it is gone")

    counter = TokenCounter(load=load)
    with capture_logs() as lines:
        await counter.warm()
        counts = [await count(counter, [b"x" * 700]), await count(counter, [b"x" * 70, b"y" * 70])]
    counter.close()

    assert [typical(700), 2 * typical(70)] == counts
    assert [(line["event"], line["reason"]) for line in lines] == [("tokens.estimated", "it is gone")]


async def test_groups_are_counted_apart_and_what_is_unknown_in_them_together() -> None:
    recorder = Recorder()
    counter = TokenCounter(load=recorder.load)
    await counter.count_each([[b"known"]])
    recorder.asked.clear()

    assert await counter.count_each([[b"known", b"ab"], [], [b"abc", b"known"]]) == [7, 0, 8]
    assert recorder.asked == ["ab", "abc"]
