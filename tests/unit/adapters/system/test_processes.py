from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ccr.adapters.system.processes import Adopted, describe_exit, resident, wait_a_little


def _child(code: str) -> Adopted:
    """A child that our subprocess module knows nothing of, as after ``exec``."""
    return Adopted(os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ))


def test_the_exit_code_of_a_child_from_before_is_known() -> None:
    child = _child("raise SystemExit(7)")

    assert child.wait() == 7
    assert child.poll() == 7
    child.terminate()  # its number may be another's by now: nothing is sent


def test_it_can_be_waited_for_and_ended() -> None:
    child = _child("import time; time.sleep(60)")

    assert child.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.01)
    wait_a_little(child, 0.01)
    child.terminate()
    assert child.wait() == -15


def test_it_can_be_killed() -> None:
    child = _child("import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)")

    child.kill()

    assert child.wait() == -9


def test_a_child_that_somebody_else_has_waited_for_has_ended() -> None:
    child = _child("pass")
    os.waitpid(child.pid, 0)

    assert child.poll() == 0


@pytest.mark.parametrize(
    "code, said", [(0, "exit code 0"), (78, "exit code 78"), (-9, "signal SIGKILL"), (-99, "signal 99")]
)
def test_an_end_has_a_name(code: int, said: str) -> None:
    assert describe_exit(code) == said


def test_the_memory_of_a_process_is_known() -> None:
    assert resident(os.getpid()) > 1_000_000
    assert resident(2**30) == 0
