from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.config.document import Document
from ccr.adapters.config.problems import Problems, format_path, nearest, parse_path


def test_paths_as_people_read_them() -> None:
    assert (
        format_path(("Providers", 0, "transformer", "a/b", "use", 1))
        == 'Providers[0].transformer["a/b"].use[1]'
    )


@given(st.lists(st.integers(0, 99) | st.text(min_size=0, max_size=8)).map(tuple))
def test_a_path_survives_being_written(path: tuple[str | int, ...]) -> None:
    assert parse_path(format_path(path)) == path


@pytest.mark.parametrize(
    "name, near", [("router", "Router"), ("Provider", "Providers"), ("zzz", ""), ("PROT", "PORT")]
)
def test_the_nearest_known_name(name: str, near: str) -> None:
    assert nearest(name, ["Router", "Providers", "PORT"]) == near


def test_a_problem_points_into_the_text_even_when_the_value_was_moved() -> None:
    problems = Problems("c.json", Document.of("{\n  providers: [{ }]\n}"), {("Providers",): ("providers",)})
    problems.warn(("Providers", 0), "later")
    problems.error(("Providers", 0, "name"), "missing", "say it")
    assert str(problems.errors[0]) == "c.json:2:15: providers[0].name: missing (say it)"
    assert [problem.message for problem in problems.warnings] == ["later"]
