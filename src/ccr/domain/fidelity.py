"""What a translation could not carry over."""

from __future__ import annotations

from ccr.domain.value import value

__all__ = ["Loss"]


@value
class Loss:
    """One thing dropped or emulated: ``feature`` in a few fixed words (``thinking``, ``document``), ``what`` was done
    about it (``dropped``, ``as text``).
    """

    feature: str
    what: str = "dropped"

    def __str__(self) -> str:
        return f"{self.feature}={self.what}"
