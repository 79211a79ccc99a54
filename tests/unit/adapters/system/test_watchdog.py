"""Counts looks: the thread's part is called by hand."""

from __future__ import annotations

import threading

from ccr.adapters.system.watchdog import LoopWatchdog


class Looks:
    """Stands for the event that ends the thread: each wait is a look, before which the loop may tick."""

    def __init__(self, dog: LoopWatchdog, ticks: list[bool]) -> None:
        self.dog = dog
        self.ticks = ticks

    def wait(self, _seconds: float) -> bool:
        if not self.ticks:
            return True
        self.dog._ticks += self.ticks.pop(0)
        return False


def reports(ticks: list[bool], limit: float = 2.0, tick: float = 0.5) -> list[float]:
    told: list[tuple[float, str]] = []
    dog = LoopWatchdog(lambda seconds, where: told.append((seconds, where)), limit=limit, tick=tick)
    dog._over = Looks(dog, ticks)  # type: ignore[assignment]
    dog._watch(threading.get_ident())
    assert all("in _watch" in where and ".py:" in where for _, where in told)
    return [seconds for seconds, _ in told]


def test_a_loop_that_ticks_is_never_reported() -> None:
    assert reports([True] * 50) == []
    assert reports([True, False, False, False] * 10) == []


def test_a_hang_is_reported_once_when_it_passes_the_limit() -> None:
    assert reports([False] * 4) == [2.0]
    assert reports([False] * 40) == [2.0]
    assert reports([False] * 3) == []


def test_the_next_hang_is_another_one() -> None:
    assert reports([*[False] * 9, True, *[False] * 9]) == [2.0, 2.0]
