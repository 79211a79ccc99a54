from __future__ import annotations

import pytest

from ccr.domain.errors import ConfigError, Problem
from ccr.entrypoints.cli.output import CommandError, complain, config_failed, emit_json


def test_a_complaint_is_a_sentence_and_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    complain(CommandError("it is broken", "mend it"))

    assert capsys.readouterr().err == "ccr: it is broken\nNext step: mend it\n"


def test_a_configuration_error_is_a_line_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    error = config_failed(
        ConfigError([Problem("f", 1, 2, "PORT", "bad"), Problem("f", 3, 4, "X", "odd", severity="warning")])
    )
    complain(error)

    assert error.code == 78
    assert capsys.readouterr().err.splitlines()[:2] == ["f:1:2: PORT: bad", "warning: f:3:4: X: odd"]


def test_json_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"a": "ü"})

    assert capsys.readouterr().out == '{\n  "a": "ü"\n}\n'
