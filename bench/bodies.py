"""The requests of the benchmark: the real client's shape with the fixtures' synthetic text, 1 kB and 100 kB.

Each body holds a nonce that `load` replaces in every request, in the newest turn: the history repeats and the
last turn is new, as in an agent's session.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[1] / "tests/fixtures/claude-code"
NONCE = "@@NONCE@@@@@@@@@"
SMALL, BIG = 1024, 100 * 1024

#: The connection's own, and what says how a reply may be encoded: `load` reads plain bytes.
NOT_OURS = {"accept-encoding", "connection", "content-length", "host"}


def request(scenario: str, place: int) -> dict[str, Any]:
    document = json.loads((FIXTURES / f"{scenario}.json").read_text())
    found: dict[str, Any] = document["requests"][place]
    return found


def headers() -> bytes:
    lines = [
        f"{name}: {value}"
        for name, value in request("cont.2.1.330", -1)["headers"]
        if name.lower() not in NOT_OURS
    ]
    return "\n".join(lines).encode()


def encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def small(model: str, *, streamed: bool) -> bytes:
    """The client's short auxiliary request, its system prompt cut so that the whole is 1 kB."""
    body = request("bash.1.0.128", 1)["body"] | {"model": model, "stream": streamed}
    body["messages"] = [{"role": "user", "content": f"{NONCE} what is this repository about?"}]
    text = body["system"][0]["text"]
    body["system"] = [{"type": "text", "text": text}]
    excess = len(encode(body)) - SMALL
    body["system"][0]["text"] = text[:-excess] if excess > 0 else text + " " + "x" * (-excess - 1)
    return encode(body)


def big(model: str, *, streamed: bool) -> bytes:
    """A session of the current client, lengthened by tool calls and results until it is 100 kB."""
    body = request("cont.2.1.330", -1)["body"] | {"model": model, "stream": streamed}
    last = {"role": "user", "content": [{"type": "text", "text": f"{NONCE} and now the next file, please."}]}
    done = {"role": "assistant", "content": "I have read it."}
    first = body["messages"]
    prose = " ".join(block["text"] for block in body["system"])
    turns: list[dict[str, Any]] = []
    while len(encode(body)) < BIG - 3000:
        turns += exchange(len(turns), prose)
        body["messages"] = [*first, {"role": "assistant", "content": "Let me read on."}, *turns, done, last]
    excess = BIG - len(encode(body))
    done["content"] += " " + (prose * 2)[: excess - 1]  # in the history: what is new stays short
    return encode(body)


def exchange(place: int, prose: str) -> list[dict[str, Any]]:
    """One tool call and its result: about 2 kB, no two alike."""
    name, start = f"toolu_bench{place:06d}", place * 700 % (len(prose) - 1600)
    call = {
        "type": "tool_use",
        "id": name,
        "name": "Read",
        "input": {"file_path": f"/project/src/file{place}.py"},
    }
    result = {
        "type": "tool_result",
        "tool_use_id": name,
        "content": f"{place}\t{prose[start : start + 1600]}",
    }
    said = {"type": "text", "text": f"File {place} comes next; I read it before I change anything."}
    return [{"role": "user", "content": [result]}, {"role": "assistant", "content": [said, call]}][::-1]


def build(folder: Path, model: str, size: str, *, streamed: bool) -> Path:
    """Write the body where `load` can read it."""
    kind = "stream" if streamed else "plain"
    path = folder / f"{size}-{kind}-{model.replace('/', '_')}.json"
    path.write_bytes((small if size == "small" else big)(model, streamed=streamed))
    return path
