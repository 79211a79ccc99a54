"""The token counter: a memo in front, a thread behind."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import blake2b
from itertools import islice
from secrets import token_bytes
from typing import TYPE_CHECKING

import structlog

from ccr.adapters.tokens.estimate import estimate, typical
from ccr.adapters.tokens.ranks import VocabularyError, load_encoding
from ccr.application.ports.tokens import TokenRange

if TYPE_CHECKING:
    from tiktoken import Encoding

__all__ = ["TokenCounter"]

_LOG = structlog.get_logger(__name__)

#: Bytes of unknown text that are counted on the loop: 8 kB take about 0.6 ms, a thread and back 0.1 ms.
_INLINE_BYTES = 8 * 1024

#: What a memo entry costs beside its key: header of the bytes object, slot of the dict, links, count.
_ENTRY_BYTES = 200

#: Bytes of the digest under which a longer text is remembered.
_DIGEST_BYTES = 16

#: Texts are encoded in pieces of at most this many characters: tiktoken panics on a run of 1,000,000 blanks
#: (its regex engine gives up), and making Python integers of the ids holds the interpreter lock, 2 ms a
#: piece.
_PIECE_CHARACTERS = 256 * 1024


class TokenCounter:
    """Counts as cl100k_base does, special tokens being plain text. Belongs to one event loop at a time.

    The vocabulary is loaded at the first count that needs it. If it cannot be, every count is an estimate,
    and one warning says so. Memoised by a keyed digest of each text: a worker remembers the counts of thousands of sessions, and
    nobody who does not know the key, which is made at the start and never leaves, can make two texts collide.
    """

    def __init__(
        self, *, memo_bytes: int = 32 * 1024 * 1024, load: Callable[[], Encoding] = load_encoding
    ) -> None:
        self._memo: OrderedDict[bytes, int] = OrderedDict()
        self._key = token_bytes(32)
        self._memo_bytes = memo_bytes
        self._held = 0
        self._load = load
        self._vocabulary: Future[Encoding | None] | None = None
        # Two threads, started on use: one huge body does not keep the others waiting.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="ccr-tokens")

    def estimate(self, size: int) -> TokenRange:
        """Bound the tokens of ``size`` bytes of UTF-8 text."""
        return estimate(size)

    async def count_each(self, groups: Sequence[Sequence[bytes]]) -> list[int]:
        """Count exactly, group by group; each text is the UTF-8 of one block.

        What is not in the memo of all of them is counted together: at once if it is short, else in a thread.
        """
        known = [self._recall(texts) for texts in groups]
        counts = iter(await self._counted([text for _, unknown in known for text in unknown]))
        return [total + sum(islice(counts, len(unknown))) for total, unknown in known]

    async def _counted(self, unknown: Sequence[bytes]) -> Sequence[int]:
        if not unknown:
            return ()
        encoding = await self._encoding()
        if encoding is None:
            return [typical(len(text)) for text in unknown]
        if sum(map(len, unknown)) <= _INLINE_BYTES:
            counts = _count_each(encoding, unknown)
        else:
            loop = asyncio.get_running_loop()
            counts = await loop.run_in_executor(self._threads, _count_each, encoding, unknown)
        for text, tokens in zip(unknown, counts, strict=True):
            self._remember(self._name(text), tokens)
        return counts

    async def warm(self) -> None:
        """Load the vocabulary now: 0.1 s, most of it under the interpreter lock, so best before requests."""
        await self._encoding()

    def close(self) -> None:
        """Let the threads go. Counts that are waiting for one are cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _recall(self, texts: Sequence[bytes]) -> tuple[int, list[bytes]]:
        total = 0
        unknown = []
        for text in texts:
            name = self._name(text)
            tokens = self._memo.get(name)
            if tokens is None:
                unknown.append(text)
            else:
                self._memo.move_to_end(name)
                total += tokens
        return total, unknown

    def _name(self, text: bytes) -> bytes:
        """What a text is remembered by: itself, if it is shorter than its digest."""
        if len(text) < _DIGEST_BYTES:
            return text
        return blake2b(text, digest_size=_DIGEST_BYTES, key=self._key).digest()

    def _remember(self, name: bytes, tokens: int) -> None:
        if name in self._memo:
            return
        self._memo[name] = tokens
        self._held += len(name) + _ENTRY_BYTES
        while self._held > self._memo_bytes:
            oldest, _ = self._memo.popitem(last=False)
            self._held -= len(oldest) + _ENTRY_BYTES

    async def _encoding(self) -> Encoding | None:
        if self._vocabulary is None:
            self._vocabulary = self._threads.submit(self._load_or_warn)
        if self._vocabulary.done():
            return self._vocabulary.result()
        # Shielded: the first caller may be cancelled, the others still wait for the same vocabulary.
        return await asyncio.shield(asyncio.wrap_future(self._vocabulary))

    def _load_or_warn(self) -> Encoding | None:
        try:
            return self._load()
        except VocabularyError as error:
            _LOG.warning("tokens.estimated", reason=str(error))
            return None


def _count_each(encoding: Encoding, texts: Sequence[bytes]) -> list[int]:
    return [
        sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text.decode(errors="replace")))
        for text in texts
    ]


def _pieces(text: str) -> Iterator[str]:
    """Cut a very long text, after a line where there is one.

    Exact before a letter; a cut inside a run of blank lines or of one long line may add a token or two.
    """
    start = 0
    while len(text) - start > _PIECE_CHARACTERS:
        limit = start + _PIECE_CHARACTERS
        end = text.rfind("\n", start, limit) + 1 or limit
        yield text[start:end]
        start = end
    yield text[start:] if start else text
