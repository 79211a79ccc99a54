from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest

from ccr.adapters.plugins.files import configured_transformers
from ccr.adapters.plugins.registry import Registry
from ccr.application.settings import Settings, TransformerFile
from ccr.domain.errors import ConfigError

GOOD = '''
from typing import ClassVar

from attrs import define

from ccr.application.ports.transformer import Transformer


@define(frozen=True)
class Shout(Transformer):
    """Say it loud."""

    name: ClassVar[str] = "shout"
    times: int = 1

    def payload(self, payload, to):
        return payload.with_("shout", self.times)


class Hush:
    name = "hush"

    def request(self, conversation, to):
        return conversation


class _Helper(Shout):
    pass


class Constant:
    value = 5
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "plugins"
    place.mkdir(mode=0o755)
    return place


def write(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(0o644)
    return path


def settings(*paths: Path | str, **options: object) -> Settings:
    files = tuple(
        TransformerFile(str(path), options, f"transformers[{index}]") for index, path in enumerate(paths)
    )
    return Settings(transformers=files, source="/etc/ccr/config.json")


def problems(*paths: Path | str, **options: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        configured_transformers(settings(*paths, **options))
    return [f"{problem.path}: {problem.message} ({problem.hint})" for problem in caught.value.problems]


def test_every_class_of_the_file_that_is_a_transformer(folder: Path) -> None:
    path = write(folder, GOOD)
    found = configured_transformers(settings(path, times=3))

    assert [(one.name, one.origin, dict(one.defaults)) for one in found] == [
        ("shout", str(path), {"times": 3}),
        ("hush", str(path), {}),
    ]
    assert found[0].kind.__module__ in sys.modules


def test_the_registry_has_them_and_each_load_is_anew(folder: Path) -> None:
    path = write(folder, GOOD)
    base = Registry(plugins=())
    first = base.configured(settings(path))
    write(folder, GOOD.replace('"hush"', '"calm"'))
    second = base.configured(settings(path))

    assert {"shout", "hush", "maxtoken"} <= set(first.names())
    assert "calm" in second.names()
    assert "hush" not in second.names()
    assert "shout" not in base.names()


def test_what_is_loaded_goes_with_its_registry(folder: Path) -> None:
    before = set(sys.modules)
    made: Registry | None = Registry(plugins=()).configured(settings(write(folder, GOOD)))
    (module,) = set(sys.modules) - before
    assert module.startswith("ccr_transformers_")

    del made
    gc.collect()
    assert module not in sys.modules


def test_a_path_is_meant_from_the_configurations_folder(folder: Path) -> None:
    write(folder, GOOD)
    here = Settings(
        transformers=(TransformerFile("plugins/mine.py"),), source=str(folder.parent / "config.json")
    )

    assert len(configured_transformers(here)) == 2


@pytest.mark.parametrize(
    "text,said",
    [
        ("x = 1\nimport nothing_of_this_name\n", ":2: ModuleNotFoundError: No module named"),
        ("def f(:\n", ":1: SyntaxError"),
        ("import sys\nsys.exit(3)\n", ":2: RuntimeError: it calls sys.exit()"),
        ("x = 1\n", ": defines no transformer (a class with a `name` and a hook"),
        ('class A:\n    name = "a"\n\n    def other(self): ...\n', ":4: A has none of the hooks"),
        ('class A:\n    name = "a"\n', ": A has none of the hooks"),
        (
            "from ccr.application.ports.transformer import Transformer\n\nclass A(Transformer):\n    pass\n",
            "A has no `name`",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_told_with_its_line(folder: Path, text: str, said: str) -> None:
    path = write(folder, text)
    modules = set(sys.modules)
    (problem,) = problems(path)

    assert problem.startswith(f"transformers[0].path: {path}")
    assert said in problem
    assert not set(sys.modules) - modules


@pytest.mark.parametrize(
    "mode,folder_mode,said",
    [
        (0o664, 0o755, "can be written by others (chmod go-w "),
        (0o646, 0o755, "can be written by others (chmod go-w "),
        (0o644, 0o775, "its folder can be written by others"),
        (0o644, 0o757, "its folder can be written by others"),
    ],
)
def test_a_file_that_somebody_else_could_have_written_is_refused(
    folder: Path, mode: int, folder_mode: int, said: str
) -> None:
    path = write(folder, "raise RuntimeError('it was run')\n")
    path.chmod(mode)
    folder.chmod(folder_mode)
    (problem,) = problems(path)

    assert said in problem
    assert "it was run" not in problem


def test_a_link_into_a_folder_that_others_can_write_is_refused(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    write(elsewhere, "raise RuntimeError('it was run')\n").chmod(0o644)
    link = folder / "link.py"
    link.symlink_to(elsewhere / "mine.py")
    (problem,) = problems(link)

    assert "its folder can be written by others" in problem
    assert str(elsewhere) in problem

    elsewhere.chmod(0o755)
    assert "it was run" in problems(link)[0]


def test_a_file_of_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(folder, GOOD)
    if os.geteuid() == 0:
        os.chown(path, 54320, -1)
    monkeypatch.setattr("os.geteuid", lambda: 54321)

    assert "belongs to another user" in problems(path)[0]


def test_what_is_no_file(folder: Path) -> None:
    (folder / "inner").mkdir(mode=0o755)
    assert "cannot be read: No such file or directory" in problems(folder / "none.py")[0]
    assert "transformers[0].path" in problems(folder / "inner")[0]


def test_every_problem_at_once(folder: Path) -> None:
    assert len(problems(folder / "none.py", write(folder, "x"), write(folder, GOOD, "good.py"))) == 2


def test_an_option_that_no_class_has(folder: Path) -> None:
    class_only = GOOD[: GOOD.index("class Hush")]
    (problem,) = problems(write(folder, class_only), tims=1)

    assert problem.startswith("transformers[0].options: ")
    assert "no transformer of this file has the option 'tims'; did you mean 'times'?" in problem
    assert "option 'zzz' " in problems(write(folder, class_only), zzz=1)[0]


def test_a_class_that_takes_anything_gets_everything(folder: Path) -> None:
    text = "class A:\n    name = 'a'\n    def __init__(self, options): ...\n    def request(self, c, to): return c\n"
    (found,) = configured_transformers(settings(write(folder, text), anything=1))

    assert found.defaults == {"anything": 1}


def test_two_files_with_the_same_name(folder: Path) -> None:
    (first, second) = problems(write(folder, GOOD), write(folder, GOOD, "other.py"))
    assert "the transformer 'shout' is defined by " in first
    assert "'hush'" in second
