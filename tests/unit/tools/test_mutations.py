from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parents[3] / "tools/mutations.py"


@pytest.fixture(scope="module")
def mutations() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("tools_mutations", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize(
    "source, mutants",
    [
        ("a == b", {"a != b", "pass"}),
        ("x = a < 1", {"pass", "x = a <= 1", "x = a >= 1", "x = a < 2", "x = a < 0"}),
        ("x = a and b", {"pass", "x = a or b", "x = a", "x = b"}),
        ("x = not a", {"pass", "x = a"}),
        ("x = True", {"pass", "x = False"}),
        ("x = b'a'", {"pass", "x = b''", "x = b'ax'"}),
        ("x = a + b", {"pass", "x = a - b", "x = a", "x = b"}),
        ("x += 1", {"pass", "x = 1", "x += 2", "x += 0"}),
        ("x, y = (a, b)", {"pass", "x, = (a,)", "y, = (b,)", "x, y = (b,)", "x, y = (a,)"}),
        ("f(a, k=b)", {"pass", "f(a)", "a"}),
        ("f(a, b)", {"pass", "f(a)"}),
        ("a.f(b)", {"pass", "a", "b"}),
        ("x = {'': a, **b}", {"pass", "x = {**b}", "x = {'': a}", "x = {'x': a, **b}"}),
        ("def f():\n    return a", {"def f():\n    pass", "def f():\n    return"}),
        ("if a:\n    raise", {"if True:\n    raise", "if False:\n    raise", "if a:\n    pass"}),
        ("x = a if b else c", {"pass", "x = a if True else c", "x = a if False else c"}),
        ("x = [a for a in b if c]", {"pass", "x = [a for a in b]"}),
        ("try:\n    f()\nexcept E:\n    g()", {"if True:\n    f()"}),
        ("match a:\n    case 1 if b:\n        f()", {"match a:\n    case 1 if True:\n        f()"}),
    ],
)
def test_each_change_is_made_by_itself(mutations: ModuleType, source: str, mutants: set[str]) -> None:
    made = {mutant.source for mutant in mutations.make_mutants(source)}
    assert mutants <= made
    assert source not in made


def test_what_does_not_run_stays(mutations: ModuleType) -> None:
    source = (
        '"""Prose."""\nimport a\n__all__ = ["b"]\nif TYPE_CHECKING:\n    c = 1\nassert d == 1, "e"\nf: int'
    )
    assert mutations.make_mutants(source) == []


def test_a_mutant_says_where_it_is(mutations: ModuleType) -> None:
    mutant, *_ = mutations.make_mutants("a = b\n\nc = d")[1:]
    assert (mutant.line, mutant.before, mutant.after) == (3, "c = d", "pass")


def test_of_something_long_it_says_what_differs(mutations: ModuleType) -> None:
    names = [f"n{number}" for number in range(200)]
    made = mutations.make_mutants(f"x = [{', '.join(names)}]")
    (mutant,) = [
        one for one in made if "n198" in one.before and "n198" not in one.after and len(one.after) > 4
    ]
    assert mutant.before.startswith("...")
    assert mutant.after.endswith("n197, n199]")
