from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zlib

import pytest

from ccr.adapters.tokens import ranks
from ccr.adapters.tokens.ranks import VocabularyError, load_encoding, read_ranks

#: What the Python package tiktoken expects of its download of cl100k_base.tiktoken.
OFFICIAL = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"


def test_the_vocabulary_is_the_official_one() -> None:
    digest = hashlib.sha256()
    for token, rank in read_ranks().items():
        digest.update(b"%s %d\n" % (base64.b64encode(token), rank))

    assert digest.hexdigest() == OFFICIAL


def test_the_encoding_gives_the_published_ids() -> None:
    encoding = load_encoding()

    assert encoding.encode_ordinary("hello world") == [15339, 1917]
    assert encoding.encode_ordinary("Hello world!") == [9906, 1917, 0]
    assert encoding.encode("<|endoftext|>", allowed_special="all") == [100257]


@pytest.mark.parametrize("packed", [b"", b"no deflate", zlib.compress(b"other data"), ranks._read()[:-100]])
def test_a_damaged_file_is_an_error_that_says_so(packed: bytes) -> None:
    with pytest.raises(VocabularyError, match="damaged"):
        ranks._unpack(packed)


def test_a_missing_file_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "_FILE", "nowhere.bin")

    with pytest.raises(VocabularyError, match="cannot be read"):
        load_encoding()


def test_without_tiktoken_there_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)

    with pytest.raises(VocabularyError, match="tiktoken"):
        load_encoding()


def test_importing_the_counter_loads_neither_tiktoken_nor_the_vocabulary() -> None:
    program = "import sys, ccr.adapters.tokens.counter; sys.exit('tiktoken' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
