"""``$NAME``, ``${NAME}``, ``${NAME:-default}``, ``${file:/path}`` and ``$$`` in the texts of a configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath

from attrs import define, field, frozen

from ccr.adapters.config.problems import Path
from ccr.application.settings.providers import OPEN_HEADERS

__all__ = [
    "MASK",
    "Expansion",
    "Missing",
    "expand",
    "is_secret_name",
    "mask",
    "read_secret_file",
]

MASK = "***"
MAX_SECRET_FILE = 64 * 1024
"""Bytes of a file named by ``${file:...}``: keys and tokens, not archives."""

_REFERENCE = re.compile(r"\$(?:(\$)|([A-Z_][A-Z0-9_]*)|\{([^{}]*)\})")
_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:-)(.*))?", re.DOTALL)
_SECRET_NAME = re.compile(
    r"(?i:api_?key|secret|passw(?:or)?d|token)s?$"
    r"|(?:^|[_.-]|(?<=[a-z])(?=[A-Z]))(?i:key|authorization|credential|cookie)s?$"
)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


@frozen
class Missing:
    """A reference that leads nowhere; ``fatal`` whatever it is used for (a file that cannot be read)."""

    path: Path
    message: str
    hint: str
    fatal: bool = False


@define
class Expansion:
    """The expanded value, what could not be expanded, where values came from and which of them are secret."""

    value: object
    missing: list[Missing] = field(factory=list)
    odd: list[tuple[Path, str]] = field(factory=list)
    origins: dict[Path, str] = field(factory=dict)
    secrets: set[Path] = field(factory=set)


@define
class _Expander:
    environ: Mapping[str, str]
    read_file: Callable[[str], str]
    result: Expansion

    def value(self, value: object, path: Path) -> object:
        if isinstance(value, dict):
            return {key: self.value(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str) and "$" in value:
            return self.text(value, path)
        return value

    def text(self, text: str, path: Path) -> str | None:
        """The expanded text; None when the whole text is one reference that leads nowhere."""
        before = len(self.result.missing)
        expanded = _REFERENCE.sub(lambda found: self.reference(found, path), text)
        whole = _REFERENCE.fullmatch(text) is not None
        return None if whole and len(self.result.missing) > before else expanded

    def reference(self, found: re.Match[str], path: Path) -> str:
        dollar, name, braced = found.groups()
        if dollar:
            return "$"
        if name:
            return self.variable(name, None, path)
        if braced.startswith("file:"):
            return self.file(braced.removeprefix("file:"), path)
        parts = _BRACED.fullmatch(braced)
        if parts is None:
            self.result.odd.append((path, found.group()))
            return found.group()
        return self.variable(parts.group(1), parts.group(3) if parts.group(2) else None, path)

    def variable(self, name: str, default: str | None, path: Path) -> str:
        value = self.environ.get(name, "")
        if value:
            self.result.origins[path] = f"env:{name}"
            if is_secret_name(name):
                self.result.secrets.add(path)
            return value
        if default is None:
            hint = f"export {name}, or write ${{{name}:-default}}; a literal dollar is $$"
            self.result.missing.append(Missing(path, f"the variable {name} is not set", hint))
            return ""
        return default

    def file(self, name: str, path: Path) -> str:
        self.result.secrets.add(path)
        self.result.origins[path] = f"file:{name}"
        home = self.environ.get("HOME", "")
        full = home + name[1:] if name.startswith("~/") and home else name
        try:
            return self.read_file(full)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            message = f"the file {name} cannot be read: {reason}"
            self.result.missing.append(
                Missing(path, message, "check the path and its permissions", fatal=True)
            )
            return ""


def expand(
    value: object, environ: Mapping[str, str], read_file: Callable[[str], str] | None = None
) -> Expansion:
    """Expand every text in ``value`` (not keys), once: what a variable holds is not expanded again.

    A variable that is set but empty counts as not set. Never raises.
    """
    result = Expansion(value)
    result.value = _Expander(environ, read_file or read_secret_file, result).value(value, ())
    return result


def read_secret_file(name: str) -> str:
    """The text of a file without its last line end. Raises OSError, or ValueError when it is too large or not text."""
    path = FilePath(name)
    if not path.is_absolute():
        raise ValueError("the path is not absolute")
    with path.open("rb") as file:
        data = file.read(MAX_SECRET_FILE + 1)
    if len(data) > MAX_SECRET_FILE:
        raise ValueError(f"it has more than {MAX_SECRET_FILE} bytes")
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None


def is_secret_name(name: str) -> bool:
    """Whether a key or variable of this name is expected to hold a secret."""
    return _SECRET_NAME.search(name) is not None


def mask(value: object, secrets: set[Path], path: Path = ()) -> object:
    """A copy in which secrets are ``***``: by path, by the name of the key, in headers, and user names in URLs."""
    if isinstance(value, dict):
        headers = path[-1:] == ("headers",)
        return {
            key: _masked(item)
            if is_secret_name(str(key)) or (headers and str(key).lower() not in OPEN_HEADERS)
            else mask(item, secrets, (*path, key))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [mask(item, secrets, (*path, index)) for index, item in enumerate(value)]
    if isinstance(value, str):
        return MASK if path in secrets and value else _USER_INFO.sub(MASK, value)
    return value


def _masked(value: object) -> object:
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return MASK if isinstance(value, str) and value else value
