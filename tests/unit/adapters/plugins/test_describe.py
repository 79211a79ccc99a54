from __future__ import annotations

from ccr.adapters.plugins.describe import described, markdown
from ccr.adapters.plugins.found import Found
from ccr.adapters.plugins.registry import Registry
from ccr.adapters.transformers.anthropic import Anthropic
from ccr.adapters.transformers.customparams import CustomParams
from ccr.adapters.transformers.deepseek import DeepSeek
from ccr.adapters.transformers.maxtoken import MaxToken
from ccr.adapters.transformers.sampling import Sampling


def test_the_page_tells_everything() -> None:
    kinds = (Anthropic, CustomParams, DeepSeek, MaxToken, Sampling)
    page = markdown(tuple(described(Found(kind.name, kind)) for kind in kinds))

    for text in (
        "## `Anthropic`\n\n",
        "*Chooses the way:* dialect `anthropic`.",
        "Options: any; each is a field of the provider's request.",
        "*Needless:* reasoning is read",
        "| `max_tokens` | whole number | required | The limit, in tokens. |",
        '| `mode` | text | `"cap"` |',
        "| `temperature` | number |  | The temperature of every request. |",
    ):
        assert text in page


def test_every_built_in_one_has_words() -> None:
    for info in Registry(plugins=()).describe():
        assert info.summary.endswith(".")
        assert all(option.doc.endswith(".") for option in info.options)


def test_a_default_that_is_no_json_is_shown_as_it_is() -> None:
    class Odd:
        name = "odd"

        def __init__(self, how: object = Ellipsis) -> None: ...

    assert described(Found("odd", Odd)).options[0].default == "Ellipsis"
