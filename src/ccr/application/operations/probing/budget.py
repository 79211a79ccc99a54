"""What a run of probes may cost: a hard limit, in tokens or in US dollars."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import define

from ccr.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from ccr.application.ports.models import Rates
    from ccr.domain.usage import Usage

__all__ = ["DEFAULT_TOKENS", "Budget", "BudgetSpentError"]

DEFAULT_TOKENS = 100_000
"""All probes of a model that thinks cost about half of it."""

_TEXT = re.compile(r"(?:(\$)\s*)?(\d+(?:\.\d+)?)\s*(k|usd|\$|tokens?)?", re.IGNORECASE)
_MILLION = 1_000_000


class BudgetSpentError(Exception):
    """The next question might cost more than is left."""


@define(eq=False)
class Budget:
    """``most`` is in tokens; with ``dollars`` in US dollars, by ``rates`` unless the provider says what it cost."""

    most: float = DEFAULT_TOKENS
    dollars: bool = False
    rates: Rates | None = None
    tokens: int = 0
    """Spent so far."""
    cost: float = 0.0
    """Spent so far, US dollars, as far as prices are known."""

    @classmethod
    def of(cls, text: str, rates: Rates | None) -> Budget:
        """Read ``50000``, ``50k``, ``$0.50`` or ``0.5usd``. Raises InvalidRequestError."""
        if not text:
            return cls(rates=rates)
        found = _TEXT.fullmatch(text.strip())
        if found is None or float(found[2]) <= 0:
            raise InvalidRequestError(
                f"{text[:40]!r} is no budget: write tokens as 50000, dollars as $0.50", param="budget"
            )
        unit = (found[3] or "").lower()
        if found[1] or unit in ("usd", "$"):
            if rates is None or rates.input is None or rates.output is None:
                raise InvalidRequestError(
                    "no price of this model is known: give the budget in tokens", param="budget"
                )
            return cls(float(found[2]), dollars=True, rates=rates)
        return cls(float(found[2]) * (1000 if unit == "k" else 1), rates=rates)

    @property
    def left(self) -> int:
        """Tokens that may still be spent, at the dearest rate."""
        if not self.dollars:
            return int(self.most - self.tokens)
        return int((self.most - self.cost) * _MILLION / max(self._dearest(), 1e-9))

    def allow(self, tokens: int) -> None:
        """Let a question that may cost so much pass. Raises BudgetSpentError."""
        if tokens > self.left:
            raise BudgetSpentError

    def spend(self, tokens: int, usage: Usage) -> None:
        """Note what a question has cost."""
        self.tokens += tokens
        if usage.provider_cost is not None:
            self.cost += usage.provider_cost
        elif self.rates is not None:
            self.cost += _cost(tokens, usage, self.rates) / _MILLION

    def _dearest(self) -> float:
        rates = self.rates
        return max(rates.input or 0.0, rates.output or 0.0) if rates is not None else 0.0


def _cost(tokens: int, usage: Usage, rates: Rates) -> float:
    """In millionths of a dollar; cached tokens at the full rate where theirs is not known."""
    full, out = rates.input or 0.0, rates.output or 0.0
    if usage.input_total is None or usage.output is None:
        return tokens * max(full, out)
    read = usage.cache_read or 0
    return (usage.input_total - read) * full + read * (rates.cache_read or full) + usage.output * out
