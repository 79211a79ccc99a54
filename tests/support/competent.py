"""A scripted model that answers every probe as a good one would; what it is asked decides what it says."""

from __future__ import annotations

import json
import re

from tests.support.scripts import Answer, Json, Reply, Seen, Text, Thinking, ToolCall, Usage, text

_BYTES_A_TOKEN = 4


def competent(seen: Seen, _n: int) -> Answer:
    """Answer; tokens are counted by the size of the text."""
    reply = _reply(seen)
    thought = sum(len(part.text) for part in reply.parts if isinstance(part, Thinking))
    size = len(re.sub(r"[A-Za-z0-9+/=]{200,}", "", json.dumps(seen.json.get("messages"))))
    said = len(json.dumps([str(part) for part in reply.parts]))
    return reply.using(Usage(max(1, size // _BYTES_A_TOKEN), max(1, (said + thought) // _BYTES_A_TOKEN)))


def _reply(seen: Seen) -> Reply:
    choice = seen.json.get("tool_choice")
    tools = seen.tool_names
    last = _last(seen)
    if tools and not seen.tool_results and (_forced(choice) or "tool" in last):
        return _thinking(seen, _calls(seen, tools, choice, last))
    return _thinking(seen, _words(seen, last))


def _forced(choice: object) -> bool:
    kind = choice.get("type") if isinstance(choice, dict) else choice
    return kind in {"required", "any", "tool", "function"}


def _calls(seen: Seen, tools: list[str], choice: object, last: str) -> Reply:
    named = tools[0]
    if isinstance(choice, dict):
        named = str(choice.get("name") or choice.get("function", {}).get("name") or named)
    if "Oslo" in last:
        return Reply((ToolCall(named, {"city": "Rome"}), ToolCall(named, {"city": "Oslo"})))
    return Reply((ToolCall(named, {} if named == "ping" else {"city": "Rome"}),))


def _thinking(seen: Seen, reply: Reply) -> Reply:
    told = seen.json.get("thinking")
    on = (isinstance(told, dict) and told["type"] != "disabled") or seen.json.get("reasoning_effort") not in {
        None,
        "none",
        "minimal",
    }
    if not on:
        return reply
    return Reply((Thinking("Let me see."), *reply.parts), stop=reply.stop)


_ANSWERS = (
    ("Count from 1 to 40", " ".join(map(str, range(1, 41)))),
    ("Did the tool succeed", "NO"),
    ("code word in this document", "PELICAN"),
    ("What is my code word", "MARMOT"),
    ("What is the last item", "item299"),
    ("How many degrees", "31"),
    ("17 times 23", "391"),
    ("2 + 2", '{"answer": 4}'),
    ("single word PONG", "PONG"),
)


def _words(seen: Seen, last: str) -> Reply:
    limit = seen.json.get("max_tokens", seen.json.get("max_completion_tokens"))
    rules = re.findall(r"single word ([A-Z]+)", _said(seen))
    if "long story" in last:
        return Reply((Text("Once upon a time"),), stop="max_tokens" if limit and limit < 100 else "end_turn")
    if "Count from 1 to 9" in last:
        stop = seen.json.get("stop") or seen.json.get("stop_sequences")
        return Reply((Text("1 2 3 4 5 "),), stop="stop_sequence") if stop else text("1 2 3 4 5 6 7 8 9")
    if "Repeat exactly" in last:
        return text(last.split("nothing else: ")[1], pieces=9)
    if "colour of this square" in last:
        return text("Red" if seen.images else "I see no picture")
    for question, answer in _ANSWERS:
        if question in last:
            return text(answer, pieces=8)
    return text(rules[-1] if rules else "Hello!")


def _last(seen: Seen) -> str:
    """What the last user message says."""
    for message in reversed(seen.messages):
        if message.get("role") == "user":
            words = _texts(message)
            if words:
                return words
    return ""


def _said(seen: Seen) -> str:
    """All that was said but the newest question, the system prompt first."""
    return "\n".join([seen.system_text, *map(_texts, seen.messages)])


def _texts(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(str(block["text"]) for block in blocks if block.get("type") == "text")
