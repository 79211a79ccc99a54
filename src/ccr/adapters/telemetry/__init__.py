"""Spans and metrics by the OpenTelemetry GenAI conventions."""
