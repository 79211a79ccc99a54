from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccr.adapters.logs.setup import Logs
from ccr.adapters.wire import json
from ccr.application.settings import LogSettings
from ccr.domain.errors import Problem

SECRET = "canary-of-no-known-shape"


def make(stream: io.StringIO) -> Logs:
    return Logs(lambda: datetime(2026, 11, 24, tzinfo=UTC), stream)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logs(stream: io.StringIO) -> Iterator[Logs]:
    made = make(stream)
    yield made
    made.close()


def lines(directory: Path) -> list[dict[str, object]]:
    found = [
        json.decode(line) for path in sorted(directory.iterdir()) for line in path.read_bytes().splitlines()
    ]
    return [line for line in found if isinstance(line, dict)]


def test_before_the_first_settings_lines_go_to_the_terminal(logs: Logs, stream: io.StringIO) -> None:
    logs.logger.info("hello", n=1)

    assert stream.getvalue().endswith("info    hello  n=1\n")


def test_a_line_in_the_file_is_one_json_object(logs: Logs, stream: io.StringIO, tmp_path: Path) -> None:
    logs.configure(LogSettings(), tmp_path, [SECRET], console=False)
    logs.logger.warning("hello", n=1, text=f"x {SECRET}", headers={"authorization": "y"})
    logs.close()

    (line,) = lines(tmp_path)
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {
        "event": "hello",
        "level": "warning",
        "n": 1,
        "text": "x ***",
        "headers": {"authorization": "***"},
    }
    assert stream.getvalue() == ""


def test_half_a_surrogate_pair_and_odd_values_still_make_a_line(logs: Logs, tmp_path: Path) -> None:
    logs.configure(LogSettings(), tmp_path, [], console=False)
    logs.logger.info("odd", text="\ud83d", number=float("nan"), thing=object(), data=b"\xff")
    logs.close()

    assert len(lines(tmp_path)) == 1


@pytest.mark.parametrize(
    "level, written",
    [
        ("trace", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("WARN", ["warning", "error"]),
        ("fatal", []),
        ("silent", []),
        ("nonsense", ["info", "warning", "error"]),
    ],
)
def test_levels_are_those_of_the_ancestor(logs: Logs, tmp_path: Path, level: str, written: list[str]) -> None:
    logs.configure(LogSettings(level=level), tmp_path, [], console=False)
    logs.logger.debug("x")
    logs.logger.info("x")
    logs.logger.warning("x")
    logs.logger.error("x")
    logs.close()

    assert written == [line["level"] for line in lines(tmp_path)] if written else not list(tmp_path.iterdir())


def test_log_false_closes_the_file_and_keeps_the_terminal(
    logs: Logs, stream: io.StringIO, tmp_path: Path
) -> None:
    logs.configure(LogSettings(), tmp_path, [], console=True)
    logs.configure(LogSettings(enabled=False), tmp_path, [], console=True)
    logs.logger.info("hello")

    assert list(tmp_path.iterdir()) == []
    assert "hello" in stream.getvalue()


def test_the_directory_of_the_settings_wins_and_may_change(logs: Logs, tmp_path: Path) -> None:
    logs.configure(LogSettings(), tmp_path / "a", [], console=False)
    logs.logger.info("one")
    logs.configure(LogSettings(directory=str(tmp_path / "b")), tmp_path / "a", [], console=False)
    logs.logger.info("two")
    logs.configure(LogSettings(directory=str(tmp_path / "b")), tmp_path / "a", [], console=False)
    logs.logger.info("three")
    logs.close()

    assert [line["event"] for line in lines(tmp_path / "a")] == ["one"]
    assert [line["event"] for line in lines(tmp_path / "b")] == ["two", "three"]


def test_dropped_lines_are_counted_over_changes_of_the_file(logs: Logs, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    logs.configure(LogSettings(directory=str(tmp_path / "file" / "logs")), tmp_path, [], console=False)
    logs.logger.info("lost")
    logs.close()
    logs.configure(LogSettings(), tmp_path / "b", [], console=False)

    assert logs.dropped == 1


def test_a_fault_says_where_but_not_with_what(logs: Logs, stream: io.StringIO) -> None:
    def broken(prompt: str) -> None:
        raise ValueError(f"not a number near sk-0123456789abcdef {len(prompt)}")

    try:
        broken("a prompt that must not be seen")
    except ValueError as error:
        logs.fault("custom router", error)

    written = stream.getvalue()
    assert 'place="custom router" error=ValueError message="not a number near *** 30"' in written
    assert "test_setup.py:" in written
    assert "in broken" in written
    assert "must not be seen" not in written


def test_problems_of_the_configuration_are_logged_by_severity(logs: Logs, stream: io.StringIO) -> None:
    logs.problem(Problem("config.json", 3, 1, "Router.default", "unknown provider"))
    logs.problem(Problem("config.json", 4, 1, "Routr", "unknown key", severity="warning"))

    first, second = stream.getvalue().splitlines()
    assert " error " in first
    assert "Router.default" in first
    assert " warning " in second


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("I/O operation on closed file")])
def test_a_terminal_that_is_gone_fails_nothing(tmp_path: Path, error: Exception) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    logs = make(Gone())
    logs.configure(LogSettings(), tmp_path, [], console=True)
    logs.logger.info("one")
    logs.logger.info("two")
    logs.close()

    assert [line["event"] for line in lines(tmp_path)] == ["one", "two"]


def test_a_long_message_is_redacted_before_it_is_cut(logs: Logs, stream: io.StringIO) -> None:
    secret = "no-shape-" * 4
    logs.redactor.know([secret])
    logs.fault("place", RuntimeError("x" * 480 + " " + secret))

    assert "no-shape" not in stream.getvalue()
    assert "***" in stream.getvalue()
