from __future__ import annotations

import pytest

from ccr.application.flow.admission import Admission
from ccr.application.tracker import Tracker
from ccr.domain.errors import DrainingError


def test_requests_are_counted_in_and_out() -> None:
    admission = Admission(Tracker())
    admission.enter()
    admission.enter()
    admission.leave()

    assert admission.active == 1


def test_a_draining_gateway_takes_nothing_new_and_says_when_to_come_again() -> None:
    admission = Admission(Tracker())
    admission.enter()
    admission.drain()

    with pytest.raises(DrainingError) as caught:
        admission.enter()

    assert caught.value.retry_after == 5.0
    assert admission.active == 1
