"""The requests of the benchmark: the real client's shape with the fixtures' synthetic text, 1 kB and 120 kB.

Each body holds a nonce that `load` replaces in every request. It stands in the newest turn only: the history repeats and
the last turn is new, as in an agent's session. In a *cold* body it stands in every text, tool and tool call, so that
nothing of a request was ever seen before. A word (BENCH:TOOLS and so on, see mock.c) tells the upstream what is wanted.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[1] / "tests/fixtures/claude-code"
NONCE = "@@NONCE@@@@@@@@@"
SMALL, BIG = 1024, 120 * 1024
TOOLS, MESSAGES = 25, 50

#: The connection's own, what says how a reply may be encoded (`load` reads plain bytes), and the key, which is the gateway's.
NOT_OURS = {"accept-encoding", "authorization", "connection", "content-length", "host"}


def request(scenario: str, place: int) -> dict[str, Any]:
    document = json.loads((FIXTURES / f"{scenario}.json").read_text())
    found: dict[str, Any] = document["requests"][place]
    return found


def headers(**more: str) -> bytes:
    """The client's, and `more` in the names of HTTP: `x_api_key` is x-api-key."""
    lines = [
        f"{name}: {value}"
        for name, value in request("cont.2.1.330", -1)["headers"]
        if name.lower() not in NOT_OURS
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return "\n".join(lines).encode()


def encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def small(model: str, *, streamed: bool, word: str = "") -> bytes:
    """The client's short auxiliary request, its system prompt cut so that the whole is 1 kB; a tool comes on top of that."""
    body = request("bash.1.0.128", 1)["body"] | {"model": model, "stream": streamed}
    asked = f"{word} {NONCE} what is this repository about?".strip()
    body["messages"] = [{"role": "user", "content": asked}]
    text = body["system"][0]["text"]
    body["system"] = [{"type": "text", "text": text}]
    excess = len(encode(body)) - SMALL
    body["system"][0]["text"] = text[:-excess] if excess > 0 else text + " " + "x" * (-excess - 1)
    if word == "BENCH:TOOLS":
        body["tools"] = [tool("Bash", "Runs a shell command and returns what it printed.", "command")]
    return encode(body)


def tool(name: str, description: str, *parameters: str) -> dict[str, Any]:
    given = {
        each: {"type": "string", "description": f"The {each.replace('_', ' ')}; plain text."}
        for each in parameters
    }
    schema = {
        "type": "object",
        "properties": given,
        "required": [parameters[0]],
        "additionalProperties": False,
    }
    return {"name": name, "description": description, "input_schema": schema}


def big(model: str, *, streamed: bool, cold: bool = False) -> bytes:
    """A session of the current client, lengthened to 25 tools, 50 messages and 120 kB.

    What only the newest client sends (a system message in the middle, a placeholder for deferred tools) is left out, so that
    every gateway can read it.
    """
    given = request("cont.2.1.330", -1)["body"] | {"model": model, "stream": streamed}
    instructions = next(m["content"] for m in given["messages"] if m["role"] == "system")
    body = {key: value for key, value in given.items() if key not in {"context_management", "output_config"}}
    body["system"] = [*given["system"], {"type": "text", "text": instructions}]
    prose = " ".join(block["text"] for block in body["system"])
    body["tools"] = [kept for kept in given["tools"] if "defer_loading" not in kept]
    for place in range(TOOLS - len(body["tools"])):
        start = place * 300
        parameters = ("path", "query", "since_when", "limit")
        body["tools"].append(tool(f"mcp__files__find_{place}", prose[start : start + 900], *parameters))
    asked = given["messages"][0]["content"]
    first = [{"role": "user", "content": [block]} for block in asked]
    done = {"role": "assistant", "content": "I have read it."}
    last = {"role": "user", "content": [{"type": "text", "text": f"{NONCE} and now the next file, please."}]}
    turns: list[dict[str, Any]] = []
    rounds = (MESSAGES - len(first) - 2) // 2
    body["messages"] = [*first, done, last]
    room = (BIG - len(encode(body))) // rounds - 480  # what a call and the frame of its result take
    for place in range(rounds):
        turns += exchange(place, prose * 2, room)
    body["messages"] = [*first, *turns, done, last]
    if cold:
        never_seen(body)
    excess = BIG - len(encode(body))
    if excess < 1:  # the nonces of a cold body take room: the results give it
        for message in turns[1::2]:
            result = message["content"][0]
            result["content"] = result["content"][: excess // rounds - 1]
        excess = BIG - len(encode(body))
    done["content"] += " " + (prose * 2)[: excess - 1]  # in the history: what is new stays short
    return encode(body)


def exchange(place: int, prose: str, size: int) -> list[dict[str, Any]]:
    """One tool call and its result of about `size` bytes, no two alike."""
    name, start = f"toolu_bench{place:06d}", place * 700 % (len(prose) - size)
    call = {
        "type": "tool_use",
        "id": name,
        "name": "Read",
        "input": {"file_path": f"/project/src/file{place}.py"},
    }
    result = {
        "type": "tool_result",
        "tool_use_id": name,
        "content": f"{place}\t{prose[start : start + size]}",
    }
    said = {"type": "text", "text": f"File {place} comes next; I read it before I change anything."}
    return [{"role": "assistant", "content": [said, call]}, {"role": "user", "content": [result]}]


def never_seen(body: dict[str, Any]) -> None:
    """Put a nonce at the head of every text, tool description, tool input and tool result."""
    for each in (*body["tools"], *body["system"]):
        place = "description" if "description" in each else "text"
        each[place] = f"{NONCE} {each[place]}"
    for message in body["messages"]:
        if isinstance(message["content"], str):
            message["content"] = f"{NONCE} {message['content']}"
            continue
        for block in message["content"]:
            match block["type"]:
                case "text" if NONCE not in block["text"]:
                    block["text"] = f"{NONCE} {block['text']}"
                case "tool_use":
                    block["input"]["file_path"] += f".{NONCE}"
                case "tool_result":
                    block["content"] = f"{NONCE} {block['content']}"


def as_chat(body: bytes) -> bytes:
    """The same request in the form of OpenAI's chat completions, for gateways that speak nothing else."""
    given = json.loads(body)
    messages = [{"role": "system", "content": "\n\n".join(block["text"] for block in given["system"])}]
    for message in given["messages"]:
        messages += chat_messages(message)
    chat: dict[str, Any] = {
        "model": given["model"],
        "messages": messages,
        "stream": given["stream"],
        "max_tokens": min(given["max_tokens"], 32_000),
    }
    if given["stream"]:
        chat["stream_options"] = {"include_usage": True}
    if tools := given.get("tools"):
        chat["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": t["name"],
                    "description": t["description"],
                    "parameters": t["input_schema"],
                },
            }
            for t in tools
        ]
    return encode(chat)


def chat_messages(message: dict[str, Any]) -> list[dict[str, Any]]:
    role, content = message["role"], message["content"]
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    found = [
        {"role": "tool", "tool_call_id": block["tool_use_id"], "content": block["content"]}
        for block in content
        if block["type"] == "tool_result"
    ]
    said = " ".join(block["text"] for block in content if block["type"] == "text")
    calls = [
        {
            "id": block["id"],
            "type": "function",
            "function": {"name": block["name"], "arguments": json.dumps(block["input"])},
        }
        for block in content
        if block["type"] == "tool_use"
    ]
    if said or calls:
        found.append(
            {"role": role, "content": said or None} | ({"tool_calls": copy.copy(calls)} if calls else {})
        )
    return found


def build(
    folder: Path,
    model: str,
    size: str,
    *,
    streamed: bool,
    word: str = "",
    cold: bool = False,
    dialect: str = "anthropic",
) -> Path:
    """Write the body where `load` can read it."""
    kind = "-".join(
        filter(
            None, (size, "stream" if streamed else "plain", word[6:].lower(), "cold" if cold else "", dialect)
        )
    )
    path = folder / f"{kind}-{model.replace('/', '_')}.json"
    if not path.exists():
        body = (
            small(model, streamed=streamed, word=word)
            if size == "small"
            else big(model, streamed=streamed, cold=cold)
        )
        path.write_bytes(as_chat(body) if dialect == "chat" else body)
    return path
