from __future__ import annotations

import inspect

import pytest

from ccr.domain import errors
from ccr.domain.errors import (
    Blast,
    ConfigError,
    ContextOverflowError,
    Failure,
    GatewayError,
    Problem,
    Remedy,
    UpstreamLimitedError,
    UpstreamRejectedError,
    WrongMethodError,
)

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, GatewayError)]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_is_drawn_in_the_tree_and_exported(cls: type[GatewayError]) -> None:
    assert errors.__doc__ is not None
    assert cls.__name__ in errors.__doc__
    assert cls.__name__ in errors.__all__


def test_leaf_kinds_are_unique() -> None:
    leaves = [cls for cls in CLASSES if not cls.__subclasses__()]
    kinds = [cls.kind for cls in leaves]

    assert sorted(set(kinds)) == sorted(kinds)


def test_the_failure_is_the_class_s_unless_said_otherwise() -> None:
    plain = UpstreamRejectedError("no")
    knowing = UpstreamRejectedError("no", failure=Failure("upstream_rejected", Blast.MODEL, Remedy.NEXT))

    assert Failure("upstream_rejected", Blast.REQUEST, Remedy.STOP) == plain.failure
    assert Remedy.NEXT is knowing.failure.remedy


def test_what_a_class_adds_is_kept() -> None:
    overflow = ContextOverflowError("x", tokens=10, maximum=5)

    assert (overflow.tokens, overflow.maximum) == (10, 5)
    assert UpstreamLimitedError("x", overloaded=True).overloaded
    assert WrongMethodError("x", allowed=["POST"]).allowed == ("POST",)


def test_a_problem_says_where_what_and_what_would_be_right() -> None:
    full = Problem("config.json", 3, 7, "Router.default", "unknown provider", hint="did you mean a,b?")
    bare = Problem("config.json", 0, 0, "PORT", "not a number")

    assert str(full) == "config.json:3:7: Router.default: unknown provider (did you mean a,b?)"
    assert str(bare) == "config.json: PORT: not a number"
    assert [str(full), str(bare)] == str(ConfigError([full, bare])).split("\n")
