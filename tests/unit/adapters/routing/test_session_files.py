from __future__ import annotations

from pathlib import Path

import pytest

from ccr.adapters.routing import session_files
from ccr.adapters.routing.session_files import SessionFiles
from ccr.application.ports.routing import SessionRouter

pytestmark = pytest.mark.anyio


class Machine:
    def __init__(self, root: Path) -> None:
        self.home, self.projects = root / "home", root / "projects"
        self.home.mkdir()
        self.files = SessionFiles(self.home, self.projects)

    def transcript(self, folder: str, session: str) -> None:
        (self.projects / folder).mkdir(parents=True, exist_ok=True)
        (self.projects / folder / f"{session}.jsonl").touch()

    def router(self, folder: str, name: str, text: str) -> None:
        (self.home / folder).mkdir(exist_ok=True)
        (self.home / folder / name).write_text(text)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def test_a_project_has_a_router(machine: Machine) -> None:
    machine.transcript("-code-x", "s1")
    machine.router("-code-x", "config.json", '{"Router": {"default": "a,b"}}')
    assert await machine.files.find("s1") == SessionRouter("project", {"default": "a,b"})


async def test_that_of_the_session_is_narrower(machine: Machine) -> None:
    machine.transcript("-code-x", "s1")
    machine.router("-code-x", "config.json", '{"Router": {"default": "a,b"}}')
    machine.router("-code-x", "s1.json", '{"Router": {"default": "c,d"}}')
    assert await machine.files.find("s1") == SessionRouter("session", {"default": "c,d"})


async def test_a_file_without_a_router_is_passed_over(machine: Machine) -> None:
    machine.transcript("-code-x", "s1")
    machine.router("-code-x", "s1.json", '{"other": 1}')
    machine.router("-code-x", "config.json", "[1]")
    assert await machine.files.find("s1") is None


async def test_a_transcript_that_comes_later_is_found(machine: Machine) -> None:
    machine.router("-code-x", "config.json", '{"Router": {"default": "a,b"}}')
    assert await machine.files.find("s1") is None
    machine.transcript("-code-x", "s1")
    assert await machine.files.find("s1") is not None


async def test_a_router_is_read_anew_each_time(machine: Machine) -> None:
    machine.transcript("-code-x", "s1")
    machine.router("-code-x", "config.json", '{"Router": {"default": "a,b"}}')
    await machine.files.find("s1")
    machine.router("-code-x", "config.json", '{"Router": {"default": "c,d"}}')
    assert await machine.files.find("s1") == SessionRouter("project", {"default": "c,d"})


async def test_a_file_that_is_no_json_is_an_error_that_names_it(machine: Machine) -> None:
    machine.transcript("-code-x", "s1")
    machine.router("-code-x", "s1.json", "{")
    with pytest.raises(ValueError, match=r"^s1\.json: "):
        await machine.files.find("s1")


@pytest.mark.parametrize("session", ["", "../../etc/passwd", "a/b", "x" * 129, "a.b"])
async def test_an_odd_session_is_no_path(machine: Machine, session: str) -> None:
    machine.router("-code-x", "config.json", '{"Router": {}}')
    assert await machine.files.find(session) is None


async def test_without_a_home_there_is_nothing(tmp_path: Path) -> None:
    assert await SessionFiles(tmp_path / "none", tmp_path).find("s1") is None


async def test_memory_is_bounded(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_files, "_MOST_SESSIONS", 1)
    machine.router("-code-x", "config.json", '{"Router": {"default": "a,b"}}')
    for name in ("s1", "s2", "s1"):
        machine.transcript("-code-x", name)
        assert await machine.files.find(name) is not None
    assert list(machine.files._found) == ["s1"]
