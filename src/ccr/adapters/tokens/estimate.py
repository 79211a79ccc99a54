"""What a number of bytes says about a number of tokens, without looking at the text."""

from __future__ import annotations

from ccr.application.ports.tokens import TokenRange

__all__ = ["MOST_BYTES_PER_TOKEN", "estimate", "typical"]

#: Text that averages more bytes a token than this does not occur in requests: the Claude Code fixtures have
#: 3.0 to 3.7, English prose about 4.5, deeply indented code 8. (A single token of cl100k_base may have 128
#: bytes, a run of blanks, so the floor is a practical one, not a proof. Base64 images are not text: the
#: caller leaves them out.)
MOST_BYTES_PER_TOKEN = 16


def estimate(size: int) -> TokenRange:
    """Bound the tokens of ``size`` bytes of UTF-8.

    The upper bound is exact: every token of a byte-level vocabulary is at least one byte, so there are never
    more tokens than bytes. A body smaller than a threshold therefore needs no count at all.
    """
    return TokenRange(low=size // MOST_BYTES_PER_TOKEN, high=size)


def typical(size: int) -> int:
    """The likely number of tokens in ``size`` bytes: 3.5 bytes each, as in Claude Code's requests."""
    return -(-size * 2 // 7)
