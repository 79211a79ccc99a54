from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from ccr.adapters.plugins.entry_points import GROUP, installed_transformers
from ccr.domain.errors import ConfigError

GOOD = """
from ccr.application.ports.transformer import Transformer

class Shout(Transformer):
    name = "shout"
    def request(self, conversation, to):
        return conversation

class Again(Shout):
    def payload(self, payload, to):
        return payload

other = 5
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "acme_plugin.py").write_text(GOOD)
    (tmp_path / "acme_broken.py").write_text("x = 1\nraise ValueError('no')\n")
    (tmp_path / "acme_syntax.py").write_text("x = 1\ndef f(:\n")
    info = tmp_path / "acme_ccr-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-ccr\nVersion: 1.2\n")
    yield tmp_path
    for name in ("acme_plugin", "acme_broken", "acme_syntax"):
        sys.modules.pop(name, None)


def points(package: Path, **values: str) -> list[EntryPoint]:
    distribution = Distribution.at(package / "acme_ccr-1.2.dist-info")
    made = [EntryPoint(name, value, GROUP) for name, value in values.items()]
    return [point._for(distribution) for point in made]  # type: ignore[attr-defined]


def problems(given: list[EntryPoint]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        installed_transformers(given)
    return [str(problem) for problem in caught.value.problems]


def test_what_another_package_ships(package: Path) -> None:
    (found,) = installed_transformers(points(package, shout="acme_plugin:Shout"))

    assert (found.name, found.origin, found.kind.__name__) == ("shout", "acme-ccr 1.2", "Shout")


def test_a_package_that_nobody_knows(package: Path) -> None:
    (found,) = installed_transformers([EntryPoint("shout", "acme_plugin:Shout", GROUP)])

    assert found.origin == "an unknown package"


def test_the_same_class_by_two_names_is_one(package: Path) -> None:
    assert len(installed_transformers(points(package, a="acme_plugin:Shout", b="acme_plugin:Shout"))) == 1


@pytest.mark.parametrize(
    "value,said",
    [
        ("acme_broken:X", "acme_broken.py:2: ValueError: no"),
        ("acme_syntax:X", "acme_syntax.py:2: SyntaxError"),
        ("acme_plugin:Missing", "AttributeError"),
        ("acme_nothing:X", "ModuleNotFoundError"),
        ("acme_plugin:other", "5 is not a class"),
    ],
)
def test_what_does_not_load_is_told_with_file_and_line(package: Path, value: str, said: str) -> None:
    (problem,) = problems(points(package, bad=value))

    assert problem.startswith("acme-ccr 1.2")
    assert "entry point ccr.transformers 'bad'" in problem
    assert said in problem


def test_two_of_one_name(package: Path) -> None:
    (problem,) = problems(points(package, a="acme_plugin:Shout", b="acme_plugin:Again"))
    assert "acme-ccr 1.2 has a transformer 'shout' too" in problem


def test_what_is_installed_here() -> None:
    assert installed_transformers() == ()
