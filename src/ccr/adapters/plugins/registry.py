"""Transformers by name, their options checked."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import attrs
from attrs import fields
from cattrs import Converter, transform_error
from cattrs.errors import ClassValidationError
from cattrs.v import format_exception

from ccr.adapters.plugins.builtin import builtin_transformers
from ccr.adapters.plugins.describe import described
from ccr.adapters.plugins.entry_points import installed_transformers
from ccr.adapters.plugins.files import configured_transformers
from ccr.adapters.plugins.found import BUILT_IN, Found
from ccr.adapters.plugins.guard import Health, guarded
from ccr.application.contained import Faults, contained
from ccr.domain.errors import ConfigError, Problem
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.ports.transformer import Transformer, TransformerInfo
    from ccr.application.settings import Settings

__all__ = ["Registry"]

_OPTIONS = "options"


class Registry:
    """:class:`ccr.application.ports.transformer.TransformerRegistry`. Names are matched whatever their case.

    What third parties ship is guarded: each has a :class:`ccr.adapters.plugins.guard.Health`, kept until the configuration is
    loaded again. Built-in transformers are not.
    """

    def __init__(
        self,
        classes: Mapping[str, type[Transformer]] | None = None,
        *,
        plugins: Iterable[Found] | None = None,
        faults: Faults | None = None,
        limit: float | None = 0.05,
    ) -> None:
        """``plugins`` None = what is installed (entry points); what is wrong with it, ``configured`` tells. ``limit`` in seconds."""
        built_in = builtin_transformers() if classes is None else classes
        self._broken: list[Problem] = []
        if plugins is None:
            plugins = self._installed() if classes is None else ()
        self._own = dict(built_in)
        self._plugins = tuple(plugins)
        self._faults = faults or Faults()
        found = {name.lower(): Found(name, kind) for name, kind in built_in.items()}
        for one in self._plugins:
            before = found.get(one.name.lower())
            found[one.name.lower()] = evolve(one, replaces=before is not None and before.origin == BUILT_IN)
        self._found = dict(sorted(found.items()))
        self._health = {
            key: Health(one.name, self._faults, limit)
            for key, one in self._found.items()
            if one.origin != BUILT_IN
        }
        self._converter = _converter()

    def configured(self, settings: Settings) -> Registry:
        """Return a registry with the files of the configuration too, all in good health. Raises ConfigError."""
        problems = list(self._broken)
        plugins = self._plugins
        try:
            plugins += configured_transformers(settings)
        except ConfigError as error:
            problems.extend(error.problems)
        if problems:
            raise ConfigError(problems)
        return Registry(self._own, plugins=plugins, faults=self._faults, limit=settings.timeouts.plugin)

    def _installed(self) -> tuple[Found, ...]:
        try:
            return installed_transformers()
        except ConfigError as error:
            self._broken.extend(error.problems)
            return ()

    def names(self) -> tuple[str, ...]:
        """All names that can be built."""
        return tuple(one.name for one in self._found.values())

    def describe(self) -> tuple[TransformerInfo, ...]:
        """Say what there is to say about each, as things stand now."""
        return tuple(described(one, self._health.get(key)) for key, one in self._found.items())

    def warnings(self) -> tuple[str, ...]:
        """Say which plugins fail or were switched off."""
        return tuple(
            f"plugin {one.name!r} {'is switched off' if one.off else 'has failed'}: {one.last}"
            for one in self._health.values()
            if one.off or one.failures
        )

    def build(self, name: str, options: dict[str, object]) -> Transformer:
        """Return a configured transformer.

        Raises LookupError (unknown name; says which are near) or ValueError (options; or a name that is known and comes
        with a later release). Either message is a sentence for whoever wrote the configuration.
        """
        found = self._found.get(name.lower())
        if found is None:
            raise self._unknown(name)
        made = self._made(found, {**found.defaults, **options})
        health = self._health.get(name.lower())
        return made if health is None else guarded(made, health)

    def _made(self, found: Found, options: dict[str, object]) -> Any:
        if found.origin == BUILT_IN:
            return self._structured(found, options)
        # The constructor and the validators of a third party may raise anything.
        with contained("plugin", Faults()) as outcome:
            return self._structured(found, options)
        if isinstance(outcome.error, _WrongOptionsError):
            raise outcome.error
        raise ValueError(f"transformer {found.name!r} ({found.origin}): {outcome.because}") from outcome.error

    def _structured(self, found: Found, options: dict[str, object]) -> Any:
        kind = found.kind
        if getattr(kind, "open_options", False):
            return kind(options=options)
        if not attrs.has(kind):
            return _plain(kind, options)
        try:
            return self._converter.structure(options, kind)
        except ClassValidationError as error:
            raise _WrongOptionsError(_explained(found.name, kind, error, options)) from error

    def _unknown(self, name: str) -> Exception:
        near = get_close_matches(name.lower(), list(self._found), n=3)
        names = [self._found[key].name for key in near]
        hint = (
            f"did you mean {' or '.join(map(repr, names))}?" if names else f"known: {', '.join(self.names())}"
        )
        return LookupError(f"unknown transformer {name!r}; {hint}")


class _WrongOptionsError(ValueError):
    """The configuration's fault, told in full."""


def _plain(kind: type[Any], options: dict[str, object]) -> object:
    """Make one of a class that is no attrs class: by one parameter ``options``, else by a parameter each."""
    return kind(options) if list(inspect.signature(kind).parameters) == [_OPTIONS] else kind(**options)


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True, use_alias=True)
    # cattrs makes true of any text that is not empty, and a number of a boolean.
    converter.register_structure_hook(bool, lambda value, _: _checked(value, bool, "true or false"))
    converter.register_structure_hook(int, lambda value, _: _whole(value))
    converter.register_structure_hook(float, lambda value, _: float(str(_number(value))))
    return converter


def _checked(value: object, kind: type[bool], what: str) -> bool:
    if not isinstance(value, kind):
        raise ValueError(f"must be {what}, not {value!r}")  # noqa: TRY004  # cattrs reports ValueError with its text
    return value


def _number(value: object) -> object:
    """Numbers may come from variables, as text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    raise ValueError(f"must be a number, not {value!r}")


def _whole(value: object) -> int:
    number = float(str(_number(value)))
    if number != int(number):
        raise ValueError(f"must be a whole number, not {value!r}")
    return int(number)


def _explained(name: str, kind: type[Any], error: ClassValidationError, options: Mapping[str, object]) -> str:
    known = [attribute.alias for attribute in fields(kind)]
    problems = "; ".join(transform_error(error, path=_OPTIONS, format_exception=_told))
    stray = [key for key in options if key not in known]
    near = [match for key in stray for match in get_close_matches(key, known, n=1)]
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"transformer {name!r}: {problems}{hint}"


def _told(error: BaseException, kind: type | None) -> str:
    return (
        str(error.args[0]) if isinstance(error, ValueError) and error.args else format_exception(error, kind)
    )
