from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccr.adapters.system.fleet import FleetHub, FleetMember, reachable
from ccr.domain.errors import InternalError

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def fleet(path: Path, *handlers: dict[str, Any]) -> AsyncIterator[tuple[FleetHub, list[FleetMember]]]:
    hub = FleetHub(path)
    await hub.open()
    members = [FleetMember(path, given) for given in handlers]
    for member in members:
        await member.open()
    while hub.members < len(members):
        await asyncio.sleep(0.001)
    try:
        yield hub, members
    finally:
        for member in members:
            await member.close()
        await hub.close()


async def later(value: object) -> object:
    await asyncio.sleep(0)
    return value


def fail() -> None:
    raise InternalError("no such luck")


async def test_the_parent_asks_every_worker(tmp_path: Path) -> None:
    async with fleet(tmp_path / "s", {"status": lambda: {"n": 1}}, {"status": lambda: later({"n": 2})}) as (
        hub,
        _,
    ):
        answers = await hub.ask("status")

    assert sorted(answer["n"] for answer in answers) == [1, 2]


async def test_a_worker_asks_all_and_itself(tmp_path: Path) -> None:
    async with fleet(tmp_path / "s", {"status": lambda: {"n": 1}}, {"status": lambda: {"n": 2}}) as (
        _,
        members,
    ):
        answers = await members[0].gather("status")

    assert len(answers) == 2


async def test_a_command_reaches_all_with_its_arguments(tmp_path: Path) -> None:
    heard: list[str] = []

    def level(to: str) -> None:
        heard.append(to)

    async with fleet(tmp_path / "s", {"level": level}, {"level": level}) as (_, members):
        await members[1].tell("level", to="debug")

    assert heard == ["debug", "debug"]


async def test_an_error_of_one_and_an_unknown_word_are_answers(tmp_path: Path) -> None:
    async with fleet(tmp_path / "s", {"reload": fail}) as (hub, members):
        assert await hub.ask("reload") == [{"error": "no such luck"}]
        assert await hub.ask("bogus") == [None]
        assert await members[0].gather("bogus") == []


async def test_a_worker_alone_is_the_fleet() -> None:
    member = FleetMember(None, {"status": lambda: {"n": 1}})
    await member.open()

    assert await member.gather("status") == [{"n": 1}]
    await member.close()


async def test_a_worker_without_a_parent_is_the_fleet(tmp_path: Path) -> None:
    member = FleetMember(tmp_path / "nobody", {"status": lambda: {"n": 1}})
    await member.open()

    assert await member.gather("status") == [{"n": 1}]


async def test_a_worker_outlives_its_parent(tmp_path: Path) -> None:
    async with fleet(tmp_path / "s", {"status": lambda: {"n": 1}}) as (hub, members):
        await hub.close()
        await asyncio.sleep(0.01)

        assert await members[0].gather("status") == [{"n": 1}]


async def test_a_member_that_went_is_not_counted(tmp_path: Path) -> None:
    async with fleet(tmp_path / "s", {}, {"status": lambda: {"n": 2}}) as (hub, members):
        await members[0].close()
        while hub.members > 1:
            await asyncio.sleep(0.001)

        assert await hub.ask("status") == [{"n": 2}]


async def test_junk_ends_its_connection_only(tmp_path: Path) -> None:
    async with fleet(tmp_path / "s", {"status": lambda: {"n": 1}}) as (hub, _):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(b"not json\n")

        assert await reader.read() == b""
        assert await hub.ask("status") == [{"n": 1}]
        writer.close()


async def test_the_socket_is_private_and_swept(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("left over")
    async with fleet(path):
        mode = path.stat().st_mode & 0o777

    assert mode == 0o600
    assert not path.exists()


def test_a_long_path_has_a_short_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    long = tmp_path / ("x" * 120) / "ccr.sock"

    found = reachable(long)

    assert found == reachable(long)
    assert found.name == "ccr.sock"
    assert found.parent.stat().st_mode & 0o777 == 0o700
    assert reachable(tmp_path / "y") == tmp_path / "y" or len(os.fsencode(tmp_path)) > 98


async def test_the_command_line_asks_the_parent_for_a_renewal(tmp_path: Path) -> None:
    asked: list[object] = []

    def renew(message: object) -> bool:
        asked.append(message)
        return message == {"right": True}

    hub = FleetHub(tmp_path / "s", renew=renew)
    await hub.open()
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    try:
        for wanted, answer in (({"right": True}, True), ({"right": False}, False), ("junk", False)):
            writer.write(msgspec.json.encode({"renew": wanted}) + b"\n")
            assert msgspec.json.decode(await reader.readline()) == {"renewing": answer}
    finally:
        writer.close()
        await hub.close()

    assert asked == [{"right": True}, {"right": False}]
    assert hub.pids == set(), "who asks is no member"


async def test_a_hub_knows_who_has_joined(tmp_path: Path) -> None:
    async with fleet(tmp_path / "s", {}) as (hub, _):
        assert hub.pids == {os.getpid()}


async def test_a_worker_joins_the_hub_that_comes_after(tmp_path: Path) -> None:
    """As after `ccr restart`: the old workers still count while their streams end."""
    async with fleet(tmp_path / "s", {"status": lambda: {"n": 1}}) as (hub, members):
        await hub.close()
        successor = FleetHub(tmp_path / "s")
        await successor.open()
        try:
            while not successor.members:
                await asyncio.sleep(0.01)
            assert await successor.ask("status") == [{"n": 1}]
            assert await members[0].gather("status") == [{"n": 1}]
        finally:
            await members[0].close()
            await successor.close()
