from __future__ import annotations

import resource

import pytest

from ccr.entrypoints import worker


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Limits as set; the first is what the process has."""
    held = [(1024, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: held[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: held.append(pair))
    return held


def test_a_worker_takes_as_many_files_as_it_may(limits: list[tuple[int, int]]) -> None:
    worker._allow_files()

    assert limits[-1] == (4096, 4096)


def test_without_a_hard_limit_it_takes_enough(limits: list[tuple[int, int]]) -> None:
    limits[0] = (1024, resource.RLIM_INFINITY)
    worker._allow_files()

    assert limits[-1] == (65_536, resource.RLIM_INFINITY)


@pytest.mark.parametrize("given", [(4096, 4096), (resource.RLIM_INFINITY, resource.RLIM_INFINITY)])
def test_what_is_enough_is_left_alone(limits: list[tuple[int, int]], given: tuple[int, int]) -> None:
    limits[0] = given
    worker._allow_files()

    assert limits == [given]
