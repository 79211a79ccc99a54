from __future__ import annotations

import os
from pathlib import Path

import pytest

from ccr.adapters.config.paths import Paths
from ccr.adapters.config.project import RECHECK_SECONDS, ProjectRouters
from ccr.application.settings import RouterSettings, Settings
from ccr.domain.errors import Problem

SETTINGS = Settings(router=RouterSettings(default="demo,demo", think="demo,demo"))
ROUTER = '{"Router": {"default": "demo,demo"}}'


class World:
    def __init__(self, root: Path) -> None:
        self.now = 0.0
        self.problems: list[Problem] = []
        self.paths = Paths.of({"HOME": str(root)})
        self.routers = ProjectRouters(self.paths, {}, lambda: self.now, self.problems.append)

    def transcript(self, session: str) -> None:
        folder = self.paths.claude_projects / "-work-app"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{session}.jsonl").touch()

    def router(self, name: str, text: str = ROUTER) -> Path:
        path = self.paths.home / "-work-app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def find(self, session: str = "s-1", settings: Settings = SETTINGS) -> RouterSettings | None:
        return self.routers.find(session, settings)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_router_of_the_project(world: World) -> None:
    world.transcript("s-1")
    world.router("config.json")
    assert world.find() == RouterSettings(default="demo,demo")


def test_the_session_comes_before_the_project(world: World) -> None:
    world.transcript("s-1")
    world.router("config.json")
    world.router("s-1.json", '{"Router": {"default": "demo,demo", "image": "demo,demo"}}')
    found = world.find()
    assert found is not None
    assert found.image == "demo,demo"


def test_a_session_without_transcript_is_looked_for_again(world: World) -> None:
    world.router("config.json")
    assert world.find() is None
    world.transcript("s-1")
    assert world.find() is None
    world.now += RECHECK_SECONDS + 1
    assert world.find() is not None


def test_a_changed_file_is_read_again(world: World) -> None:
    world.transcript("s-1")
    path = world.router("config.json")
    first = world.find()
    assert world.find() is first
    path.write_text('{"Router": {"default": "demo,demo", "image": "demo,demo"}}')
    os.utime(path, ns=(1, 1))
    assert world.find() != first


@pytest.mark.parametrize("session", ["../../etc", "a/b", "", "*", "x" * 200])
def test_a_session_that_is_no_name_is_not_looked_up(world: World, session: str) -> None:
    assert world.find(session) is None
    assert world.routers._folders == {}


def test_switched_off(world: World) -> None:
    world.transcript("s-1")
    world.router("config.json")
    assert world.find(settings=Settings(router=RouterSettings(session_routers=False))) is None


@pytest.mark.parametrize("text", ['{"Router": {"default": "nope,x"}}', "{", "\ud800"])
def test_a_wrong_file_is_passed_over_and_told(world: World, text: str) -> None:
    world.transcript("s-1")
    world.router("s-1.json").write_bytes(text.encode(errors="surrogatepass"))
    world.router("config.json")
    assert world.find() == RouterSettings(default="demo,demo")
    assert len(world.problems) == 1


def test_a_file_without_router_is_passed_over(world: World) -> None:
    world.transcript("s-1")
    world.router("s-1.json", '{"permissions": {}}')
    assert world.find() is None
    assert world.problems == []
