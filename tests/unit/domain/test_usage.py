from __future__ import annotations

from ccr.domain.usage import NO_USAGE, Basis, Usage


def test_the_input_is_the_sum_of_its_disjoint_parts() -> None:
    assert Usage(input_uncached=1, cache_read=2, cache_write_5m=3, cache_write_1h=4).input_total == 10
    assert NO_USAGE.input_total is None
    assert Usage(input_uncached=0).input_total == 0


def test_a_later_report_of_the_same_reply_replaces() -> None:
    merged = Usage(input_uncached=5, output=1, basis=Basis.ESTIMATED).merged(Usage(output=9))

    assert Usage(input_uncached=5, output=9, basis=Basis.REPORTED) == merged


def test_a_report_that_says_nothing_changes_nothing() -> None:
    first = Usage(output=1, basis=Basis.FLOOR)

    assert first == first.merged(NO_USAGE)


def test_several_replies_add_up_and_none_is_not_zero() -> None:
    total = Usage(output=1, cache_read=2).plus(Usage(output=3, searches=1, basis=Basis.FLOOR))

    assert Usage(output=4, cache_read=2, searches=1, basis=Basis.FLOOR) == total
    assert total.input_uncached is None
