"""What the audit of the supply chain tells, on made-up locks, files and reports; the last one on our own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SHA = "a" * 64
GOOD = f"""# made by make lock
foo==1.0 \\
    --hash=sha256:{SHA}
    # via ccr
Bar_baz==2 ; sys_platform == 'win32' \\
    --hash=sha256:{SHA}
"""
SHIM = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    "enabled and __import__('_distutils_hack').add_shim(); \n"
)


@pytest.fixture(scope="module")
def supply() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("tools_supply", ROOT / "tools/supply.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_a_lock_is_read(supply: ModuleType) -> None:
    assert [(pin.name, pin.version, pin.hashes) for pin in supply.pins(GOOD)] == [
        ("foo", "1.0", {SHA}),
        ("bar-baz", "2", {SHA}),
    ]
    assert supply.wrong_in_lock(GOOD) == []


@pytest.mark.parametrize(
    "line, says",
    [
        ("foo==1.0", "no sha256"),
        (f"foo>=1.0 --hash=sha256:{SHA}", "not a pinned"),
        ("foo==1.0 --hash=sha256:abc", "no sha256"),
        (f"foo==1.0 --hash=md5:{SHA[:32]}", "no sha256"),
        (f"foo @ https://h.example/foo.whl --hash=sha256:{SHA}", "an address"),
        ("--index-url https://h.example/simple", "an address"),
        ("-i simple", "an address"),
        ("-e .", "an address"),
        ("--extra-index-url x", "an address"),
        ("--trusted-host x", "an address"),
    ],
)
def test_anything_else_in_a_lock_is_told(supply: ModuleType, line: str, says: str) -> None:
    assert says in " ".join(supply.wrong_in_lock(f"{GOOD}{line}\n"))


def test_an_empty_lock_is_no_lock(supply: ModuleType) -> None:
    assert supply.wrong_in_lock("# nothing\n") == ["the lock is empty"]


def test_only_known_code_runs_at_the_start(supply: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "distutils-precedence.pth").write_text(SHIM)
    (tmp_path / "_editable_impl_ccr.pth").write_text("/home/me/ccr/src\n")
    (tmp_path / "innocent.py").write_text("")

    assert supply.strange_at_start(tmp_path, Path("/home/me/ccr/src")) == []
    assert len(supply.strange_at_start(tmp_path)) == 1
    assert len(supply.strange_at_start(tmp_path, Path("/elsewhere"))) == 1


@pytest.mark.parametrize(
    "name, text",
    [
        ("some_init.pth", "import os"),
        ("distutils-precedence.pth", "import os; os.system('x')"),
        ("_editable_impl_ccr.pth", "/home/me/ccr/src\nimport os"),
        ("_editable_impl_ccr.pth", "import os"),
        ("harmless.pth", "/some/folder"),
        ("sitecustomize.py", ""),
        ("usercustomize.py", ""),
    ],
)
def test_unknown_code_at_the_start_is_told(supply: ModuleType, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    assert len(supply.strange_at_start(tmp_path, Path("/home/me/ccr/src"))) == 1


def test_a_wheel_brings_its_package_and_nothing_else(supply: ModuleType) -> None:
    good = ["ccr/a.py", "ccr/data.json", "ccr-0.1.0.dist-info/RECORD", "ccr-0.1.0.dist-info/licenses/LICENSE"]
    bad = ["ccr.pth", "ccr/x.pth", "setup.py", "ccr-0.1.0.data/scripts/x", "sitecustomize.py", "tests/a.py"]
    bad += ["ccr/x.so"]

    assert supply.strange_in_wheel(good) == []
    assert supply.strange_in_wheel(good + bad) == bad


def component(name: str = "foo", version: str = "1.0", digest: str = SHA) -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "externalReferences": [{"hashes": [{"alg": "SHA-256", "content": digest}]}],
    }


@pytest.mark.parametrize(
    "components, says",
    [
        ([component(), component("bar-baz", "2")], ""),
        ([component()], "bar-baz is locked, but not listed"),
        ([component(), component("bar.baz", "2"), component("new")], "new is listed, but not locked"),
        ([component(), component("bar-baz", "3")], "bar-baz is listed with another version"),
        (
            [component(digest="b" * 64), component("bar-baz", "2")],
            "foo is listed with another version or other",
        ),
        (None, "foo is locked, but not listed"),
    ],
)
def test_the_list_is_the_lock(supply: ModuleType, components: Any, says: str) -> None:
    told = " ".join(supply.missing_in_sbom({"components": components}, supply.pins(GOOD)))

    assert says in told
    assert bool(told) == bool(says)


def test_a_report_of_holes_is_taken_apart(supply: ModuleType) -> None:
    report = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]},
            {"name": "b", "version": "1", "vulns": []},
            {"name": "c", "skip_reason": "not found"},
        ]
    }

    assert supply.holes_in(report) == (["a 1: CVE-1, mended in 2"], ["c"], 3)
    assert supply.holes_in({}) == ([], [], 0)


def test_our_own_locks_are_in_order(supply: ModuleType) -> None:
    assert supply.check_locks() == []
