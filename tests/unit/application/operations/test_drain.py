from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from ccr.application.flow.admission import Admission
from ccr.application.operations.drain import Drain
from ccr.application.tracker import Tracker

pytestmark = pytest.mark.anyio


class FakeFleet:
    def __init__(self, admission: Admission) -> None:
        self.told: list[tuple[str, bool]] = []
        self._admission = admission

    async def gather(self, question: str) -> Sequence[Mapping[str, object]]:
        return []

    async def tell(self, command: str, **arguments: object) -> None:
        self.told.append((command, self._admission.draining))


async def test_this_worker_drains_before_it_tells_the_others() -> None:
    admission = Admission(Tracker())
    fleet = FakeFleet(admission)

    await Drain(fleet, admission)()

    assert fleet.told == [("drain", True)]
