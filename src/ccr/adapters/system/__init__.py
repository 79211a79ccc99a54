"""The machine: clock, ids, chance, processes and ports, the parent's socket, Claude Code's own files."""
