from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from ccr.adapters.config.watch import poll, watch

pytestmark = pytest.mark.anyio


async def told(changes: AsyncIterator[None], seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await anext(changes)
    except TimeoutError:
        return False
    return True


async def write_later(path: Path, text: str, *, rename: bool) -> None:
    await asyncio.sleep(0.3)
    if rename:
        other = path.with_name("swap")
        other.write_text(text)
        other.replace(path)
    else:
        path.write_text(text)


@pytest.mark.parametrize("rename", [False, True], ids=["in place", "by rename"])
async def test_another_content_is_told(tmp_path: Path, rename: bool) -> None:
    path = tmp_path / "c"
    path.write_text("1")
    async with aclosing(watch(path)) as changes:  # type: ignore[type-var]  # it is an async generator
        for text in ("2", "3"):
            writing = asyncio.create_task(write_later(path, text, rename=rename))
            assert await told(changes, 10)
            await writing


async def test_the_same_content_and_other_files_are_not_told(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_text("1")
    async with aclosing(watch(path)) as changes:  # type: ignore[type-var]  # it is an async generator
        writing = asyncio.create_task(write_later(path, "1", rename=True))
        (tmp_path / "other").write_text("x")
        assert not await told(changes, 1.0)
        await writing


@pytest.mark.parametrize("rename", [False, True], ids=["in place", "by rename"])
async def test_polling_tells_too(tmp_path: Path, rename: bool) -> None:
    path = tmp_path / "c"
    path.write_text("1")
    async with aclosing(poll(path, interval=0.02)) as changes:  # type: ignore[type-var]  # it is an async generator
        writing = asyncio.create_task(write_later(path, "22", rename=rename))
        assert await told(changes, 10)
        await writing


async def test_a_directory_that_does_not_exist_yet_is_polled(tmp_path: Path) -> None:
    path = tmp_path / "later" / "c"
    async with aclosing(watch(path)) as changes:  # type: ignore[type-var]  # it is an async generator
        waiting = asyncio.create_task(told(changes, 10))
        await asyncio.sleep(0.2)
        path.parent.mkdir()
        path.write_text("1")
        assert await waiting
