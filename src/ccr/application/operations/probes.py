"""``ccr providers test``: small questions to one model, what came of each, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define, frozen

from ccr.application.operations.probing.asking import Asker, Means
from ccr.application.operations.probing.budget import Budget, BudgetSpentError
from ccr.application.operations.probing.measuring import MEASURING
from ccr.application.operations.probing.seeing import SEEING
from ccr.application.operations.probing.talking import TALKING, shown
from ccr.application.operations.probing.thinking import THINKING
from ccr.application.operations.probing.tooling import TOOLING
from ccr.application.operations.probing.verdicts import Finding, Probe, Verdict, failed, skipped
from ccr.domain.compat import door_of
from ccr.domain.errors import GatewayError, InvalidRequestError, UnknownModelError, UpstreamAuthError
from ccr.domain.models import ModelRef

if TYPE_CHECKING:
    from ccr.application.catalog.holder import Catalog, CatalogHolder
    from ccr.application.ports.models import ModelBook, Rates

__all__ = ["FORMAT", "PROBES", "RunProbes"]

FORMAT = "ccr-probes/1"
PROBES: tuple[Probe, ...] = (*TALKING, *TOOLING, *THINKING, *SEEING, *MEASURING)
"""In the order in which they are asked: what everything else hangs on comes first."""

_NO_BUDGET = "the budget is spent"


@frozen
class _Result:
    probe: Probe
    finding: Finding
    tokens: int = 0
    seconds: float = 0.0
    losses: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        return {
            "name": self.probe.name,
            "about": self.probe.about,
            "verdict": self.finding.verdict.value,
            "evidence": self.finding.evidence,
            "tokens": self.tokens,
            "seconds": round(self.seconds, 3),
            "losses": list(self.losses),
        }


@define(eq=False)
class RunProbes:
    """``models`` None = no prices are known. Answers plain JSON values."""

    catalog: CatalogHolder
    means: Means
    models: ModelBook | None = None

    async def __call__(
        self, provider: str, model: str = "", *, budget: str = "", only: Sequence[str] = ()
    ) -> Mapping[str, object]:
        """Ask, one probe after the other; the calls are recorded like all others.

        Args:
            provider: its name in the configuration, any case.
            model: empty = the first one that is configured.
            budget: tokens or dollars (:meth:`Budget.of`); no question is sent that might cost more than is left.
            only: names of probes; empty = all.

        Raises UnknownModelError, InvalidRequestError.
        """
        catalog = self.catalog.current
        chosen = _chosen(only)
        ref = _ref(catalog, provider, model)
        purse = Budget.of(budget, self._rates(ref))
        target = catalog.target(ref)
        began = self.means.clock.now()
        results: list[_Result] = []
        stopped = ""
        for probe in chosen:
            if stopped:
                results.append(_Result(probe, skipped(stopped)))
                continue
            result, stopped = await self._one(probe, Asker(self.means, catalog, target, purse))
            results.append(result)
        verdicts = [result.finding.verdict for result in results]
        return {
            "format": FORMAT,
            "at": began.isoformat(timespec="seconds"),
            "provider": ref.provider,
            "model": ref.model,
            "endpoint": door_of(target.endpoint.url),
            "dialect": target.dialect.name,
            "budget": {"most": purse.most, "unit": "usd" if purse.dollars else "tokens"},
            "spent": {"tokens": purse.tokens, "usd": round(purse.cost, 6)},
            "stopped": stopped,
            "counts": {verdict.value: verdicts.count(verdict) for verdict in Verdict},
            "results": [result.to_dict() for result in results],
        }

    async def _one(self, probe: Probe, ask: Asker) -> tuple[_Result, str]:
        """Return the result, and why no other question makes sense; empty = it does."""
        unable = probe.unable(ask.profile)
        if unable:
            return _Result(probe, skipped(unable)), ""
        began, stopped = self.means.clock.monotonic(), ""
        try:
            finding = await probe.run(ask)
        except BudgetSpentError:
            finding, stopped = skipped(_NO_BUDGET), _NO_BUDGET
        except UpstreamAuthError as error:
            finding = failed(f"our key was refused: {shown(error.message)}")
            stopped = "our key was refused"
        except GatewayError as error:
            finding = failed(f"{error.kind}: {shown(error.message)}")
        losses = tuple(map(str, ask.losses))
        if losses and finding.verdict is Verdict.OK:
            finding = Finding(Verdict.DEGRADED, f"{finding.evidence}; lost: {', '.join(losses)}")
        seconds = self.means.clock.monotonic() - began
        return _Result(probe, finding, ask.tokens, seconds, losses), stopped

    def _rates(self, ref: ModelRef) -> Rates | None:
        facts = self.models.lookup(ref.provider, ref.model) if self.models is not None else None
        price = facts.price(self.means.clock.now().date().isoformat()) if facts is not None else None
        return price.rates if price is not None else None


def _chosen(only: Sequence[str]) -> tuple[Probe, ...]:
    unknown = [name for name in only if all(name != probe.name for probe in PROBES)]
    if unknown:
        names = ", ".join(probe.name for probe in PROBES)
        raise InvalidRequestError(f"there is no probe {unknown[0][:40]!r}; there are {names}", param="only")
    return tuple(probe for probe in PROBES if not only or probe.name in only)


def _ref(catalog: Catalog, provider: str, model: str) -> ModelRef:
    names = {given.name.lower(): given for given in catalog.settings.providers}
    found = names.get(provider.lower())
    known = {ref.provider.lower(): ref for ref in reversed(list(catalog.targets))}
    if found is None and provider.lower() not in known:
        near = ", ".join(sorted({given.name for given in names.values()})) or "none"
        raise UnknownModelError(f"no provider {provider[:40]!r} is configured; there are: {near}")
    name = found.name if found is not None else known[provider.lower()].provider
    if model:
        return ModelRef(name, model)
    first = next((ref for ref in catalog.targets if ref.provider == name), None)
    if first is None:
        raise UnknownModelError(f"provider {name!r} has no list of models: say which model")
    return first
