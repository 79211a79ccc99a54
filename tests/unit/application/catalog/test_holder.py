from __future__ import annotations

from typing import Any, cast

import pytest

from ccr.application.catalog.holder import Catalog, CatalogHolder
from ccr.application.catalog.targets import Target
from ccr.application.settings import Settings
from ccr.domain.errors import UnknownModelError, UnsupportedError
from ccr.domain.models import ModelRef
from ccr.domain.routing.policy import RoutePolicy

KNOWN = ModelRef("p", "m")


class Maker:
    """Makes targets and remembers what for; a target is a token here."""

    def __init__(self) -> None:
        self.made: list[ModelRef] = []

    def __call__(self, ref: ModelRef) -> Target:
        self.made.append(ref)
        return token(ref)


def token(ref: ModelRef) -> Target:
    return cast("Target", ("target", ref))


def catalog(**changes: Any) -> Catalog:
    given = {
        "revision": "r1",
        "settings": Settings(),
        "policy": RoutePolicy(),
        "targets": {KNOWN: token(KNOWN)},
    }
    return Catalog(**{**given, "clients": {}, **changes})


def test_a_configured_model_is_found() -> None:
    assert token(KNOWN) == catalog().target(KNOWN)


@pytest.mark.parametrize("ref", [ModelRef("p", "other"), ModelRef("q", "m"), ModelRef("open", "")])
def test_what_nobody_configured_is_unknown(ref: ModelRef) -> None:
    with pytest.raises(UnknownModelError, match=ref.provider):
        catalog(open_providers={"open": Maker()}).target(ref)


def test_a_provider_that_cannot_be_called_says_why() -> None:
    with pytest.raises(UnsupportedError, match="needs a key") as caught:
        catalog(unavailable={"q": "it needs a key"}).target(ModelRef("q", "m"))

    assert caught.value.provider == "q"


def test_any_model_of_an_open_provider_is_compiled_once() -> None:
    maker = Maker()
    made = catalog(open_providers={"open": maker})

    assert made.target(ModelRef("open", "x")) is made.target(ModelRef("open", "x"))
    assert [ModelRef("open", "x")] == maker.made


def test_names_that_callers_make_up_do_not_grow_the_memory() -> None:
    maker = Maker()
    made = catalog(open_providers={"open": maker})
    for number in range(1000):
        made.target(ModelRef("open", f"m{number}"))

    assert len(made._made) == 256


def test_nothing_is_in_force_before_the_first() -> None:
    holder = CatalogHolder()

    assert not holder.loaded
    with pytest.raises(RuntimeError, match="no configuration"):
        _ = holder.current


def test_a_swap_forgets_the_last_error() -> None:
    holder, first, second = CatalogHolder(), catalog(), catalog(revision="r2")
    holder.swap(first)
    holder.last_error = "bad"
    held = holder.current
    holder.swap(second)

    assert (first, second, "") == (held, holder.current, holder.last_error)
