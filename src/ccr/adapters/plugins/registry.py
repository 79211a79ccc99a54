"""Transformers by name, their options checked."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from attrs import fields
from cattrs import Converter, transform_error
from cattrs.errors import ClassValidationError
from cattrs.v import format_exception

from ccr.adapters.plugins.builtin import LATER, builtin_transformers

if TYPE_CHECKING:
    from ccr.application.ports.transformer import Transformer

__all__ = ["Registry"]

_OPTIONS = "options"


class Registry:
    """:class:`ccr.application.ports.transformer.TransformerRegistry`. Names are matched whatever their case."""

    def __init__(self, classes: Mapping[str, type[Transformer]] | None = None) -> None:
        found = builtin_transformers() if classes is None else classes
        self._classes = dict(sorted(found.items(), key=lambda item: item[0].lower()))
        self._by_lower = {name.lower(): kind for name, kind in self._classes.items()}
        self._converter = _converter()

    def names(self) -> tuple[str, ...]:
        """All names that can be built."""
        return tuple(self._classes)

    def build(self, name: str, options: dict[str, object]) -> Transformer:
        """Return a configured transformer.

        Raises LookupError (unknown name; says which are near) or ValueError (options; or a name that is known and comes
        with a later release). Either message is a sentence for whoever wrote the configuration.
        """
        kind = self._by_lower.get(name.lower())
        if kind is None:
            raise self._unknown(name)
        if getattr(kind, "open_options", False):
            return kind(options=dict(options))  # type: ignore[call-arg]  # a class with open options has this field
        try:
            return self._converter.structure(options, kind)
        except ClassValidationError as error:
            raise ValueError(_explained(name, kind, error, options)) from error

    def _unknown(self, name: str) -> Exception:
        later = LATER.get(name.lower())
        if later is not None:
            return ValueError(f"transformer {name!r} is known but not available in this release: {later}")
        near = get_close_matches(name.lower(), list(self._by_lower), n=3)
        names = [kind.name for kind in map(self._by_lower.__getitem__, near)]
        hint = (
            f"did you mean {' or '.join(map(repr, names))}?"
            if names
            else f"known: {', '.join(self._classes)}"
        )
        return LookupError(f"unknown transformer {name!r}; {hint}")


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


def _explained(
    name: str, kind: type[Transformer], error: ClassValidationError, options: Mapping[str, object]
) -> str:
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
