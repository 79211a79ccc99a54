from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from ccr.adapters.providers.entry_points import GROUP, entry_point_providers, installed_providers
from ccr.domain.errors import ConfigError

FILE = """
name = "{name}"
hosts = ["{name}.test"]

[[endpoints]]
dialect = "openai_chat"
url = "https://{name}.test/v1/chat/completions"
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory on the path; what was imported from it is forgotten."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def package(site: Path, name: str, value: str, **files: str) -> EntryPoint:
    """An installed distribution ``name`` 1.2 with one package and one entry point; its entry point."""
    folder = site / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    for file, text in files.items():
        (folder / f"{file}.toml").write_text(text)
    info = site / f"{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {value}\n")
    return Distribution.at(info).entry_points[name]


def test_a_file_or_all_files_of_a_package(site: Path) -> None:
    one = package(site, "acme", "acme:big.toml", big=FILE.format(name="big"), small=FILE.format(name="small"))
    all_of = package(site, "zeta", "zeta", b=FILE.format(name="b"), a=FILE.format(name="a"))

    found = entry_point_providers([all_of, one])

    assert [(spec.name, spec.origin, origin) for spec, origin in found] == [
        ("big", "acme 1.2", "acme 1.2"),
        ("a", "zeta 1.2", "zeta 1.2"),
        ("b", "zeta 1.2", "zeta 1.2"),
    ]


def test_what_is_installed_is_found_and_ours_wins(site: Path) -> None:
    package(site, "acme", "acme", acme=FILE.format(name="acme"), openai=FILE.format(name="OpenAI"))

    book = installed_providers()

    acme, ours = book.by_url("https://acme.test/v1/chat/completions"), book.by_name("openai")
    assert acme is not None
    assert ours is not None
    assert (acme.origin, ours.origin) == ("acme 1.2", "ccr")
    assert book.warnings == ("provider 'OpenAI' of acme 1.2 is left out: ccr has one of that name",)


@pytest.mark.parametrize(
    "text, line, words",
    [
        ('name = "x"\nhosts = [', 0, "end of document"),
        ('name = "x"\nhosts = 1 1', 2, "line 2"),
        ('name = "x"\nwheels = 4', 0, "wheels"),
        ('name = "x"\n[profiles."*"]\nreasoning = "hard"', 0, "hard"),
    ],
)
def test_a_broken_file_names_the_distribution_the_file_and_the_line(
    site: Path, text: str, line: int, words: str
) -> None:
    point = package(site, "acme", "acme", bad=text)

    with pytest.raises(ConfigError) as caught:
        entry_point_providers([point])

    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == ("acme 1.2: bad.toml", line)
    assert words in problem.message


def test_everything_that_is_broken_is_said_at_once(site: Path) -> None:
    points = [
        package(site, "a_gone", "a_gone:missing.toml"),
        package(site, "b_empty", "b_empty"),
        package(site, "c_raises", "c_raises"),
        package(site, "d_nowhere", "nowhere_at_all:x.toml"),
        EntryPoint("e", "nowhere_either", GROUP),
    ]
    (site / "c_raises" / "__init__.py").write_text("1 / 0")

    with pytest.raises(ConfigError) as caught:
        entry_point_providers(points)

    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == 5
    assert "a_gone 1.2: missing.toml" in told[0]
    assert "has no *.toml" in told[1]
    assert "ZeroDivisionError" in told[2]
    assert "d_nowhere 1.2" in told[3]
    assert "an unknown package" in told[4]
