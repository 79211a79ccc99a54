from __future__ import annotations

import asyncio

import pytest

from ccr.application.contained import Faults, contained, sentence


def test_a_fault_is_counted_told_and_left_behind() -> None:
    told: list[tuple[str, str]] = []
    faults = Faults(lambda place, error: told.append((place, str(error))))
    with contained("router", faults) as outcome:
        raise ValueError("broken")
    assert told == [("router", "broken")]
    assert faults.counts == {"router": 1}
    assert outcome.because == "ValueError: broken"


def test_without_a_fault_there_is_nothing_to_say() -> None:
    faults = Faults()
    with contained("router", faults) as outcome:
        pass
    assert (outcome.error, outcome.because, dict(faults.counts)) == (None, "", {})


def test_a_warning_may_be_told_once_and_counted_always() -> None:
    told: list[str] = []
    faults = Faults(lambda place, _: told.append(place))
    for _ in range(3):
        faults.report("counting", ValueError(), once=True)
    assert (told, faults.counts["counting"]) == (["counting"], 3)


def test_cancellation_passes() -> None:
    with pytest.raises(asyncio.CancelledError), contained("router", Faults()):
        raise asyncio.CancelledError


def test_an_error_is_one_bounded_line() -> None:
    assert sentence(ValueError("a\n  b")) == "ValueError: a b"
    assert sentence(KeyError()) == "KeyError"
    assert sentence(TimeoutError()) == "it took too long"
    assert len(sentence(ValueError("x" * 1000))) == 200
