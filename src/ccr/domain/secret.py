"""A string that must not be shown."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Secret"]


@frozen(repr=False, str=False)
class Secret:
    """A key or token. ``repr`` and ``str`` are masked; ``reveal()`` is the one way to its text, easy to grep for."""

    _text: str

    def reveal(self) -> str:
        """Return the text itself; for the wire only."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def masked(self) -> str:
        """Return what people may see: the last four characters of a long secret, nothing of a short one."""
        return f"***{self._text[-4:]}" if len(self._text) >= 16 else "***"

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"
