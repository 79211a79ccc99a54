"""``Logging``, in both shapes that the ancestor's fork promised."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ccr.adapters.config.schema.keys import Kind, key

__all__ = ["LEVELS", "LoggingBlock"]

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal", "silent")
SIZE = r"\d+[KMG]?"
INTERVAL = r"\d+[smhdw]?"


@frozen
class RequestTracking:
    enabled: bool = key("enabled", Kind.BOOLEAN, "Whether requests are tracked.", default=True)
    details: bool = key("includeDetails", Kind.BOOLEAN, "Whether details are kept.", default=True)
    max_active: int = key(
        "maxActiveRequests", Kind.INTEGER, "Requests tracked at once.", default=1000, least=1
    )
    max_age: int = key("maxContextAge", Kind.MILLIS, "How long one is kept.", default=1_800_000)
    cleanup: bool = key("autoCleanup", Kind.BOOLEAN, "Whether old ones are swept.", default=True)
    cleanup_interval: int = key("cleanupInterval", Kind.MILLIS, "How often.", default=300_000)
    performance: bool = key("trackPerformance", Kind.BOOLEAN, "Whether times are kept.", default=True)


@frozen
class Performance:
    buffer: int = key("bufferSize", Kind.INTEGER, "Bytes buffered.", default=8192, least=512, most=65_536)
    flush: int = key(
        "flushInterval", Kind.MILLIS, "Time between flushes.", default=10_000, least=100, most=60_000
    )
    session_age: int = key(
        "maxSessionAge", Kind.MILLIS, "Age of a session.", default=3_600_000, least=60_000, most=86_400_000
    )


@frozen
class ErrorHandling:
    statistics: bool = key("enableStatistics", Kind.BOOLEAN, "Whether errors are counted.", default=True)
    trends: bool = key("enableTrendAnalysis", Kind.BOOLEAN, "Whether trends are kept.", default=True)
    history: int = key("maxHistorySize", Kind.INTEGER, "Errors remembered.", default=1000, least=0)
    retries: int = key("maxRetries", Kind.INTEGER, "Attempts to write a log line.", default=3, least=0)


@frozen
class LoggingBlock:
    """The log."""

    enabled: bool = key("enabled", Kind.BOOLEAN, "As `LOG`, which wins.", default=True)
    level: str = key("level", Kind.TEXT, "As `LOG_LEVEL`, which wins.", default="", choices=LEVELS)
    directory: str = key(
        "logDirectory", Kind.PATH, "Where the log files are; `<home>/logs` if empty.", default=""
    )
    bodies: bool = key(
        "logBodies",
        Kind.BOOLEAN,
        "Log request and reply bodies. Prompts then stand in the log.",
        later=True,
        default=False,
    )
    rotation: bool = key("enableFileRotation", Kind.BOOLEAN, "Daily files.", default=True, later=True)
    retention: int = key(
        "retentionDays",
        Kind.INTEGER,
        "Days that log files are kept.",
        default=7,
        least=1,
        most=365,
        later=True,
    )
    compatibility: bool = key(
        "enableBackwardCompatibility", Kind.BOOLEAN, "Keep the old log file.", default=True, later=True
    )
    size: str = key("maxFileSize", Kind.TEXT, "Size of one file.", default="100M", pattern=SIZE, later=True)
    interval: str = key(
        "rotationInterval", Kind.TEXT, "Time between files.", default="1d", pattern=INTERVAL, later=True
    )
    compress: bool = key("compressLogs", Kind.BOOLEAN, "Compress old files.", default=True, later=True)
    console: bool = key("consoleOutput", Kind.BOOLEAN, "Log to the terminal too.", default=True, later=True)
    tracking: RequestTracking | None = key(
        "requestTracking", Kind.OBJECT, "Tracking of requests.", of=RequestTracking, later=True
    )
    performance: Performance | None = key("performance", Kind.OBJECT, "Buffers.", of=Performance, later=True)
    errors: ErrorHandling | None = key(
        "errorHandling", Kind.OBJECT, "Statistics of errors.", of=ErrorHandling, later=True
    )
    timestamp: bool = key("timestamp", Kind.BOOLEAN, "Whether lines carry a time.", default=True, later=True)
    service: str = key(
        "serviceName", Kind.TEXT, "Name of the service.", default="claude-code-router", later=True
    )
    version: str = key("version", Kind.TEXT, "Version of the service.", default="", later=True)
    environment: str = key("environment", Kind.TEXT, "Name of the environment.", default="", later=True)
    streams: tuple[object, ...] = key("streams", Kind.FREE, "Targets of the log.", default=(), later=True)
    features: Mapping[str, object] = key(
        "enhancedFeatures", Kind.FREE_OBJECT, "The fork's second shape.", default=dict, later=True
    )
    old: Mapping[str, object] = key(
        "backwardCompatibility", Kind.FREE_OBJECT, "The fork's second shape.", default=dict, later=True
    )
    presets: Mapping[str, object] = key(
        "LoggingPresets", Kind.FREE_OBJECT, "The fork's second shape.", default=dict, later=True
    )
