from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.fairness import FairQueue, Rank


def drained(queue: FairQueue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


def test_callers_take_turns() -> None:
    queue = FairQueue[str]()
    for number in range(3):
        queue.push("greedy", Rank.MAIN, f"g{number}")
    queue.push("modest", Rank.MAIN, "m0")

    assert drained(queue) == ["g0", "m0", "g1", "g2"]


def test_main_turns_go_before_subagents_before_the_rest() -> None:
    queue = FairQueue[str]()
    for rank in (Rank.AUXILIARY, Rank.SUBAGENT, Rank.MAIN):
        queue.push("me", rank, rank.name)

    assert drained(queue) == ["MAIN", "SUBAGENT", "AUXILIARY"]


def test_who_leaves_is_not_served() -> None:
    queue = FairQueue[str]()
    queue.push("me", Rank.MAIN, "a")
    queue.push("me", Rank.MAIN, "b")

    assert queue.remove("me", Rank.MAIN, "a")
    assert not queue.remove("me", Rank.MAIN, "a")
    assert not queue.remove("you", Rank.MAIN, "a")
    assert drained(queue) == ["b"]
    queue.push("me", Rank.MAIN, "c")
    assert queue.remove("me", Rank.MAIN, "c")
    assert len(queue) == 0


def test_an_empty_queue_has_nobody() -> None:
    with pytest.raises(IndexError):
        FairQueue[str]().pop()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(list(Rank))), max_size=40))
def test_everybody_is_served_once_in_their_own_order(pushed: list[tuple[str, Rank]]) -> None:
    queue = FairQueue[tuple[str, Rank, int]]()
    for at, (caller, rank) in enumerate(pushed):
        queue.push(caller, rank, (caller, rank, at))
    served = [queue.pop() for _ in range(len(queue))]

    assert sorted(at for _, _, at in served) == list(range(len(pushed)))
    assert [rank for _, rank, _ in served] == sorted(rank for _, rank, _ in served)
    for rank in Rank:
        for caller in "abc":
            own = [at for who, which, at in served if (who, which) == (caller, rank)]
            assert own == sorted(own)
        # Between two turns of one caller every other one who waits has one.
        line = [who for who, which, _ in served if which is rank]
        for at, who in enumerate(line):
            after = line[at + 1 :]
            if who in after:
                between = after[: after.index(who)]
                assert set(between) >= set(after[after.index(who) :]) - {who}
