"""The vocabulary cl100k_base, from a file beside this module: no network, no cache directory.

``cl100k_base.bin`` holds OpenAI's vocabulary (MIT, see NOTICE), taken from the npm package ``tiktoken`` and
verified against the sha256 that the Python package expects of its own download (``tools/build_ranks.py``). It
is deflated; unpacked it is one length byte a token followed by all tokens, both in order of rank: 429 kB
instead of 1.7 MB. Deflate, because a Python may be built without lzma (54 kB less), hardly ever without zlib.
"""

from __future__ import annotations

import hashlib
import zlib
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

__all__ = ["VocabularyError", "load_encoding", "read_ranks"]

_FILE = "cl100k_base.bin"
_COUNT = 100_256
_SHA256 = "18288f996f452d44e0e65996176591a4b712a3eb1b42afd6f0511e735c099480"

# Both as in tiktoken_ext.openai_public.cl100k_base, which cannot be asked without it fetching the vocabulary.
_PATTERN = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
    r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)
_SPECIAL = {
    "<|endoftext|>": 100_257,
    "<|fim_prefix|>": 100_258,
    "<|fim_middle|>": 100_259,
    "<|fim_suffix|>": 100_260,
    "<|endofprompt|>": 100_276,
}


class VocabularyError(Exception):
    """There is no vocabulary to count with. The message says why."""


def load_encoding() -> Encoding:
    """Build the encoding: 0.1 s and about 28 MB, so once a process, off the event loop.

    Raises:
        VocabularyError: the file is missing or damaged, or tiktoken does not load on this machine.
    """
    try:
        from tiktoken import Encoding  # 25 ms: only in a process that counts
    except ImportError as error:
        raise VocabularyError(f"tiktoken cannot be imported: {error}") from error
    made = Encoding("cl100k_base", pat_str=_PATTERN, mergeable_ranks=read_ranks(), special_tokens=_SPECIAL)
    # A second copy of the vocabulary, 10 MB of Python objects, which only its functions for debugging and pickling read.
    made._mergeable_ranks = {}  # noqa: SLF001
    return made


def read_ranks() -> dict[bytes, int]:
    """Each token's bytes with its rank.

    Raises:
        VocabularyError: the file is missing or damaged.
    """
    return _unpack(_read())


def _read() -> bytes:
    try:
        return (files(__package__) / _FILE).read_bytes()
    except OSError as error:
        raise VocabularyError(f"{_FILE} cannot be read: {error}") from error


def _unpack(packed: bytes) -> dict[bytes, int]:
    try:
        data = zlib.decompress(packed)
    except zlib.error as error:
        raise VocabularyError(f"{_FILE} is damaged: {error}") from error
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise VocabularyError(f"{_FILE} is damaged: its sha256 differs")
    ranks: dict[bytes, int] = {}
    start = _COUNT
    for rank, length in enumerate(data[:_COUNT]):
        ranks[data[start : start + length]] = rank
        start += length
    return ranks
