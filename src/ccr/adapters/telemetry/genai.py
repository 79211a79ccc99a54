"""Names of the OpenTelemetry GenAI conventions, as literals.

They are in development and move (core 1.42, June 2026, handed them to their own repository), so no package of constants
is imported. As of November 2026.
"""

from __future__ import annotations

__all__ = [
    "AGENT_ID",
    "AGENT_NAME",
    "CACHE_READ",
    "CACHE_WRITE",
    "CONVERSATION",
    "DURATION",
    "ERROR_TYPE",
    "FINISH",
    "FIRST_CHUNK",
    "INPUT_TOKENS",
    "MAX_TOKENS",
    "OPERATION",
    "OUTPUT_TOKENS",
    "PROVIDER",
    "REASONING_TOKENS",
    "REQUEST_MODEL",
    "STATUS",
    "STREAM",
    "TOKENS",
    "TOKEN_TYPE",
    "provider_name",
]

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
MAX_TOKENS = "gen_ai.request.max_tokens"
STREAM = "gen_ai.request.stream"
FINISH = "gen_ai.response.finish_reasons"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE = "gen_ai.usage.cache_write.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
CONVERSATION = "gen_ai.conversation.id"
AGENT_ID = "gen_ai.agent.id"
AGENT_NAME = "gen_ai.agent.name"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105  # a name, not a secret
ERROR_TYPE = "error.type"
STATUS = "http.response.status_code"

DURATION = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"

_NAMES = {
    "gemini": "gcp.gemini",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "vertex": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "xai": "x_ai",
}


def provider_name(name: str) -> str:
    """Return the convention's name of a provider; unknown ones keep theirs, in lower case."""
    lowered = name.lower()
    return _NAMES.get(lowered, lowered)
