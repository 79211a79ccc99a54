from __future__ import annotations

from ccr.domain.conversation import CacheMark, Conversation, Text
from ccr.domain.conversation.rewrite import with_prompt


def conversation(*system: Text) -> Conversation:
    return Conversation("m", (), system=system)


def test_the_prompt_stands_before_the_environment_and_the_cache_mark_stays() -> None:
    given = conversation(Text("You are Claude"), Text("Old <env> text <env>\ncwd: /x", CacheMark()))

    assert conversation(Text("You are Claude"), Text("New <env>\ncwd: /x", CacheMark())) == with_prompt(
        given, "New "
    )


def test_a_conversation_without_an_environment_stays_as_it_is() -> None:
    for given in (conversation(), conversation(Text("<env>first")), conversation(Text("a"), Text("b"))):
        assert with_prompt(given, "New") is given
