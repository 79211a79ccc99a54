from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from ccr.adapters.config.fixed_store import FixedStore, loaded_from
from ccr.entrypoints.lifecycle import opened, running

pytestmark = pytest.mark.anyio


@pytest.fixture
def collector() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    yield before
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.parametrize("own_process", [True, False])
async def test_only_a_process_of_ours_gets_our_garbage_collector(
    collector: tuple[int, int, int], own_process: bool
) -> None:
    store = FixedStore(loaded_from({"LOG": False}, {}))
    made = running(environ={"HOME": "/dev/null"}, store=store)
    async with opened(made, follow=False, own_process=own_process):
        assert (gc.get_threshold() != collector) is own_process
        assert bool(gc.get_freeze_count()) is own_process


async def test_the_memories_keep_as_much_as_is_configured() -> None:
    store = FixedStore(loaded_from({"LOG": False, "Limits": {"memoMb": 3}}, {}))
    made = running(environ={"HOME": "/dev/null"}, store=store)
    async with opened(made, follow=False):
        assert made.container.formats.memory().bytes == 3 * 1024 * 1024
