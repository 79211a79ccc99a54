"""Plugins in the registry: found, replaced, guarded, described."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from attrs import define, field
from attrs.validators import gt

from ccr.adapters.plugins.found import Found, checked
from ccr.adapters.plugins.registry import Registry
from ccr.adapters.transformers.maxtoken import MaxToken
from ccr.adapters.wire.json import CODEC
from ccr.application.catalog.pipeline import Pipeline
from ccr.application.contained import Faults
from ccr.application.ports.payload import Payload
from ccr.application.ports.transformer import Door, OptionInfo, Transformer
from ccr.application.settings import Settings, TimeoutSettings, TransformerFile
from ccr.domain.errors import ConfigError, Problem
from ccr.domain.models import Destination
from tests.support.destinations import destination


@define(frozen=True)
class Shout(Transformer):
    """Say it loud.

    And more.
    """

    name: ClassVar[str] = "shout"
    door: ClassVar[Door | None] = Door(dialect="openai_chat")

    times: int = field(default=1, validator=gt(0), metadata={"doc": "How often."})
    words: tuple[str, ...] = ()

    def payload(self, payload: Payload, to: Destination) -> Payload:
        return payload.with_("shout", self.times)


class Plain:
    name = "plain"

    def __init__(self, word: str, often: int = 2) -> None:
        if not word:
            raise KeyError("no word")
        self.word = word

    def payload(self, payload: Payload, to: Destination) -> Payload:
        return payload.with_("word", self.word)


class Ported:
    """As the ancestor's: one object of options."""

    name = "ported"

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def request(self, conversation: Any, to: Any) -> Any:
        return conversation


def registry(*found: Found, **more: Any) -> Registry:
    return Registry({"maxtoken": MaxToken}, plugins=found, **more)


def sent(transformer: Transformer) -> Any:
    (hook,) = Pipeline.of([transformer]).payloads
    return CODEC.decode(hook(Payload({}, CODEC), destination()).encode())


def test_options_of_the_file_are_defaults_and_those_of_use_win() -> None:
    made = registry(Found("shout", Shout, "/x.py", {"times": 3}))

    assert sent(made.build("Shout", {})) == {"shout": 3}
    assert sent(made.build("shout", {"times": 4})) == {"shout": 4}
    assert made.build("shout", {}).opens() == Door(dialect="openai_chat")


def test_each_provider_has_an_instance_of_its_own() -> None:
    made = registry(Found("shout", Shout, "/x.py"))
    assert made.build("shout", {}) is not made.build("shout", {})


@pytest.mark.parametrize(
    "name,options,said",
    [
        ("shout", {"tims": 1}, "extra fields found (tims) @ options; did you mean 'times'?"),
        ("shout", {"times": 0}, "'times' must be > 0"),
        ("plain", {}, "transformer 'plain' (/y.py): TypeError: "),
        ("plain", {"word": ""}, "transformer 'plain' (/y.py): KeyError: 'no word'"),
    ],
)
def test_wrong_options_are_told(name: str, options: dict[str, Any], said: str) -> None:
    made = registry(Found("shout", Shout, "/x.py"), Found("plain", Plain, "/y.py"))
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        made.build(name, options)
    assert said in str(caught.value)


def test_a_class_of_any_kind_will_do() -> None:
    made = registry(Found("plain", Plain, "/y.py"), Found("ported", Ported, "/z.py"))

    built = made.build("plain", {"word": "hey"})
    assert sent(built) == {"word": "hey"}
    assert built.opens() is None
    assert not built.idle(destination())
    assert built.profile(destination().profile) == destination().profile
    assert Pipeline.of([made.build("ported", {"a": 1})]).requests


def test_a_plugin_may_replace_what_is_built_in_and_it_is_told() -> None:
    class Mine(MaxToken):
        name: ClassVar[str] = "maxtoken"

    infos = {info.name: info for info in registry(Found("maxtoken", Mine, "acme 1.0")).describe()}
    assert infos["maxtoken"].replaces
    assert infos["maxtoken"].origin == "acme 1.0"


def test_described() -> None:
    made = registry(
        Found("shout", Shout, "/x.py", {"times": 3}), Found("plain", Plain, "p"), Found("ported", Ported, "q")
    )
    maxtoken, plain, ported, shout = made.describe()

    assert (shout.summary, shout.origin, shout.replaces, shout.off) == ("Say it loud.", "/x.py", False, False)
    assert shout.options == (
        OptionInfo("times", "whole number", "3", "How often."),
        OptionInfo("words", "tuple[str, ...]", "[]"),
    )
    assert plain.options == (
        OptionInfo("word", "any value", "required"),
        OptionInfo("often", "any value", "2"),
    )
    assert plain.summary == ""
    assert ported.open_options
    assert maxtoken.options[0] == OptionInfo(
        "max_tokens", "whole number", "required", "The limit, in tokens."
    )
    assert maxtoken.origin == "ccr"


class Bad(Transformer):
    name: ClassVar[str] = "bad"

    def payload(self, payload: Payload, to: Destination) -> Payload:
        raise RuntimeError("no")


def test_a_new_configuration_brings_good_health() -> None:
    faults = Faults()
    made = registry(Found("bad", Bad, "acme 1.0"), faults=faults)

    assert sent(made.build("bad", {})) == {}
    assert made.warnings() == ("plugin 'bad' has failed: payload: RuntimeError: no",)
    assert made.describe()[0].failures == 1
    assert faults.counts == {"plugin bad": 1}

    fresh = made.configured(Settings(timeouts=TimeoutSettings(plugin=None)))
    assert fresh.warnings() == ()
    assert fresh.names() == made.names()


def test_what_is_switched_off_is_told() -> None:
    made = registry(Found("shout", Shout, "/x.py"), limit=-1.0)
    built = made.build("shout", {})

    assert [sent(built) for _ in range(4)] == [{"shout": 1}] * 3 + [{}]
    (warning,) = made.warnings()
    assert warning.startswith("plugin 'shout' is switched off: payload() took ")
    assert made.describe()[1].off


class Nameless(Transformer):
    pass


class Hookless(Transformer):
    name: ClassVar[str] = "hookless"


class Empty:
    name = "empty"


class Asynchronous:
    name = "asynchronous"

    async def request(self, conversation: Any, to: Any) -> Any:
        return conversation


class NotCallable:
    name = "odd"
    payload = 5


@pytest.mark.parametrize(
    "kind,said",
    [
        (5, "5 is not a class"),
        (Nameless, "Nameless has no `name`"),
        (Hookless, "Hookless overrides none of the hooks request, payload, stage, stage_for"),
        (Empty, "Empty has none of the hooks"),
        (Asynchronous, "Asynchronous.request is not a plain method"),
        (NotCallable, "NotCallable.payload is not a plain method"),
    ],
)
def test_what_is_no_transformer_is_told(kind: object, said: str) -> None:
    assert checked(kind).startswith(said)


@pytest.mark.parametrize("kind", [Shout, Plain, Ported, Bad])
def test_what_is_one(kind: object) -> None:
    assert checked(kind) == ""


def test_what_is_installed_and_broken_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> tuple[Found, ...]:
        raise ConfigError([Problem("acme 1.0", 0, 0, "entry point", "no")])

    monkeypatch.setattr("ccr.adapters.plugins.registry.installed_transformers", broken)
    made = Registry()
    files = (TransformerFile("/nowhere/t.py", where="transformers[0]"),)

    assert "maxtoken" in made.names()
    with pytest.raises(ConfigError) as caught:
        made.configured(Settings(transformers=files))
    assert [problem.path for problem in caught.value.problems] == ["entry point", "transformers[0].path"]
