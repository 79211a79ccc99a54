"""Log lines: made as events, redacted, written beside the event loop."""
