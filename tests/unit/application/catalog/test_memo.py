from __future__ import annotations

from ccr.application.catalog.memo import Bound, IdentityMemo, Memo, TurnMemo, WriteMemo
from ccr.domain.conversation import Role, Text, Turn
from ccr.domain.models import ModelProfile
from ccr.domain.value import evolve
from ccr.domain.verbatim import Verbatim


def test_equal_bytes_are_read_once() -> None:
    read: list[bytes] = []

    def length(raw: bytes) -> int:
        read.append(raw)
        return len(raw)

    memo = Memo(length)

    assert [memo(b"abc"), memo(b"abc"), memo(b"ab")] == [3, 3, 2]
    assert read == [b"abc", b"ab"]


def test_memory_is_bounded_and_the_oldest_use_goes_first() -> None:
    read: list[bytes] = []

    def same(raw: bytes) -> bytes:
        read.append(raw)
        return raw

    memo = Memo(same, bound=8)
    for raw in (b"aaaa", b"bbbb", b"aaaa", b"cccc", b"aaaa", b"bbbb"):
        memo(raw)

    assert read == [b"aaaa", b"bbbb", b"cccc", b"bbbb"]
    assert memo.size <= 8


def test_what_is_larger_than_the_memory_is_not_kept() -> None:
    memo = Memo(bytes.decode, bound=2)

    assert memo(b"long") == "long"
    assert memo.size == 0


def turn(text: str) -> Turn:
    return Turn(Role.USER, (Text(text),), Verbatim("anthropic", text.encode()))


def test_what_was_made_of_a_turn_is_found_under_that_object_alone() -> None:
    memo = TurnMemo[int]()
    mine, twin = turn("a"), turn("a")

    memo.keep(mine, 7)

    assert memo.get(mine) == 7
    assert twin == mine
    assert memo.get(twin) is None
    # Changed, and somebody forgot to drop the source: still another object.
    assert memo.get(evolve(mine, blocks=(Text("another tenant's"),))) is None


def test_a_turn_that_nobody_sent_is_not_kept() -> None:
    memo = TurnMemo[int]()
    made_up = Turn(Role.USER, (Text("a"),))

    memo.keep(made_up, 7)

    assert memo.get(made_up) is None
    assert memo.size == 0


def test_the_memory_of_turns_is_bounded_and_the_oldest_use_goes_first() -> None:
    memo = TurnMemo[int](bound=3_500)
    turns = [turn(str(number) * 700) for number in range(5)]
    for number, one in enumerate(turns[:3]):
        memo.keep(one, number)
    memo.get(turns[0])
    memo.keep(turns[3], 3)
    memo.keep(turn("x" * 3_000), 4)

    assert [memo.get(one) for one in turns] == [0, None, 2, 3, None]
    assert memo.size <= 3_500


def test_any_object_is_known_by_itself_alone() -> None:
    memo: IdentityMemo[tuple[str, ...], int] = IdentityMemo(bound=1_000)
    one, twin = ("a", "b"), tuple("ab")

    memo.keep(one, 7, 100)
    memo.keep(("too", "large"), 8, 400)

    assert (memo.get(one), memo.get(twin), memo.size) == (7, None, 400)


def test_memories_that_share_a_bound_follow_it() -> None:
    bound = Bound(1_000)
    read: list[bytes] = []

    def same(raw: bytes) -> bytes:
        read.append(raw)
        return raw

    reading, turns = Memo(same, bound=bound), TurnMemo[int](bound=bound)
    one = turn("a")
    turns.keep(one, 1)
    reading(b"abc")
    assert (turns.get(one), reading(b"abc"), read) == (1, b"abc", [b"abc"])

    bound.bytes = 0
    turns.keep(turn("b"), 2)
    reading(b"def")

    assert (turns.get(one), turns.size, reading.size) == (None, 0, 0)
    reading(b"abc")
    assert read == [b"abc", b"def", b"abc"]


def test_a_turn_is_written_once_for_each_profile() -> None:
    written: list[tuple[Turn, ModelProfile]] = []

    def write(turn: Turn, profile: ModelProfile) -> bytes:
        written.append((turn, profile))
        return turn.role.value.encode()

    memo = WriteMemo(write, len)
    one, small, equal, large = (
        turn("a"),
        ModelProfile(max_output=1),
        ModelProfile(max_output=1),
        ModelProfile(),
    )

    assert {memo(one, profile) for profile in (small, small, equal, large, small)} == {b"user"}
    assert written == [(one, small), (one, large)]


def test_all_profiles_together_keep_to_the_bound() -> None:
    written: list[int | None] = []

    def write(turn: Turn, profile: ModelProfile) -> bytes:
        written.append(profile.max_output)
        return b"x" * 600

    memo = WriteMemo(write, len, bound=2_000)
    one = turn("a")
    for limit in (1, 2, 3, 1):
        memo(one, ModelProfile(max_output=limit))

    assert written == [1, 2, 3, 1]  # the first had to go for the third
