"""Where requests go, and why."""
