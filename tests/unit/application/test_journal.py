from __future__ import annotations

from ccr.application.contained import Faults
from ccr.application.journal import Journal
from ccr.domain.record import RequestRecord
from tests.support.records import record


class Keeps:
    def __init__(self) -> None:
        self.kept: list[RequestRecord] = []

    def accept(self, record: RequestRecord) -> None:
        self.kept.append(record)


class Breaks:
    def accept(self, record: RequestRecord) -> None:
        raise RuntimeError("broken")


def test_every_sink_gets_the_record_even_after_one_that_fails() -> None:
    first, last, faults = Keeps(), Keeps(), Faults()
    journal = Journal([first, Breaks(), last], faults)
    one = record()

    journal.write(one)

    assert ([one], [one]) == (first.kept, last.kept)
    assert faults.counts == {"sink Breaks": 1}
    assert journal.written == 1
