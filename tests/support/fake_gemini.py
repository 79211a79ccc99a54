"""A scripted Gemini upstream: `POST .../models/M:generateContent|streamGenerateContent`, as strict as Gemini 3.

The first call of every answer is signed, and so is the end of an answer after thinking. What was signed must come back as it
went out; a call that this upstream did not make may carry the documented dummy.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from attrs import evolve
from typing_extensions import override

from tests.support.fake_provider import FakeProvider, RejectedError, pieces
from tests.support.loopback import Recorded
from tests.support.scripts import Failure, Json, Part, Reply, Script, Seen, Text, Thinking, ToolCall, Usage

DUMMY = "skip_thought_signature_validator"

_FIELDS = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent",
     "labels", "model"}
)  # fmt: skip
_CONFIG = frozenset(
    {"temperature", "topP", "topK", "seed", "presencePenalty", "frequencyPenalty", "maxOutputTokens", "stopSequences",
     "responseMimeType", "responseSchema", "responseJsonSchema", "thinkingConfig", "candidateCount",
     "responseModalities", "mediaResolution"}
)  # fmt: skip
_PARTS = frozenset(
    {
        "text",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
    }
)
_BESIDE = frozenset({"thought", "thoughtSignature", "videoMetadata", "mediaResolution"})
_TOOLS = frozenset({"functionDeclarations", "googleSearch", "codeExecution", "urlContext"})
_DECLARED = frozenset({"name", "description", "parameters", "parametersJsonSchema", "response", "behavior"})
_SCHEMA = frozenset(
    {"type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required",
     "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering",
     "default", "items", "minimum", "maximum"}
)  # fmt: skip
_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_PATH = re.compile(r"/models/(.+):(generateContent|streamGenerateContent|countTokens)$")
_LEVELS = frozenset({"minimal", "low", "medium", "high"})
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}  # fmt: skip
_REASONS = {"max_tokens": "MAX_TOKENS", "refusal": "SAFETY"}


_OPAQUE = frozenset(
    {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema"}
)


def _camel(given: Any) -> Any:
    """Names as they are documented: the real one, too, takes them in snake case (protobuf's JSON)."""
    if isinstance(given, list):
        return [_camel(one) for one in given]
    if not isinstance(given, dict):
        return given
    made = {}
    for name, value in given.items():
        key = re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
        made[key] = value if key in _OPAQUE else _camel(value)
    return made


class FakeGemini(FakeProvider):
    """Speaks generateContent, whole and as server-sent events."""

    dialect = "gemini"
    model_path = "/v1beta/models"
    demands_thoughts = True
    """A call that was signed must come back with its signature; false for clients that have no place for it."""

    def __init__(
        self, script: Script, *, key: str = "k", max_tokens: int = 65536, models: tuple[str, ...] = ()
    ) -> None:
        super().__init__(script, key=key, max_tokens=max_tokens, models=models)
        self.signed: dict[str, str] = {}
        """The signature of every call that was signed, by its id."""
        self.signatures: set[str] = set()
        """Every signature that was given."""

    @property
    @override
    def model_requests(self) -> list[Recorded]:
        return [r for r in self.requests if "enerateContent" in r.path]

    @override
    def check_credentials(self, recorded: Recorded) -> None:
        given = recorded.headers.get("x-goog-api-key") or recorded.headers.get("authorization", "")[7:]
        if self.key and given != self.key:
            raise RejectedError("API key not valid. Please pass a valid API key.", 400, "API_KEY_INVALID")

    @override
    def side_reply(self, recorded: Recorded) -> Json | None:
        path, _, query = recorded.path.partition("?")
        if recorded.method == "GET" and path.endswith("/models"):
            return {"models": [{"name": f"models/{name}"} for name in self.models]}
        found = _PATH.search(path)
        if recorded.method != "POST" or found is None:
            raise RejectedError("Not found.", 404)
        if found[2] == "countTokens":
            return {"totalTokens": 100}
        streams = found[2] == "streamGenerateContent"
        if streams and query != "alt=sse":
            raise RejectedError("this upstream streams server-sent events only")
        if isinstance(recorded.json, dict):
            if "stream" in recorded.json:
                raise RejectedError(
                    'Invalid JSON payload received. Unknown name "stream": Cannot find field.'
                )
            body = _camel(recorded.json)
            recorded.json = {**body, "stream": streams, "model": found[1].replace("%2C", ",")}
        return None

    @override
    def check(self, recorded: Recorded) -> None:
        body = recorded.json
        if not isinstance(body, dict):
            raise RejectedError("Invalid JSON payload received.")
        _known(set(body) - {"stream"}, _FIELDS, "")
        if self.models and body.get("model") not in self.models:
            raise RejectedError(f"models/{body.get('model')} is not found for API version v1beta", 404)
        self._check_config(body.get("generationConfig", {}))
        _check_tools(body)
        _check_contents(body.get("contents"))
        self._check_signatures(body["contents"])
        if "systemInstruction" in body:
            _check_parts(body["systemInstruction"].get("parts"), "system_instruction")

    def _check_config(self, config: Json) -> None:
        _known(set(config), _CONFIG, "generation_config.")
        limit = config.get("maxOutputTokens", 1)
        if not isinstance(limit, int) or not 1 <= limit <= self.max_tokens:
            raise RejectedError(f"max_output_tokens must be in the range [1, {self.max_tokens}].")
        if len(config.get("stopSequences", ())) > 5:
            raise RejectedError("The number of stop_sequences must be at most 5.")
        thinking = config.get("thinkingConfig", {})
        _known(set(thinking), {"includeThoughts", "thinkingBudget", "thinkingLevel"}, "thinking_config.")
        if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
            raise RejectedError("You can only set only one of thinking budget and thinking level.")
        if thinking.get("thinkingLevel", "low") not in _LEVELS:
            raise RejectedError("Thinking level is not supported for this model.")
        if (
            "responseSchema" in config or "responseJsonSchema" in config
        ) and "responseMimeType" not in config:
            raise RejectedError("response_schema needs a response mime type: application/json")
        if "responseSchema" in config:
            _check_schema(config["responseSchema"], "response_schema")

    def _check_signatures(self, contents: list[Json]) -> None:
        for at in range(len(contents)):
            calls = [part for part in contents[at]["parts"] if "functionCall" in part]
            for number, part in enumerate(calls):
                sealed, call = part.get("thoughtSignature"), part["functionCall"]
                if sealed is None and number == 0:
                    raise RejectedError(
                        f"Function call is missing a thought_signature in functionCall parts: {call['name']}"
                    )
                wanted = self.signed.get(call.get("id", ""))
                if self.demands_thoughts and wanted is not None and sealed != wanted:
                    raise RejectedError(f"Thought signature is not valid: {call['name']}")
            for part in contents[at]["parts"]:
                if part.get("thoughtSignature", DUMMY) not in {DUMMY, *self.signatures}:
                    raise RejectedError("Thought signature is not valid.")

    @override
    def _seen(self, recorded: Recorded) -> Seen:
        seen = super()._seen(recorded)
        return evolve(seen, json={**recorded.json, **_as_chat(recorded.json)})

    # ------------------------------------------------------------------------------------------ replies

    @override
    def whole(self, reply: Reply, request: Json) -> Json:
        parts = [part for piece in reply.parts for part in self._parts(piece, request, streamed=False)]
        return self._chunk(self._sealed(parts, reply), reply, request, last=True)

    @override
    def events(self, reply: Reply, request: Json) -> Iterator[bytes]:
        parts = [part for piece in reply.parts for part in self._parts(piece, request, streamed=True)]
        for part in self._sealed(parts, reply):
            yield _event(self._chunk([part], reply, request, last=False))
        yield _event(self._chunk([{"text": ""}], reply, request, last=True))

    def _parts(self, part: Part, request: Json, *, streamed: bool) -> Iterator[Json]:
        if isinstance(part, ToolCall):
            call_id = self.call_id(part.id, "fc")
            yield {"functionCall": {"id": call_id, "name": part.name, "args": part.input}}
            return
        thinks = isinstance(part, Thinking)
        if thinks and not request.get("generationConfig", {}).get("thinkingConfig", {}).get(
            "includeThoughts"
        ):
            return
        number = part.pieces if isinstance(part, Text) else 2
        for piece in pieces(part.text, number) if streamed else [part.text]:
            yield {"text": piece, "thought": True} if thinks else {"text": piece}

    def _sealed(self, parts: list[Json], reply: Reply) -> list[Json]:
        thinks = any(isinstance(part, Thinking) for part in reply.parts)
        first = next((part for part in parts if "functionCall" in part), None)
        if first is None and not thinks:
            return parts
        signature = base64.b64encode(f"signature {next(self.numbers)}".encode()).decode()
        self.signatures.add(signature)
        if first is None:
            return [*parts, {"text": "", "thoughtSignature": signature}]
        first["thoughtSignature"] = signature
        self.signed[first["functionCall"]["id"]] = signature
        return parts

    def _chunk(self, parts: list[Json], reply: Reply, request: Json, *, last: bool) -> Json:
        candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if last:
            candidate["finishReason"] = _REASONS.get(reply.stop_reason, "STOP")
        made: Json = {
            "candidates": [candidate],
            "modelVersion": request["model"],
            "responseId": f"resp{self._asked}",
        }
        if reply.usage is not None:
            made["usageMetadata"] = _usage(reply.usage, last=last)
        return made

    @override
    def error_body(self, failure: Failure) -> Json:
        details = (
            [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": failure.kind}]
            if failure.kind
            else []
        )
        status = _STATUSES.get(failure.status, "INTERNAL")
        error: Json = {"code": failure.status, "message": failure.message, "status": status}
        return {"error": {**error, "details": details} if details else error}

    @override
    def error_event(self, failure: Failure) -> bytes:
        return _event(self.error_body(failure))


def _event(chunk: Json) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\r\n\r\n"


def _usage(usage: Usage, *, last: bool) -> Json:
    prompt = usage.input + usage.cache_read + usage.cache_write
    made: Json = {"promptTokenCount": prompt, "totalTokenCount": prompt}
    if usage.cache_read:
        made["cachedContentTokenCount"] = usage.cache_read
    if last:
        made.update(candidatesTokenCount=usage.output, totalTokenCount=prompt + usage.output)
    return made


# ------------------------------------------------------------------------------------------------ checks


def _known(given: set[str], known: frozenset[str] | set[str], where: str) -> None:
    if unknown := given - known:
        raise RejectedError(
            f'Invalid JSON payload received. Unknown name "{where}{min(unknown)}": Cannot find field.'
        )


def _check_contents(contents: Any) -> None:
    if not isinstance(contents, list) or not contents:
        raise RejectedError("contents is not specified")
    waiting: list[Json] = []
    for index, content in enumerate(contents):
        role = content.get("role")
        if role != ("user", "model")[index % 2]:
            raise RejectedError("Please ensure that multiturn requests alternate between user and model.")
        _check_parts(content.get("parts"), f"contents[{index}]")
        answers = [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]
        if len(answers) != len(waiting):
            raise RejectedError(
                "Please ensure that the number of function response parts is equal to the number of function call parts"
            )
        for answer in answers:
            call = next((call for call in waiting if call.get("id") == answer.get("id")), None)
            if (
                call is None
                or call["name"] != answer.get("name")
                or not isinstance(answer.get("response"), dict)
            ):
                raise RejectedError("function_response.name: [FIELD_INVALID] is not the name of its call")
        waiting = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
        if waiting and role == "user":
            raise RejectedError("function call must come from the model")
    if contents[-1]["role"] != "user":
        raise RejectedError("Please ensure that multiturn requests end with a user role.")


def _check_parts(parts: Any, where: str) -> None:
    if not isinstance(parts, list) or not parts:
        raise RejectedError(f"{where}.parts must not be empty.")
    for index, part in enumerate(parts):
        kinds = set(part) - _BESIDE
        _known(kinds, _PARTS, f"{where}.parts[{index}].")
        if len(kinds) != 1:
            raise RejectedError(
                f"{where}.parts[{index}].data: required oneof field 'data' must have one initialized field"
            )
        if part.get("text") == "" and "thoughtSignature" not in part:
            raise RejectedError(
                f"{where}.parts[{index}]: Unable to submit request because it must have a text."
            )
        inline = part.get("inlineData")
        if inline is not None and not (inline.get("mimeType") and inline.get("data")):
            raise RejectedError(f"{where}.parts[{index}].inline_data: mime_type and data are required")
        named = part.get("functionCall") or part.get("functionResponse")
        if named is not None and not _NAME.fullmatch(named.get("name", "")):
            raise RejectedError(f"{where}.parts[{index}]: Invalid function name.")


def _check_tools(body: Json) -> None:
    tools, config = body.get("tools"), body.get("toolConfig", {})
    if tools is not None and not tools:
        raise RejectedError("tools must not be empty")
    kinds = set().union(*(set(tool) for tool in tools or ()))
    _known(kinds, _TOOLS, "tools.")
    functions = [one for tool in tools or () for one in tool.get("functionDeclarations", ())]
    if functions and len(kinds) > 1 and not config.get("includeServerSideToolInvocations"):
        raise RejectedError("Built-in tools and Function Calling cannot be combined in the same request.")
    names = set()
    for function in functions:
        _known(set(function), _DECLARED, "tools.function_declarations.")
        if not _NAME.fullmatch(function.get("name", "")) or function["name"] in names:
            raise RejectedError(f"Invalid function name: {function.get('name')}.")
        names.add(function["name"])
        if "parameters" in function:
            _check_schema(function["parameters"], f"{function['name']}.parameters")
    calling = config.get("functionCallingConfig", {"mode": "AUTO"})
    if calling.get("mode") not in ("AUTO", "ANY", "NONE"):
        raise RejectedError("Function calling config mode is not valid.")
    allowed = calling.get("allowedFunctionNames", [])
    if allowed and (calling["mode"] != "ANY" or not set(allowed) <= names):
        raise RejectedError("Allowed function names should be set only when function calling mode is ANY.")


def _check_schema(schema: Json, where: str) -> None:
    _known(set(schema), _SCHEMA, f"{where}.")
    if "anyOf" in schema:
        for inner in schema["anyOf"]:
            _check_schema(inner, f"{where}.any_of")
        return
    kind = schema.get("type")
    if kind not in _TYPES:
        raise RejectedError(f"{where}.type: must be specified")
    if set(schema.get("required", ())) - set(schema.get("properties", ())):
        raise RejectedError(f"{where}.required: property is not defined")
    if "enum" in schema and (
        kind != "string" or not all(isinstance(one, str) and one for one in schema["enum"])
    ):
        raise RejectedError(f"{where}.enum: only allowed for STRING type")
    if kind == "array" and "items" not in schema:
        raise RejectedError(f"{where}.items: missing field.")
    for name, inner in (
        *schema.get("properties", {}).items(),
        *([("items", schema["items"])] if "items" in schema else []),
    ):
        _check_schema(inner, f"{where}.{name}")


# ------------------------------------------------------------------------------------- neutral questions


def _as_chat(body: Mapping[str, Any]) -> Json:
    """The request in the words of the neutral questions."""
    messages: list[Json] = []
    for index, content in enumerate(body["contents"]):
        said: list[Json] = []
        calls: list[Json] = []
        for number, part in enumerate(content["parts"]):
            if "functionResponse" in part:
                answer = part["functionResponse"]
                text = msgspec.json.encode(answer["response"]).decode()
                call_id = answer.get("id") or f"{index - 1}:{answer['name']}"
                messages.append(
                    {
                        "role": "tool",
                        "tool_call_id": call_id,
                        "content": answer["response"].get("output", text),
                    }
                )
                said += [_image(one) for one in answer.get("parts", ())]
            elif "functionCall" in part:
                call = part["functionCall"]
                call_id = call.get("id") or f"{index}:{call['name']}"
                arguments = msgspec.json.encode(call.get("args", {})).decode()
                function = {"name": call["name"], "arguments": arguments}
                calls.append({"id": call_id, "type": "function", "function": function, "number": number})
            elif "inlineData" in part:
                said.append(_image(part))
            elif part.get("text") and not part.get("thought"):
                said.append({"type": "text", "text": part["text"]})
        role = "assistant" if content["role"] == "model" else "user"
        if said or calls:
            messages.append({"role": role, "content": said, **({"tool_calls": calls} if calls else {})})
    system = "\n".join(part["text"] for part in body.get("systemInstruction", {}).get("parts", ()))
    declared = [one for tool in body.get("tools", ()) for one in tool.get("functionDeclarations", ())]
    return {"messages": messages, "system": system, "tools": declared}


def _image(part: Json) -> Json:
    inline = part["inlineData"]
    source = {"type": "base64", "media_type": inline["mimeType"], "data": inline["data"]}
    return {"type": "image", "source": source}
