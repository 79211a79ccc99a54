"""Patterns over model names."""

from __future__ import annotations

from fnmatch import fnmatchcase

from ccr.domain.value import value

__all__ = ["FAMILIES", "SUFFIX_1M", "Glob", "is_claude"]

SUFFIX_1M = "[1m]"
"""Claude Code's mark for a model whose window it takes to be a million tokens."""

FAMILIES = ("opus", "sonnet", "haiku", "fable")
"""Words that stand for every Claude model of a family, whatever its version."""


@value
class Glob:
    """A pattern in lower case. ``family``: a word that any Claude name may carry. ``only_1m``: it ended in ``[1m]``."""

    pattern: str
    family: bool = False
    only_1m: bool = False

    @classmethod
    def of(cls, text: str) -> Glob:
        """Read a pattern as configured."""
        lowered = text.strip().lower()
        # fnmatch would take [1m] for a set of two characters.
        only_1m = lowered.endswith(SUFFIX_1M)
        pattern = lowered.removesuffix(SUFFIX_1M)
        return cls(pattern, pattern in FAMILIES, only_1m)

    def __str__(self) -> str:
        return self.pattern + (SUFFIX_1M if self.only_1m else "")

    def matches(self, name: str, *, wants_1m: bool = False) -> bool:
        """Compare with a model's name in lower case, which carries no suffix."""
        if self.only_1m and not wants_1m:
            return False
        if self.family and name.startswith("claude"):
            return self.pattern in name
        return fnmatchcase(name, self.pattern)


def is_claude(name: str) -> bool:
    """Whether Claude Code knows a model by this name: ``claude-`` and a family, or a bare family word.

    For any other name it sends ``effort: high`` of its own accord (contract page).
    """
    lowered = name.lower()
    if lowered.startswith("claude-"):
        return any(family in lowered for family in FAMILIES)
    return lowered in FAMILIES
