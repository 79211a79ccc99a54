"""`make audit` and `make sbom`: what we ship is what the lock says, and nothing runs that nobody asked for.

    python tools/supply.py locks      every requirement has a version and hashes, and no address stands in a lock
    python tools/supply.py startup    no code runs at the start of this interpreter but what is known (.pth, sitecustomize)
    python tools/supply.py sbom       dist/ccr.cdx.json, a CycloneDX list of the runtime lock, checked against the lock
    python tools/supply.py holes      known holes in the runtime lock, where the advisory service can be had

All four without an argument. Exits non-zero for what is wrong; `holes` says aloud when it could not look.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LOCK = ROOT / "requirements" / "runtime.txt"
SBOM = ROOT / "dist" / "ccr.cdx.json"

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;\\]+)\s*(?:;(?P<marker>[^\\]*))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})(?![0-9a-f])")
_ADDRESS = re.compile(
    r"://|^\s*-(?!-hash)|--(?:extra-)?index-url|--find-links|--trusted-host|^\s*\S+\s*@", re.MULTILINE
)

KNOWN_PTH = {
    # pip's and venv's own setuptools, the same in every release since 2021.
    "distutils-precedence.pth": "2638ce9e2500e572a5e0de7faed6661eb569d1b696fcba07b0dd223da5f5d224",
    # coverage; does nothing unless COVERAGE_PROCESS_START or _CONFIG is set. Changes with its releases: look, then pin.
    "a1_coverage.pth": "ef2ed06d19867ec669c09a804060666a9cd5e383af0a9d11aa2de79b77d448e8",
}
"""Files that may run code when an interpreter starts, by the digest of what they say."""
_EDITABLE = re.compile(r"(?:_editable_impl|__editable__[.]?)_?ccr.*\.pth")
_AT_START = ("sitecustomize", "usercustomize")


@dataclass(frozen=True)
class Pin:
    """One line of a lock."""

    name: str
    version: str
    hashes: frozenset[str]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> Iterator[Pin]:
    """Raises ValueError for a line that is not a version with its hashes."""
    for block in re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^\s*#.*\n?", "", text)).splitlines():
        if not block.strip():
            continue
        found, hashes = _PIN.match(block.strip()), frozenset(_HASH.findall(block))
        if found is None:
            raise ValueError(f"not a pinned version: {block.strip()[:80]}")
        if not hashes:
            raise ValueError(f"{found['name']} has no sha256")
        yield Pin(normal(found["name"]), found["version"], hashes)


def wrong_in_lock(text: str) -> list[str]:
    told = []
    body = re.sub(r"(?m)^\s*#.*\n?", "", text)
    if _ADDRESS.search(body):
        told.append("an address or an option got into the lock")
    try:
        found = list(pins(text))
    except ValueError as error:
        return [*told, str(error)]
    return told if found else [*told, "the lock is empty"]


def strange_at_start(packages: Path, source: Path | None = None) -> list[str]:
    """What would run at the start of an interpreter with these site-packages and is not known to us.

    ``source``: the one directory that an editable install of ours may add to the path.
    """
    told = []
    for path in sorted(packages.glob("*.pth")):
        data = path.read_bytes()
        if KNOWN_PTH.get(path.name) == hashlib.sha256(data).hexdigest():
            continue
        if source is not None and _EDITABLE.fullmatch(path.name) and data.decode().strip() == str(source):
            continue
        told.append(f"{path.name}: {data[:120]!r}")
    for name in _AT_START:
        told.extend(f"{path.name}: runs at every start" for path in sorted(packages.glob(f"{name}*")))
    return told


def strange_in_wheel(names: Iterable[str], package: str = "ccr") -> list[str]:
    """What a wheel of ours has no business to bring: anything outside its package, and whatever installs itself."""
    return [
        name
        for name in names
        if name.endswith((".pth", ".so", ".exe"))
        or not re.match(rf"{package}/|{package}-[^/]+\.dist-info/", name)
    ]


def missing_in_sbom(sbom: Mapping[str, object], lock: Iterable[Pin]) -> list[str]:
    """Where the list and the lock differ, in either direction, in version or hashes."""
    components = sbom.get("components")
    listed = {}
    for one in components if isinstance(components, list) else ():
        said = {
            digest["content"]
            for reference in one.get("externalReferences", ())
            for digest in reference.get("hashes", ())
            if digest.get("alg") == "SHA-256"
        }
        listed[normal(one["name"])] = Pin(normal(one["name"]), one["version"], frozenset(said))
    locked = {pin.name: pin for pin in lock}
    told = [f"{name} is listed, but not locked" for name in sorted(listed.keys() - locked.keys())]
    told += [f"{name} is locked, but not listed" for name in sorted(locked.keys() - listed.keys())]
    told += [
        f"{name} is listed with another version or other hashes"
        for name in sorted(locked.keys() & listed.keys())
        if locked[name] != listed[name]
    ]
    return told


def holes_in(report: Mapping[str, object]) -> tuple[list[str], list[str], int]:
    """Take pip-audit's report apart: the holes, the packages of which it knows nothing, and how many it was asked for.

    It leaves out what is not for this platform.
    """
    holes: list[str] = []
    unknown: list[str] = []
    dependencies = report.get("dependencies")
    for one in dependencies if isinstance(dependencies, list) else ():
        if "skip_reason" in one:
            unknown.append(str(one["name"]))
        holes += [
            f"{one['name']} {one.get('version', '')}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no release'}"
            for hole in one.get("vulns", ())
        ]
    return holes, unknown, len(dependencies) if isinstance(dependencies, list) else 0


# ------------------------------------------------------------------------------------------- the commands


def check_locks() -> list[str]:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    told = [f"{lock.name}: {what}" for lock in locks for what in wrong_in_lock(lock.read_text())]
    if not told:
        print(f"locks: {', '.join(lock.name for lock in locks)}: pinned, hashed, no address")
    return told


def check_startup() -> list[str]:
    packages = Path(sysconfig.get_path("purelib"))
    told = [f"startup: {what}" for what in strange_at_start(packages, ROOT / "src")]
    if not told:
        print("startup: nothing runs that is not known")
    return told


def make_sbom() -> list[str]:
    SBOM.parent.mkdir(exist_ok=True)
    command = [
        *(str(BIN / "cyclonedx-py"), "requirements", str(LOCK), "--pyproject", str(ROOT / "pyproject.toml")),
        *("--output-reproducible", "--validate", "--of", "JSON", "-o", str(SBOM)),
    ]
    # Its one warning: a lock does not tell who depends on whom.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        return [f"sbom: {done.stderr.strip()[-500:]}"]
    lock = list(pins(LOCK.read_text()))
    told = missing_in_sbom(json.loads(SBOM.read_text()), lock)
    if not told:
        print(f"sbom: {SBOM.relative_to(ROOT)} lists the {len(lock)} packages of the lock with their hashes")
    return [f"sbom: {what}" for what in told]


def look_for_holes() -> list[str]:
    command = [
        *(str(BIN / "pip-audit"), "-r", str(LOCK), "--require-hashes", "--disable-pip"),
        *("--progress-spinner", "off", "--timeout", "15", "-f", "json"),
    ]
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=180)
        report = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return _not_looked("the advisory service did not answer in 180 s")
    except ValueError:
        return _not_looked(done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else "no report")
    holes, unknown, asked = holes_in(report)
    if len(unknown) >= asked:
        return _not_looked("the advisory service knows none of the packages, so it is not the real one")
    if not holes and not unknown:
        print(f"holes: none is known in {asked} packages")
    return [f"holes: {hole}" for hole in holes] + [
        f"holes: nothing could be learnt of {name}" for name in unknown
    ]


def _not_looked(why: str) -> list[str]:
    print(f"holes: SKIPPED, nobody looked for known holes: {why}")
    return []


COMMANDS = {"locks": check_locks, "startup": check_startup, "sbom": make_sbom, "holes": look_for_holes}


def main(names: list[str]) -> int:
    told = [what for name in names or COMMANDS for what in COMMANDS[name]()]
    for what in told:
        print(what, file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
