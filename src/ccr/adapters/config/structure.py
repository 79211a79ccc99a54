"""Plain values into the classes of ``schema``, by cattrs, every mistake at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import attrs
from cattrs import BaseValidationError, ClassValidationError, Converter
from cattrs.errors import AttributeValidationNote
from cattrs.gen import make_dict_structure_fn, override

from ccr.adapters.config.problems import Path, Problems
from ccr.adapters.config.schema.keys import Key, Kind, keys_of
from ccr.adapters.config.schema.providers import KeyEntry, Use, UseBlock
from ccr.application.settings.routes import MOST_WEIGHT, Several, WrongRouteError, route
from ccr.domain.secret import Secret

__all__ = ["structure"]

_T = TypeVar("_T")
_MISSING = " is missing"
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_REQUIRED_HINTS = {"api_base_url": "the full endpoint, such as https://api.example.com/v1/chat/completions"}


class _WrongError(ValueError):
    """What is wrong inside one value: sub-path, message and hint of each part. Never holds the value of a secret."""

    def __init__(
        self, message: str = "", hint: str = "", parts: Iterable[tuple[Path, str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.parts = list(parts) or [((), message, hint)]


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "a text" if value else "an empty text"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


def _expected(what: str, value: object, hint: str = "") -> _WrongError:
    return _WrongError(f"should be {what}, is {_kind(value)}", hint)


def _text(value: object, key: Key) -> str:
    if not isinstance(value, str):
        raise _expected("a text", value, "put it in quotes" if isinstance(value, int | float) else "")
    if key.choices and value and value not in key.choices:
        near = get_close_matches(value.lower(), key.choices, n=1, cutoff=0.5)
        raise _WrongError(
            f"should be one of {', '.join(key.choices)}", f"did you mean {near[0]}?" if near else ""
        )
    if key.pattern and value and not re.fullmatch(key.pattern, value):
        raise _WrongError(f"does not look like {key.pattern}")
    return value


def _boolean(value: object, _key: Key) -> bool:
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    if not isinstance(value, bool):
        raise _expected("true or false", value)
    return value


def _integer(value: object, key: Key) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e18:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _expected("a whole number", value)
    least = 0 if key.least is None and key.kind is Kind.MILLIS else key.least
    if (least is not None and value < least) or (key.most is not None and value > key.most):
        upper = f" and at most {key.most}" if key.most is not None else ""
        raise _WrongError(f"should be at least {least}{upper}, is {value}")
    return value


def _texts(value: object, key: Key) -> tuple[str, ...]:
    if key.kind is Kind.NAMES and isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if not isinstance(value, list):
        raise _expected("a list of texts", value, "put it in [ ]" if isinstance(value, str) else "")
    wrong = [
        ((i,), f"should be a text, is {_kind(v)}", "")
        for i, v in enumerate(value)
        if not isinstance(v, str | None)
    ]
    if wrong:
        raise _WrongError(parts=wrong)
    return tuple(item for item in value if item)


def _secret(value: object, key: Key) -> Secret | None:
    return Secret(_text(value, key)) if value != "" else None


def _secrets(value: object, key: Key) -> tuple[KeyEntry, ...]:
    if not isinstance(value, list):
        value = [value]
    made = _each(dict(enumerate(value)), lambda item: _secret_entry(item, key))
    return tuple(entry for entry in made.values() if entry is not None)


def _secret_entry(item: object, key: Key) -> KeyEntry | None:
    weight = 1.0
    if isinstance(item, dict):
        unknown = [name for name in item if name not in ("key", "weight")]
        if unknown or "key" not in item:
            raise _WrongError('should be a text or {"key": "...", "weight": 1}')
        weight = _each({"weight": item.get("weight", 1)}, _weight)["weight"]
        item = item["key"]
    text = _text(item, key).strip() if item is not None else ""
    return KeyEntry(Secret(text), weight) if text else None


def _weight(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MOST_WEIGHT:
        raise _expected(f"a number above 0 and at most {MOST_WEIGHT}", value)
    return float(value)


def _target(value: object, _key: Key) -> str | Several:
    try:
        return route(value)
    except WrongRouteError as error:
        raise _WrongError(parts=error.parts) from None


def _target_map(value: object, key: Key) -> dict[str, str | Several]:
    items = {name: item for name, item in _object(value).items() if item is not None}
    return _each(items, lambda item: _target(item, key))


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _expected("an object { }", value)
    return value


def _text_map(value: object, _key: Key) -> dict[str, str]:
    items = _object(value)
    wrong = [
        ((k,), f"should be a text, is {_kind(v)}", "")
        for k, v in items.items()
        if not isinstance(v, str | None)
    ]
    if wrong:
        raise _WrongError(parts=wrong)
    return {key: item for key, item in items.items() if item is not None}


def _fidelity(value: object, key: Key) -> dict[str, str]:
    """A text says it of every scenario, whose name is then ``*``."""
    if isinstance(value, str):
        return {"*": _text(value, key)}
    return _each(_object(value), lambda item: _text(item, key))


def _targets_map(value: object, key: Key) -> dict[str, tuple[str, ...]]:
    return _each(_object(value), lambda item: _texts([item] if isinstance(item, str) else item, key))


def _each(items: Mapping[Any, object], make: Callable[[object], _T]) -> dict[Any, _T]:
    """Make every item, and raise for all that failed together."""
    made: dict[Any, _T] = {}
    wrong: list[tuple[Path, str, str]] = []
    for step, item in items.items():
        try:
            made[step] = make(item)
        except (_WrongError, BaseValidationError) as error:
            wrong.extend(((step, *path), message, hint) for path, message, hint in _flatten(error))
    if wrong:
        raise _WrongError(parts=wrong)
    return made


def _list(value: object, key: Key) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise _expected("a list [ ]", value)
    return tuple(_each(dict(enumerate(value)), lambda item: _structure(item, key.of)).values())


def _map(value: object, key: Key) -> dict[str, object]:
    return _each(_object(value), lambda item: _structure(item, key.of))


def _use(value: object, key: Key) -> UseBlock:
    block = _object(value)
    made = _each(block, lambda item: item)
    models = {name: item for name, item in made.items() if name != "use" and item is not None}
    lists = {("use",): block.get("use")} | {(name, "use"): _model_use(item) for name, item in models.items()}
    wrong: list[tuple[Path, str, str]] = []
    uses: dict[Path, tuple[Use, ...]] = {}
    for path, entries in lists.items():
        try:
            uses[path] = _use_list(entries)
        except _WrongError as error:
            for sub, message, hint in error.parts:
                at = path if isinstance(entries, list) or path == ("use",) else path[:1]
                wrong.append(((*at, *sub), message, hint))
    if wrong:
        raise _WrongError(parts=wrong)
    assert key.kind is Kind.USE
    return UseBlock(uses.pop(("use",)), {str(path[0]): entries for path, entries in uses.items()})


def _model_use(item: object) -> object:
    return item.get("use") if isinstance(item, dict) else item if item is not None else ()


def _use_list(entries: object) -> tuple[Use, ...]:
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise _expected('{"use": [...]} with a list', entries, 'for example {"use": ["deepseek"]}')
    return tuple(_each(dict(enumerate(entries)), _use_entry).values())


def _use_entry(entry: object) -> Use:
    name: object = entry
    options: object = {}
    if isinstance(entry, list) and entry and len(entry) <= 2:
        name, options = entry[0], entry[1] if len(entry) == 2 and entry[1] is not None else {}
    if not isinstance(name, str) or not name or not isinstance(options, dict):
        raise _WrongError('should be "name" or ["name", {options}]', "names and options go in pairs")
    return Use(name, options)


_MAKERS: dict[Kind, Callable[[Any, Key], object]] = {
    Kind.TEXT: _text,
    Kind.PATH: _text,
    Kind.URL: _text,
    Kind.TARGET: _target,
    Kind.SECRET: _secret,
    Kind.SECRETS: _secrets,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.MILLIS: _integer,
    Kind.TEXTS: _texts,
    Kind.NAMES: _texts,
    Kind.TEXT_MAP: _text_map,
    Kind.TARGET_MAP: _target_map,
    Kind.TARGETS_MAP: _targets_map,
    Kind.FIDELITY: _fidelity,
    Kind.OBJECT: lambda value, key: _structure(value, key.of),
    Kind.LIST: _list,
    Kind.MAP: _map,
    Kind.USE: _use,
    Kind.FREE: lambda value, _key: value,
    Kind.FREE_OBJECT: lambda value, _key: _object(value),
}


def _structure(value: object, cls: type[Any] | None) -> object:
    assert cls is not None
    given = {key: item for key, item in _object(value).items() if item is not None}
    return _CONVERTER.structure(given, cls)


def _hook(cls: type[Any]) -> Callable[[Mapping[str, Any], Any], Any]:
    def attribute(key: Key) -> Any:
        return override(rename=key.name, struct_hook=lambda value, _: _MAKERS[key.kind](value, key))

    overrides = {key.attribute: attribute(key) for key in keys_of(cls)}
    return make_dict_structure_fn(cls, _CONVERTER, _cattrs_detailed_validation=True, **overrides)


_CONVERTER = Converter(detailed_validation=True)
_CONVERTER.register_structure_hook_factory(lambda cls: attrs.has(cls) and bool(keys_of(cls)), _hook)


def _flatten(error: BaseException) -> list[tuple[Path, str, str]]:
    """Every mistake in an error of cattrs, with its path in the names of the file."""
    if isinstance(error, _WrongError):
        return error.parts
    if isinstance(error, KeyError):
        name = str(error.args[0])
        return [((), f"{name}{_MISSING}", _REQUIRED_HINTS.get(name, ""))]
    assert isinstance(error, ClassValidationError), error
    names = {key.attribute: key.name for key in keys_of(error.cl)}
    found: list[tuple[Path, str, str]] = []
    for inner in error.exceptions:
        note = next(note for note in inner.__notes__ if isinstance(note, AttributeValidationNote))
        step: Path = () if isinstance(inner, KeyError) else (names[note.name],)
        found.extend(((*step, *path), message, hint) for path, message, hint in _flatten(inner))
    return found


def structure(
    value: object, cls: type[_T], problems: Problems, path: Path = (), *, excused: Collection[Path] = ()
) -> _T | None:
    """``value`` as ``cls``; None when something is wrong, which ``problems`` then tells.

    ``excused``: required keys whose absence is told elsewhere (their variable is not set).
    """
    try:
        made = _structure(value, cls)
    except (_WrongError, BaseValidationError) as error:
        for sub, message, hint in _flatten(error):
            if (*path, *sub, message.removesuffix(_MISSING)) in excused:
                continue
            problems.error((*path, *sub), message, hint)
        return None
    assert isinstance(made, cls)
    return made
