from __future__ import annotations

from typing import Any

from ccr.entrypoints.cli.status import _health


def place(**more: Any) -> dict[str, Any]:
    return {"target": "a,m", "circuit": "closed", "in_flight": 0, "latency": 0.2, **more}


def lines(*places: dict[str, Any], **facts: Any) -> list[str]:
    return [text for _, text in _health({"health": list(places), **facts})]


def test_of_those_that_do_well_nothing_is_said() -> None:
    assert lines(place()) == []


def test_an_open_circuit_says_why_and_when() -> None:
    shown = lines(
        place(circuit="open", retry_in=7.4, why="a refuses connections"),
        place(circuit="half_open", retry_in=0.0, why="a refuses connections"),
    )

    assert shown == [
        "a,m  open, asked again in 7 s: a refuses connections",
        "a,m  half open: a refuses connections",
    ]


def test_keys_that_rest_are_named() -> None:
    assert lines(place(keys_resting={"ab12cd34": 59.6})) == ["a,m  key ab12cd34 rests for another 60 s"]
    assert lines(place(keys_resting={"": 59.6})) == ["a,m  its key rests for another 60 s"]


def test_queues_and_refusals_are_counted() -> None:
    shown = lines(place(queued=3, max_in_flight=2), queued=5, max_in_flight=2000, shed=7)

    assert shown == [
        "a,m  3 wait for one of 2 places",
        "5 requests wait: 2000 are served at once",
        "7 requests were refused for want of room",
    ]
