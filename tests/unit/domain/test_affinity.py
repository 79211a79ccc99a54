from __future__ import annotations

from ccr.domain.affinity import Pin, Pins, Who
from ccr.domain.models import ModelRef

REF = ModelRef("a", "x")
ME = Who("me", "s1", "", "default")


def test_who_was_served_is_served_there_again() -> None:
    pins = Pins()
    pins.put(ME, Pin(REF, "k1", 10.0))

    assert pins.get(ME, 100.0) == Pin(REF, "k1", 10.0)
    assert pins.get(Who("you", "s1", "", "default"), 100.0) is None
    assert pins.get(Who("me", "s1", "agent", "default"), 100.0) is None


def test_an_expired_cache_is_a_safe_point() -> None:
    pins = Pins(ttl=300.0)
    pins.put(ME, Pin(REF, "", 10.0))

    assert pins.get(ME, 310.0) is not None
    assert pins.get(ME, 310.1) is None
    assert not len(pins)


def test_compaction_is_a_safe_point_for_all_routes_of_the_agent() -> None:
    pins = Pins()
    other = Who("me", "s1", "agent", "default")
    for who in (ME, Who("me", "s1", "", "think"), other):
        pins.put(who, Pin(REF, "", 0.0))

    pins.drop("me", "s1", "")

    assert pins.get(ME, 1.0) is None
    assert pins.get(other, 1.0) is not None
    assert len(pins) == 1


def test_the_longest_unused_goes_when_there_are_too_many() -> None:
    pins = Pins(most=2)
    names = [Who("me", session, "") for session in "abc"]
    pins.put(names[0], Pin(REF, "", 0.0))
    pins.put(names[1], Pin(REF, "", 0.0))
    pins.put(names[0], Pin(REF, "", 1.0))
    pins.put(names[2], Pin(REF, "", 2.0))

    assert [pins.get(name, 2.0) is not None for name in names] == [True, False, True]
