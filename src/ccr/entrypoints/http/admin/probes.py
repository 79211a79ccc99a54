"""Asking what a model can do, and what was learned of providers' complaints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field
from cattrs import Converter, transform_error
from cattrs.errors import ClassValidationError
from litestar import Request, get, post

from ccr.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.operations.learned import ManageLearned
    from ccr.application.operations.probes import RunProbes

__all__ = ["probe_handlers"]

T = TypeVar("T")

_CONVERTER = Converter(forbid_extra_keys=True)


@define(frozen=True)
class _Wish:
    """The body of a run; ``budget`` as ``50000`` or ``$0.50``."""

    provider: str
    model: str = ""
    budget: str = ""
    only: list[str] = field(factory=list)


@define(frozen=True)
class _Which:
    """The body of forgetting; all that is given must fit, nothing given = everything."""

    endpoint: str = ""
    model: str = ""
    name: str = ""


def probe_handlers(run_probes: RunProbes, learned: ManageLearned) -> Sequence[Any]:
    """Return the handlers."""

    @post("/probes", status_code=200, operation_id="run_probes")
    async def probe(request: Request[Any, Any, Any]) -> dict[str, Any]:
        """Ask a model some thirty small questions, which costs what they cost; answers when all are answered."""
        wish = _structured(await request.json(), _Wish)
        return dict(await run_probes(wish.provider, wish.model, budget=wish.budget, only=wish.only))

    @get("/learned", operation_id="list_learned")
    async def listed(endpoint: str = "", model: str = "", name: str = "") -> dict[str, Any]:
        """List what was learned of complaints, also as the profiles of a provider file."""
        return dict(learned.list(endpoint, model, name))

    @post("/learned/forget", status_code=200, operation_id="forget_learned")
    async def forget(request: Request[Any, Any, Any]) -> dict[str, Any]:
        """Forget what fits; the next request goes out as it was asked for."""
        which = _structured(await request.json(), _Which)
        return dict(await learned.forget(which.endpoint, which.model, which.name))

    return (probe, listed, forget)


def _structured(body: object, kind: type[T]) -> T:
    try:
        return _CONVERTER.structure(body, kind)
    except ClassValidationError as error:
        raise InvalidRequestError("; ".join(transform_error(error, path="body"))) from None
    # cattrs raises these for a body that is no object.
    except (TypeError, AttributeError):
        raise InvalidRequestError("the body must be a JSON object") from None
