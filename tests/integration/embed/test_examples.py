"""What the documentation shows, run as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
PRINTED = {
    "embed_converse.py": "You said: Hello, gateway\n",
    "embed_fold.py": "end_turn 12 tokens\nunknown_model: unknown provider 'nobody'; known providers: demo\n",
    "embed_mount.py": "lifespan.startup.complete\nthe host's own page\n200 You said: Hello\n",
}


def test_every_example_is_run() -> None:
    assert sorted(PRINTED) == sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", PRINTED)
def test_the_example_prints_what_the_page_says(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, PRINTED[name]), done.stderr
    assert list(tmp_path.iterdir()) == []
