from __future__ import annotations

from ccr.adapters.wire.system_turns import fold_system, reminder
from ccr.domain.conversation import Image, Role, Text, Turn, Url

USER = Turn(Role.USER, (Text("hi"),))
ANSWER = Turn(Role.ASSISTANT, (Text("yes"),))
SAID = Turn(Role.SYSTEM, (Text("now"), Image(Url("https://a"))))
NOTE = Text(reminder("now"))


def test_it_is_said_in_the_users_turn_before() -> None:
    assert fold_system((USER, SAID, ANSWER)) == (Turn(Role.USER, (Text("hi"), NOTE)), ANSWER)


def test_else_in_the_one_after() -> None:
    assert fold_system((SAID, USER)) == (Turn(Role.USER, (NOTE, Text("hi"))),)


def test_else_in_one_of_its_own() -> None:
    alone = Turn(Role.USER, (NOTE,))

    assert fold_system((ANSWER, SAID, ANSWER)) == (ANSWER, alone, ANSWER)
    assert fold_system((ANSWER, SAID)) == (ANSWER, alone)


def test_without_it_nothing_changes() -> None:
    assert fold_system((USER, ANSWER)) == (USER, ANSWER)
