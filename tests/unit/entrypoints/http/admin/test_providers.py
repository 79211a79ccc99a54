from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from ccr.adapters.models.catalog import PackagedModels
from ccr.adapters.providers.loader import PackagedProviders
from ccr.application.catalog.holder import CatalogHolder
from ccr.application.operations.models import ListKnownModels
from ccr.application.operations.providers import ManageProviders
from ccr.application.ports.config import Change, ConfigStore, Loaded
from ccr.application.settings import ProviderSettings, Settings
from ccr.domain.errors import InvalidRequestError, NoSuchPathError
from ccr.domain.secret import Secret
from ccr.entrypoints.http.admin.providers import provider_handlers

pytestmark = pytest.mark.anyio
SECRET = "sk-very-secret"


class Holder:
    """A catalog as far as the handlers look."""

    settings = Settings(
        providers=(
            ProviderSettings(
                "mine", "https://api.deepseek.com/chat/completions", (Secret(SECRET),), ("deepseek-v4-pro",)
            ),
        )
    )

    @property
    def current(self) -> Holder:
        return self


class Store:
    def __init__(self) -> None:
        self.edited: Sequence[Change] = ()

    async def edit(self, changes: Sequence[Change], *, expected_revision: str | None = None) -> Loaded:
        self.edited = changes
        return Loaded(Settings(), (), "r2")


def refusal(_: Any, error: Exception) -> Any:
    from litestar import Response

    return Response({"error": str(error)}, status_code=404 if isinstance(error, NoSuchPathError) else 400)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def client(store: Store) -> Any:
    book = PackagedProviders()
    handlers = provider_handlers(
        ManageProviders(book, lambda name: name == "GROQ_API_KEY"),
        ListKnownModels(book, PackagedModels(), lambda: "2026-11-24"),
        cast("CatalogHolder", Holder()),
        cast("ConfigStore", store),
    )
    app = Litestar(
        handlers,
        exception_handlers={NoSuchPathError: refusal, InvalidRequestError: refusal},
        openapi_config=None,
    )
    async with AsyncTestClient(app) as made:
        yield made


async def test_providers(client: Any) -> None:
    reply = await client.get("/providers")

    known = {one["name"]: one for one in reply.json()["providers"]}
    assert known["groq"]["key_set"] is True
    assert [mine["name"] for mine in known["deepseek"]["configured"]] == ["mine"]
    assert SECRET not in reply.text


async def test_one_provider(client: Any) -> None:
    assert (await client.get("/providers/mine")).json()["name"] == "deepseek"
    assert (await client.get("/providers/nobody")).status_code == 404


async def test_adding(client: Any, store: Store) -> None:
    reply = await client.post("/providers", json={"name": "groq", "models": ["m"]})

    assert (reply.status_code, reply.json()) == (201, {"name": "groq", "revision": "r2"})
    (change,) = store.edited
    assert change.path == ("Providers", 1)
    assert change.value == {
        "name": "groq",
        "api_base_url": "https://api.groq.com/openai/v1/chat/completions",
        "api_key": "$GROQ_API_KEY",
        "models": ["m"],
    }


@pytest.mark.parametrize(
    "body", [[], "x", None, {}, {"name": "groq", "colour": 1}, {"name": "mine"}, {"name": "x"}]
)
async def test_a_bad_wish_is_refused(client: Any, store: Store, body: Any) -> None:
    assert (await client.post("/providers", json=body)).status_code == 400
    assert store.edited == ()


async def test_models(client: Any) -> None:
    (mine,) = (await client.get("/models")).json()["models"]
    groq = (await client.get("/models?provider=groq")).json()["models"]

    assert (mine["provider"], mine["model"], mine["configured"]) == ("mine", "deepseek-v4-pro", True)
    assert len(groq) > 3


async def test_one_model_whatever_is_in_its_name(client: Any) -> None:
    told = (await client.get("/models/openrouter,anthropic/claude-sonnet-4.6:thinking")).json()

    assert told["known"][0]["listed_as"] == "anthropic/claude-sonnet-4.6"
    assert (await client.get("/models/nope")).status_code == 404
