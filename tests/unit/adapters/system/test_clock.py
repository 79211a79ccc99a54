from __future__ import annotations

from datetime import UTC

from ccr.adapters.system.clock import SystemClock


def test_the_time_of_day_is_in_utc_and_monotonic_time_never_goes_back() -> None:
    clock = SystemClock()

    assert clock.now().tzinfo == UTC
    assert clock.monotonic() <= clock.monotonic()
