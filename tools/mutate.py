"""Mutation testing of the stream encoders: every small change of an encoder must make one of its dialect's tests fail.

    python tools/mutate.py                       # the four encoders
    python tools/mutate.py gemini                # one of them
    python tools/mutate.py openai_chat reply_deltas    # another module of a dialect
    python tools/mutate.py gemini --lines 69 82  # only what changes these lines, to see whether a new test kills it

Works on a copy of src and tests, so the working tree is never changed and may change meanwhile. One process a mutant,
forked from one that has imported what the tests need; the mutated source goes in by an import hook.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from mutations import Mutant, make_mutants

ROOT = Path(__file__).resolve().parent.parent
DIALECTS = ("anthropic", "openai_chat", "openai_responses", "gemini")
AT_ONCE = 2
MEMORY = 3 << 30  # a mutant that collects for ever fails, before the machine does
NOT_LOADED = 99
PRELOADED = (
    "anthropic",
    "ccr.adapters.wire.json",
    "ccr.domain.errors",
    "ccr.domain.stream",
    "google.genai.types",
    "hypothesis.strategies",
    "openai.lib.streaming.responses",
    "openai.types.chat",
    "pytest",
)
"""What the tests import and mutant is part of: paid for once."""
OPTIONS = ["-x", "-q", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:randomly"]
OPTIONS += ["--hypothesis-seed=0", "--hypothesis-profile=mutants"]  # the same examples in every run

# -------------------------------------------------------------------------------------------- trying mutants


class Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a text."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self.name, self.path, self.source, self.loaded = name, path, source, False

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        return (
            importlib.machinery.ModuleSpec(fullname, self, origin=str(self.path))
            if fullname == self.name
            else None
        )

    def exec_module(self, module: ModuleType) -> None:
        self.loaded = True
        exec(compile(self.source, self.path, "exec"), module.__dict__)


def run_tests(hook: Hook, stages: list[list[str]], seconds: int) -> int:
    """In a process of its own: 0 if every test passes with the hooked module."""
    import pytest
    from hypothesis import Phase, settings

    # One failing example is enough: it is neither made smaller nor kept for the next mutant.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", max_examples=25, deadline=None, database=None, phases=phases)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.alarm(seconds)  # its default action ends the process
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.meta_path.insert(0, hook)
    for some in stages:
        status = pytest.main([*OPTIONS, *some])
        if status:
            return int(status)
    return 0 if hook.loaded else NOT_LOADED


def spawn(hook: Hook, stages: list[list[str]], seconds: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        status = run_tests(hook, stages, seconds)
    finally:
        os._exit(status)


@dataclass
class Tally:
    killed: int = 0
    timeouts: list[Mutant] = field(default_factory=list)
    survived: list[Mutant] = field(default_factory=list)

    def add(self, mutant: Mutant, wait_status: int) -> None:
        if os.WIFSIGNALED(wait_status) and os.WTERMSIG(wait_status) == signal.SIGALRM:
            self.timeouts.append(mutant)
        elif wait_status == 0:
            self.survived.append(mutant)
            print(f"survived {mutant.line}: {mutant.before}  →  {mutant.after}", file=sys.stderr, flush=True)
        elif os.waitstatus_to_exitcode(wait_status) == NOT_LOADED:
            raise SystemExit("mutate: the tests never import this module")
        else:
            self.killed += 1


def test_stages(tree: Path, dialect: str, module: str) -> list[list[str]]:
    """The module's own tests first: they kill soonest. Then those of its dialect, then those of every dialect."""
    folder = tree / "tests/unit/adapters/dialects"
    own = sorted((folder / dialect).glob(f"test_{module}*.py"))
    others = [path for path in sorted((folder / dialect).glob("test_*.py")) if path not in own]
    stages = [own, [*others, *sorted(folder.glob("test_*.py"))]]
    return [[str(path) for path in stage] for stage in stages if stage]


def try_module(tree: Path, dialect: str, module: str, lines: set[int]) -> Tally:
    path = tree / "src/ccr/adapters/dialects" / dialect / f"{module}.py"
    name, source = f"ccr.adapters.dialects.{dialect}.{module}", path.read_text(encoding="utf-8")
    stages = test_stages(tree, dialect, module)
    began = time.monotonic()
    if os.waitpid(spawn(Hook(name, path, ast.unparse(ast.parse(source))), stages, 600), 0)[1]:
        raise SystemExit(f"mutate: the tests of {dialect} fail without any mutant, or never import {module}")
    seconds = 20 + 5 * round(time.monotonic() - began)
    tally, running = Tally(), dict[int, Mutant]()
    for mutant in make_mutants(source):
        if lines and mutant.line not in lines:
            continue
        if len(running) == AT_ONCE:
            pid, status = os.wait()
            tally.add(running.pop(pid), status)
        running[spawn(Hook(name, path, mutant.source), stages, seconds)] = mutant
    while running:
        pid, status = os.wait()
        tally.add(running.pop(pid), status)
    return tally


def report(title: str, tally: Tally) -> None:
    survived, timeouts = len(tally.survived), len(tally.timeouts)
    print(
        f"{title:34} {tally.killed + survived + timeouts:7} {tally.killed:7} {survived:8} {timeouts:8}",
        flush=True,
    )
    for word, mutants in (("survived", tally.survived), ("timeout", tally.timeouts)):
        for mutant in sorted(mutants, key=lambda mutant: mutant.line):
            print(f"  {word} {title}:{mutant.line}: {mutant.before}  →  {mutant.after}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dialect", nargs="?", choices=DIALECTS)
    parser.add_argument("module", nargs="?", default="write_stream")
    parser.add_argument("--lines", nargs="*", type=int, default=[])
    arguments = parser.parse_args()
    os.nice(10)
    print(f"{'module':34} {'mutants':>7} {'killed':>7} {'survived':>8} {'timeouts':>8}")
    survived = 0
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        tree = Path(folder)
        for top in ("src", "tests"):
            shutil.copytree(
                ROOT / top, tree / top, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
            )
        shutil.copy(ROOT / "pyproject.toml", tree)
        os.chdir(tree)
        sys.path[:0] = [str(tree / "src"), str(tree)]
        plugins = [plugin.module for plugin in importlib.metadata.entry_points(group="pytest11")]
        for name in (*PRELOADED, *plugins):
            importlib.import_module(name)
        for dialect in [arguments.dialect] if arguments.dialect else DIALECTS:
            tally = try_module(tree, dialect, arguments.module, set(arguments.lines))
            report(f"{dialect}/{arguments.module}.py", tally)
            survived += len(tally.survived)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
