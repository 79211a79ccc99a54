from __future__ import annotations

import asyncio

import pytest

from ccr.adapters.config.fixed_store import FixedStore, loaded_from
from ccr.application.ports.config import Change
from ccr.application.settings import Settings
from ccr.domain.errors import ConfigError

pytestmark = pytest.mark.anyio
CONFIG = {
    "Providers": [
        {"name": "p", "api_base_url": "http://p.test/v1/chat/completions", "api_key": "$KEY", "models": ["m"]}
    ],
    "Router": {"default": "p,m"},
}


def test_a_mapping_is_read_like_the_file() -> None:
    loaded = loaded_from(CONFIG, {"KEY": "canary-1"})

    assert loaded.settings.providers[0].api_keys[0].reveal() == "canary-1"
    assert loaded.revision == loaded_from(CONFIG, {"KEY": "canary-1"}).revision


def test_settings_are_taken_as_they_are() -> None:
    settings = Settings()

    assert loaded_from(settings, {}).settings is settings


def test_a_mistake_is_told_with_its_path() -> None:
    with pytest.raises(ConfigError) as caught:
        loaded_from({"Router": {"default": 3}}, {})

    assert "Router.default" in [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize("value", [object(), {1.5: object()}, 2**70])
def test_what_is_no_json_is_a_mistake_of_the_configuration(value: object) -> None:
    with pytest.raises(ConfigError):
        loaded_from({"Providers": value}, {})


async def test_it_can_be_loaded_but_not_edited() -> None:
    store = FixedStore(loaded_from(CONFIG, {"KEY": "canary-1"}))

    assert await store.load() is store.loaded
    with pytest.raises(ConfigError, match="embedding program"):
        await store.edit([Change(("Router", "default"), "x,y")])
    with pytest.raises(ConfigError):
        await store.edit([])


async def test_it_never_changes() -> None:
    changes = FixedStore(loaded_from(Settings(), {})).changes()
    waiting = asyncio.ensure_future(anext(changes))
    for _ in range(5):
        await asyncio.sleep(0)

    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
