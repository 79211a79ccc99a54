"""Write the generated pages of the documentation, or with --check say which of them are out of date.

docs/reference/errors.md from src/ccr/domain/errors.py, docs/reference/configuration.md from the schema classes,
docs/reference/transformers.md from the classes of the built-in transformers.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from ccr.adapters.config.reference import markdown
from ccr.adapters.dialects.anthropic.errors import TABLE
from ccr.adapters.plugins.describe import markdown as transformers_page
from ccr.adapters.plugins.registry import Registry
from ccr.adapters.providers.reference import markdown as providers_page
from ccr.domain import errors
from ccr.domain.errors import GatewayError

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"

HEAD = """# Errors

Generated from `src/ccr/domain/errors.py`; do not edit.

Every error has a stable *kind*, which stands in the log line of the request (`error`) and in spans and metrics
(`error.type`). *Speaks against* and *may help* are what the next attempt is decided by: `stop` = nothing helps, `amend` =
the same target with the request changed, `wait` = the same target later, `next` = another target.

The two columns on the right are what a client of the Messages API sees when the words are ours. A provider's own error
reply in the client's dialect goes out with its own status and body; only our key is masked in it.
"""

BRANCHES = {
    errors.CallError: "The client's doing",
    errors.GatewayStateError: "Ours to say",
    errors.UpstreamError: "The provider's doing",
}


def leaves(branch: type[GatewayError]) -> list[type[GatewayError]]:
    """Subclasses in the order in which they are written."""
    found = [
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, branch) and cls is not branch
    ]
    return sorted(found, key=lambda cls: inspect.getsourcelines(cls)[1])


def errors_page() -> str:
    parts = [HEAD]
    for branch, title in BRANCHES.items():
        parts.append(f"## {title}\n")
        parts.append("| Class | Kind | When | Speaks against | May help | Status | `error.type` |")
        parts.append("|---|---|---|---|---|---|---|")
        for cls in leaves(branch):
            status, kind = TABLE[cls.kind]
            when = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
            parts.append(
                f"| `{cls.__name__}` | `{cls.kind}` | {when} | {cls.blast.value} | {cls.remedy.value} |"
                f" {status} | `{kind}` |"
            )
        parts.append("")
    return "\n".join(parts)


PAGES = {
    "errors.md": errors_page,
    "configuration.md": markdown,
    "providers.md": providers_page,
    "transformers.md": lambda: transformers_page(Registry(plugins=()).describe()),
}


def main(arguments: list[str]) -> int:
    stale = []
    for name, make in PAGES.items():
        path, text = REFERENCE / name, make().rstrip() + "\n"
        if path.exists() and path.read_text(encoding="utf-8").rstrip() + "\n" == text:
            continue
        if "--check" in arguments:
            stale.append(str(path.relative_to(ROOT)))
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    if stale:
        print(
            f"drift: {', '.join(stale)} out of date; run {sys.executable} tools/gen_reference.py",
            file=sys.stderr,
        )
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
