"""What a continuation repeats is cut off, however it comes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ccr.domain.overlap import Overlap, anchor_of

SENT = "It was the year of the great flood, and nobody in the lower town had slept since the bells began to ring. Then"
MORE = " the water came."
ANCHOR = "and nobody in the lower town had slept since the bells began to ring. Then"


def new(sent: str, text: str, size: int = 1000) -> str:
    """Return what is new of a text that comes in pieces of a size."""
    overlap = Overlap(sent)
    pieces = [overlap.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(pieces) + overlap.close()


@pytest.mark.parametrize(
    "sent, anchor",
    [
        ("", ""),
        (" \n ", ""),
        ("  Hello  ", "Hello"),
        (SENT, ANCHOR),
        (SENT + "\n\n", ANCHOR),
        ("x" * 200, "x" * 80),
        ("x" * 100 + " " + "y" * 70, "y" * 70),
    ],
)
def test_the_anchor_is_the_last_words(sent: str, anchor: str) -> None:
    assert anchor_of(sent) == anchor


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "sent, text, left",
    [
        (SENT, MORE, MORE),
        (SENT, ANCHOR + MORE, MORE),
        (SENT, "\n\n" + ANCHOR + MORE, MORE),
        (SENT, SENT + MORE, MORE),  # it begins anew
        (SENT, SENT[20:] + MORE, MORE),
        (SENT, "since the bells began to ring. Then" + MORE, MORE),
        (SENT, ANCHOR, ""),
        (SENT, "and nobody in the lower", ""),  # it gave up in the middle of the repetition
        (SENT, "and nobody", "and nobody"),
        (SENT, "Then", "Then"),  # too short to be no chance
        (SENT, "", ""),
        (SENT, "\n", "\n"),
        ("Hel", "Hello", "lo"),
        ("Hel", "lo", "lo"),
        ("", "Hello", "Hello"),
        ("\n", "\nHello", "\nHello"),
        # The space behind the words that it was asked for was sent.
        ("Hello\n\n", "Hello\n\nWorld", "World"),
        ("Hello\n\n", "Hello\nWorld", "World"),
        ("Hello\n\n", "HelloWorld", "World"),
        ("Hello\n\n", "Hello\n\n\nWorld", "\nWorld"),
        ("Hello ", "Hello\nWorld", "\nWorld"),
        ("Hello\n\n", "Hello\n", ""),
        ("Hello ", "World", "World"),
        # Lines that repeat themselves are no repetition.
        ("|" + "-" * 300, "-" * 20 + "|", "-" * 20 + "|"),
        ("-" * 300, "-" * 80 + "|", "|"),
        # What is found in the middle only is no repetition of the end.
        (SENT, "the year of the great flood was over", "the year of the great flood was over"),
        (
            SENT,
            "It was the year of the great flood, and then",
            "It was the year of the great flood, and then",
        ),
    ],
)
def test_only_what_is_new_is_left(sent: str, text: str, left: str, size: int) -> None:
    assert new(sent, text, size) == left


def test_what_is_certainly_new_is_not_held() -> None:
    overlap = Overlap(SENT)

    assert overlap.feed(ANCHOR[:-1]) == ""
    assert overlap.feed("n and") == " and"
    assert overlap.feed(" Then") == " Then"


WORDS = st.text(st.sampled_from("ab \n"), max_size=200)


@given(WORDS, WORDS, st.integers(1, 9))
@example("ab" * 50, "a", 1)
def test_the_anchor_that_was_asked_for_is_cut_off_and_nothing_else(sent: str, more: str, size: int) -> None:
    anchor = anchor_of(sent)
    space = sent[len(sent.rstrip()) :] if anchor else ""

    assert new(sent, anchor + space + more, size) == more


@given(WORDS, WORDS, st.integers(1, 9))
def test_the_pieces_do_not_matter(sent: str, text: str, size: int) -> None:
    assert new(sent, text, size) == new(sent, text)
