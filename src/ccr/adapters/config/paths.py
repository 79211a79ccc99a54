"""Where our files are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

__all__ = ["Paths"]


@frozen
class Paths:
    """``home`` is ``~/.claude-code-router`` or ``CCR_HOME``; ``config`` is its ``config.json`` or ``CCR_CONFIG``."""

    home: Path
    config: Path
    claude_projects: Path
    """Where Claude Code keeps its transcripts, a folder a project."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Paths:
        """From the environment; nothing is created. Raises RuntimeError when there is no home directory at all."""
        user = Path(environ["HOME"]) if environ.get("HOME") else Path.home()

        def path(text: str) -> Path:
            text = str(user) + text[1:] if text == "~" or text.startswith("~/") else text
            return Path(text).absolute()

        home = path(environ["CCR_HOME"]) if environ.get("CCR_HOME") else user / ".claude-code-router"
        config = path(environ["CCR_CONFIG"]) if environ.get("CCR_CONFIG") else home / "config.json"
        claude = path(environ["CLAUDE_CONFIG_DIR"]) if environ.get("CLAUDE_CONFIG_DIR") else user / ".claude"
        return cls(home, config, claude / "projects")

    @property
    def logs(self) -> Path:
        """Log files, unless ``Logging.logDirectory`` says otherwise."""
        return self.home / "logs"

    @property
    def state(self) -> Path:
        """What a running gateway leaves for others and for its next start."""
        return self.home / "state"

    @property
    def pid_file(self) -> Path:
        """The pid of the running parent, decimal. Not the ancestor's file: both may be installed."""
        return self.state / "ccr.pid"

    @property
    def lock_file(self) -> Path:
        """Held by whoever starts or runs the gateway."""
        return self.state / "ccr.lock"

    @property
    def socket(self) -> Path:
        """The meeting point of parent and workers. A path over 107 bytes cannot be a Unix socket."""
        return self.state / "ccr.sock"

    @property
    def learned_file(self) -> Path:
        """What was learned of providers' complaints (JSON)."""
        return self.state / "learned.json"
