from __future__ import annotations

from collections.abc import Sequence

import pytest

from ccr.application.contained import Faults
from ccr.application.counting import Counted, Counting
from ccr.application.ports.tokens import TokenRange
from ccr.domain.conversation import Conversation, FunctionTool, Role, Text, Turn
from ccr.domain.errors import InvalidRequestError
from ccr.domain.verbatim import Json, Verbatim
from tests.support.routing import FakeCounter, FakeParsed, facts

pytestmark = pytest.mark.anyio

PARSED = FakeParsed(facts(text_size=100))


async def test_a_bound_costs_nothing() -> None:
    counter = FakeCounter(tokens=42)
    assert await Counting(counter).range(PARSED) == TokenRange(10, 100)
    assert counter.asked == 0


async def test_an_exact_count_is_the_counters() -> None:
    counting = Counting(FakeCounter(tokens=42))
    assert await counting.exact(PARSED) == 42
    assert await counting.count(PARSED) == Counted(42)


async def test_a_count_that_fails_is_the_upper_estimate_and_one_warning() -> None:
    told: list[str] = []
    faults = Faults(lambda place, _: told.append(place))
    counting = Counting(FakeCounter(error=OSError("no vocabulary")), faults)
    assert await counting.count(PARSED) == Counted(100, "OSError: no vocabulary")
    assert await counting.exact(PARSED) == 100
    assert (told, faults.counts["counting"]) == (["counting"], 2)


async def test_a_request_that_makes_no_sense_is_refused_to_who_counts_and_passed_over_by_routing() -> None:
    class Nonsense(FakeParsed):
        def conversation(self) -> Conversation:
            raise InvalidRequestError("messages[0].role: must be user or assistant")

    counting, parsed = Counting(FakeCounter(7)), Nonsense(facts(text_size=100))
    with pytest.raises(InvalidRequestError):
        await counting.exact(parsed)
    assert (await counting.count(parsed)).tokens == 100


async def test_what_was_counted_is_not_looked_at_again() -> None:
    class Words(FakeCounter):
        async def count_each(self, groups: Sequence[Sequence[bytes]]) -> list[int]:
            seen.extend(text for group in groups for text in group)
            return [sum(map(len, group)) for group in groups]

    class Session(FakeParsed):
        def conversation(self) -> Conversation:
            return Conversation("m", tuple(history), system=(Text("be good"),), tools=tools)

    seen: list[bytes] = []
    tools = (FunctionTool("t", "u", Json(b"{}")),)
    history = [Turn(Role.USER, (Text(text),), Verbatim("anthropic", text.encode())) for text in ("a", "bb")]
    counting, parsed = Counting(Words()), Session(facts(text_size=100))

    assert await counting.count(parsed) == Counted(16)
    history.append(Turn(Role.ASSISTANT, (Text("ccc"),), Verbatim("anthropic", b"ccc")))
    assert await counting.count(parsed) == Counted(19)
    assert seen == [b"be good", b"t u {}", b"a", b"bb", b"be good", b"ccc"]


async def test_an_estimate_that_fails_leaves_the_widest_bound() -> None:
    class Broken(FakeCounter):
        def estimate(self, size: int) -> TokenRange:
            raise ValueError(size)

    assert await Counting(Broken()).range(PARSED) == TokenRange(0, 100)
