from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from attrs import evolve

from ccr.entrypoints.service import SERVICE_VARIABLE
from ccr.entrypoints.takeover import Inherited, InheritedWorker, Renewal, has_a_keeper, replace_program
from tests.unit.entrypoints.test_service import SERVICE

WANTED = Renewal(evolve(SERVICE, token="t"), ("/usr/bin/env", "x"), {"A": "1"})


@pytest.fixture
def inherited() -> Iterator[Inherited]:
    """With descriptors of this process."""
    pairs = [os.pipe() for _ in range(2)]
    (lock, claim), (listener, pipe) = pairs
    yield Inherited(
        SERVICE.to_environment(), lock, claim, (listener,), (InheritedWorker(0, 77, pipe, leaving=True),)
    )
    for one in (lock, claim, listener, pipe):
        os.close(one)


def test_a_renewal_travels_as_a_message() -> None:
    assert Renewal.from_message(WANTED.to_message()) == WANTED


@pytest.mark.parametrize(
    "message",
    [
        {},
        {**WANTED.to_message(), "command": "x"},
        {**WANTED.to_message(), "command": []},
        {**WANTED.to_message(), "environment": None},
        {**WANTED.to_message(), "service": "{}"},
        {**WANTED.to_message(), "service": "junk"},
    ],
)
def test_anything_else_is_none(message: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Renewal.from_message(message)


def test_what_is_inherited_travels_in_the_environment_once(
    inherited: Inherited, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Inherited.taken() is None
    monkeypatch.setenv("CCR_TAKE_OVER", inherited.to_environment())
    for one in inherited.descriptors:
        os.set_inheritable(one, True)

    assert Inherited.taken() == inherited
    assert inherited.before == SERVICE
    assert "CCR_TAKE_OVER" not in os.environ, "children need not know"
    assert not any(map(os.get_inheritable, inherited.descriptors)), "nor have them"


def test_a_program_that_is_not_there_changes_nothing(inherited: Inherited) -> None:
    wanted = evolve(WANTED, command=("/nowhere/python", "x"))

    with pytest.raises(OSError, match="No such file"):
        replace_program(wanted, inherited)

    assert not any(map(os.get_inheritable, inherited.descriptors))


def test_the_program_becomes_another_that_has_everything(inherited: Inherited) -> None:
    """In a child, which says what it found: descriptors, service, and the environment of the one who asked."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    script = (
        "import os, sys; os.fstat(int(sys.argv[2])); "
        f"os.write(int(sys.argv[1]), (os.environ['A'] + os.environ['{SERVICE_VARIABLE}']).encode())"
    )
    import sys

    child = os.fork()
    if child == 0:
        command = (sys.executable, "-c", script, str(writer), str(inherited.listeners[0]))
        replace_program(evolve(WANTED, command=command), inherited)
    os.close(writer)
    said = os.read(reader, 65536).decode()
    os.close(reader)
    os.waitpid(child, 0)

    assert said == "1" + WANTED.service.to_environment()


def test_a_keeper_is_known_by_what_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SYSTEMD_EXEC_PID", "INVOCATION_ID", "NOTIFY_SOCKET"):
        monkeypatch.delenv(name, raising=False)
    assert not has_a_keeper()
    monkeypatch.setenv("INVOCATION_ID", "a terminal inherits this from its session")
    assert not has_a_keeper() or os.getppid() == 1
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getpid()))
    assert has_a_keeper()
