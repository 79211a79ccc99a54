from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest

from ccr.application.catalog.compile import Compiler
from ccr.application.catalog.holder import Catalog, CatalogHolder
from ccr.application.operations.manage_config import ManageConfig
from ccr.application.ports.config import Change, Loaded
from ccr.application.settings import Settings
from ccr.domain.errors import ConfigError, Problem
from ccr.domain.routing.policy import RoutePolicy

pytestmark = pytest.mark.anyio
BAD = ConfigError([Problem("config.json", 1, 1, "Router", "is wrong")])


class FakeStore:
    """Gives what it was given, in turn; the last one for ever."""

    def __init__(self, *results: str | ConfigError, wakes: int = 0) -> None:
        self.results = list(results)
        self.wakes = wakes

    async def load(self) -> Loaded:
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, ConfigError):
            raise result
        return Loaded(Settings(), (), result)

    def place(self, error: ConfigError) -> ConfigError:
        return error

    async def edit(self, changes: Sequence[Change], *, expected_revision: str | None = None) -> Loaded:
        raise NotImplementedError

    async def changes(self) -> AsyncIterator[None]:
        for _ in range(self.wakes):
            yield


class Scene:
    def __init__(self, *results: str | ConfigError, wakes: int = 0) -> None:
        self.holder = CatalogHolder()
        self.applied: list[str] = []
        self.refused: list[ConfigError] = []
        self.store = FakeStore(*results, wakes=wakes)
        self.manage = ManageConfig(
            self.store,
            cast("Compiler", self.compile),
            self.holder,
            lambda catalog: self.applied.append(catalog.revision),
            self.refused.append,
        )

    def compile(self, loaded: Loaded) -> Catalog:
        if loaded.revision == "a fault of ours":
            raise RuntimeError("did not expect that")
        if loaded.revision == "uncompilable":
            raise BAD
        return Catalog(loaded.revision, loaded.settings, RoutePolicy(), {}, {})


async def test_the_first_configuration_is_put_in_force() -> None:
    scene = Scene("r1")
    await scene.manage.load()

    assert scene.holder.current.revision == "r1"
    assert scene.applied == ["r1"]


async def test_a_bad_first_configuration_is_raised_and_changes_nothing() -> None:
    scene = Scene(BAD)

    with pytest.raises(ConfigError):
        await scene.manage.load()

    assert not scene.holder.loaded


async def test_an_unchanged_text_is_not_taken_again_unless_asked_for() -> None:
    scene = Scene("r1")
    await scene.manage.load()
    held = scene.holder.current

    assert await scene.manage.reload(only_if_changed=True)
    assert held is scene.holder.current
    assert await scene.manage.reload()
    assert scene.applied == ["r1", "r1"]


async def test_a_changed_text_comes_into_force() -> None:
    scene = Scene("r1", "r2")
    await scene.manage.load()

    assert await scene.manage.reload()
    assert scene.applied == ["r1", "r2"]


@pytest.mark.parametrize("bad", [BAD, "uncompilable"])
async def test_a_bad_text_leaves_the_old_one_in_force_and_is_told(bad: str | ConfigError) -> None:
    scene = Scene("r1", bad)
    await scene.manage.load()

    assert not await scene.manage.reload()
    assert scene.holder.current.revision == "r1"
    assert "is wrong" in scene.holder.last_error
    assert scene.refused == [BAD]


async def test_going_back_to_the_good_text_clears_the_error() -> None:
    scene = Scene("r1", BAD, "r1")
    await scene.manage.load()
    await scene.manage.reload()

    assert await scene.manage.reload()
    assert scene.holder.last_error == ""


async def test_changes_are_followed() -> None:
    scene = Scene("r1", "r2", BAD, "r3", wakes=3)
    await scene.manage.load()
    await scene.manage.follow()

    assert scene.applied == ["r1", "r2", "r3"]
    assert scene.refused == [BAD]


async def test_a_fault_of_ours_does_not_end_the_following() -> None:
    scene = Scene("r1", "a fault of ours", "r3", wakes=2)
    await scene.manage.load()
    await scene.manage.follow()

    assert scene.applied == ["r1", "r3"]
    assert scene.manage.faults.counts == {"reload": 1}


async def test_a_fault_of_ours_is_shown_until_a_configuration_is_taken() -> None:
    scene = Scene("r1", "a fault of ours", wakes=1)
    await scene.manage.load()
    await scene.manage.follow()

    assert "did not expect that" in scene.holder.last_error
