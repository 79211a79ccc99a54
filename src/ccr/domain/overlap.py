"""What a continuation repeats of the text that it continues. Pure: fed and returns.

A model that is asked to go on begins with the last words it had said, because it is asked to, or with more of them, because
models do. What it repeats is cut off, so that the two texts are one.
"""

from __future__ import annotations

__all__ = ["Overlap", "anchor_of"]

_ANCHOR = 80
"""Characters that a continuation is asked to begin with: enough to be told from what may follow by chance."""
_LEAST = 16
"""Characters of an unasked repetition: fewer may be how the text goes on."""
_WINDOW = 16 * 1024
"""Characters of the text that are looked at for an unasked repetition."""


def anchor_of(sent: str) -> str:
    """Return the last words of a text without the space around them, from the beginning of a word if there is one."""
    whole = sent.rstrip()
    tail = whole[-_ANCHOR:]
    if len(tail) < len(whole):
        words = tail[: _ANCHOR // 2].split(maxsplit=1)
        if len(words) > 1:
            tail = tail[tail.index(words[1]) :]
    return tail.lstrip()


class Overlap:
    """Feed it a continuation in pieces of any size; what it returns is new."""

    def __init__(self, sent: str) -> None:
        self._anchor = anchor_of(sent)
        self._space = sent[len(sent.rstrip()) :]
        self._sent = sent[-_WINDOW:]
        self._held = ""
        self._over = not self._anchor

    def feed(self, text: str) -> str:
        """Return what is certainly new of all that was fed; what may be a repetition is held."""
        if self._over:
            return text
        self._held += text
        return self._decided(last=False)

    def close(self) -> str:
        """Return what was held, unless it is a repetition: the text ends here."""
        return "" if self._over else self._decided(last=True)

    def _decided(self, *, last: bool) -> str:
        repeated = self._asked(last=last)
        if repeated == 0:
            repeated = self._unasked(last=last)
        if repeated is None:
            return ""
        self._over = True
        new, self._held = self._held[repeated:], ""
        return new

    def _asked(self, *, last: bool) -> int | None:
        """Return how much repeats the anchor; None = it is too early to say."""
        held, anchor = self._held, self._anchor
        bare = held.lstrip()
        if len(bare) < len(anchor):
            if not anchor.startswith(bare):
                return 0
            if not last:
                return None
            return len(held) if len(bare) >= _LEAST else 0
        if not bare.startswith(anchor):
            return 0
        end = len(held) - len(bare) + len(anchor)
        after = held[end:]
        if not last and len(after) < len(self._space) and not after.strip():
            return None
        # The space behind the anchor was sent, and not asked for: a model that repeats it all the same does so as it likes.
        return end + _common(after, self._space)

    def _unasked(self, *, last: bool) -> int | None:
        """Return how much repeats any longer or shorter end of the text; None = it is too early to say."""
        held, sent = self._held, self._sent
        begins_before = min(len(sent) - 1, len(sent) - _LEAST + len(held))
        if not last and sent.find(held, 0, max(0, begins_before)) >= 0:
            return None
        head = held[:_LEAST]
        at = sent.find(head) if len(head) == _LEAST else -1
        while at >= 0:
            end = sent[at:]
            # Rules and indents repeat themselves.
            if held.startswith(end) and any(map(str.isalnum, end)):
                return len(end)
            at = sent.find(head, at + 1)
        return 0


def _common(one: str, other: str) -> int:
    """Return the length of what two texts begin with."""
    for at, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return at
    return min(len(one), len(other))
