"""What stands in the place of something that a provider cannot be given."""

from __future__ import annotations

__all__ = ["BEGINS", "GO_ON", "left_out"]

BEGINS = "[the conversation begins]"
"""The user's first word where a dialect wants one and there is none."""

GO_ON = "Continue."
"""The user's last word where the assistant may not have it."""


def left_out(kind: str) -> str:
    """Return a note for the model, in the place of content of a ``kind`` that nobody could write."""
    return f"[{kind} left out: this model cannot be given it]"
