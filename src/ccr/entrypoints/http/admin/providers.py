"""Providers and models: what is known of them, and adding a provider to the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from cattrs import Converter, transform_error
from cattrs.errors import ClassValidationError
from litestar import Request, get, post

from ccr.application.operations.providers import NewProvider
from ccr.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.operations.models import ListKnownModels
    from ccr.application.operations.providers import ManageProviders
    from ccr.application.ports.config import ConfigStore

__all__ = ["provider_handlers"]

_CONVERTER = Converter(forbid_extra_keys=True)


@frozen
class _Wish:
    """The body: as :class:`NewProvider`, every field a text."""

    name: str
    url: str = ""
    dialect: str = ""
    key_env: str = ""
    key: str = field(default="", repr=False)
    models: list[str] = field(factory=list)


def provider_handlers(
    manage: ManageProviders, known: ListKnownModels, catalog: CatalogHolder, store: ConfigStore
) -> Sequence[Any]:
    """Return the handlers. A key that is sent is written to the configuration and never said again."""

    @get("/providers", operation_id="list_providers")
    async def providers() -> dict[str, Any]:
        """List every known provider, whether its key is set, and under which names it is configured."""
        return {"providers": list(manage.list(catalog.current.settings))}

    @get("/providers/{name:str}", operation_id="get_provider")
    async def provider(name: str) -> dict[str, Any]:
        """Tell endpoints, profiles and sources of one provider."""
        return dict(manage.show(name, catalog.current.settings))

    @post("/providers", status_code=201, operation_id="add_provider")
    async def add(request: Request[Any, Any, Any]) -> dict[str, Any]:
        """Write a provider into the configuration: name, and url, dialect, key_env or key, models as needed."""
        wish = _wish(await request.json())
        loaded = await manage.add(wish, catalog.current.settings, store)
        return {"name": wish.name, "revision": loaded.revision}

    @get("/models", operation_id="list_known_models")
    async def models(provider: str = "") -> dict[str, Any]:
        """List the configured models, or all known ones of a provider, with limits and prices."""
        return {"models": list(known.list(catalog.current.settings, provider))}

    @get("/models/{model:path}", operation_id="get_known_model")
    async def model(model: str) -> dict[str, Any]:
        """Tell limits, abilities and prices of a model, with where each is from."""
        return dict(known.show(model.removeprefix("/"), catalog.current.settings))

    return (providers, provider, add, models, model)


def _wish(body: object) -> NewProvider:
    try:
        given = _CONVERTER.structure(body, _Wish)
    except ClassValidationError as error:
        raise InvalidRequestError("; ".join(transform_error(error, path="body"))) from None
    # cattrs raises TypeError for a body that is no object.
    except (TypeError, AttributeError):
        raise InvalidRequestError("the body must be an object with a name") from None
    return NewProvider(given.name, given.url, given.dialect, given.key_env, given.key, tuple(given.models))
