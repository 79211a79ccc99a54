"""Build the vocabulary that ccr ships: `src/ccr/adapters/tokens/cl100k_base.bin`.

    python tools/build_ranks.py [tiktoken-1.0.22.tgz]     build, from the npm package `tiktoken` (MIT)
    python tools/build_ranks.py --check                   verify the file that is in the tree

Without a file it asks `npm pack`. Both ways the vocabulary is written out once more in OpenAI's own text form
and its sha256 compared with the one that the Python package `tiktoken` expects of its download, so what ships
is provably the same vocabulary. The binary form (see `ccr.adapters.tokens.ranks`) is a quarter of the text form.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

NPM_PACKAGE = "tiktoken@1.0.22"
MEMBER = "package/encoders/cl100k_base.json"
COUNT = 100_256
OFFICIAL_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
TARGET = Path(__file__).parents[1] / "src/ccr/adapters/tokens/cl100k_base.bin"


def official_sha256(tokens: list[bytes]) -> str:
    """The digest of the vocabulary in OpenAI's text form: base64, blank, rank, newline."""
    digest = hashlib.sha256()
    for rank, token in enumerate(tokens):
        digest.update(b"%s %d\n" % (base64.b64encode(token), rank))
    return digest.hexdigest()


def from_npm(document: bytes) -> list[bytes]:
    """npm's form: lines of `! first-rank token token ...`, tokens in base64."""
    tokens: dict[int, bytes] = {}
    for line in json.loads(document)["bpe_ranks"].splitlines():
        _, first, *words = line.split(" ")
        tokens.update((int(first) + place, base64.b64decode(word)) for place, word in enumerate(words))
    return [tokens[rank] for rank in range(len(tokens))]


def pack(tokens: list[bytes]) -> bytes:
    return bytes(map(len, tokens)) + b"".join(tokens)


def unpack(data: bytes) -> list[bytes]:
    """Our form: one length byte a token, then all tokens, both in order of rank."""
    tokens, at = [], COUNT
    for length in data[:COUNT]:
        tokens.append(data[at : at + length])
        at += length
    return tokens


def fetch(folder: Path) -> Path:
    subprocess.run(
        ["npm", "pack", "--silent", NPM_PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    return next(folder.glob("*.tgz"))


def build(archive: Path) -> None:
    with tarfile.open(archive) as package:
        member = package.extractfile(MEMBER)
        if member is None:
            raise SystemExit(f"{archive} has no {MEMBER}")
        tokens = from_npm(member.read())
    verify(tokens)
    packed = pack(tokens)
    TARGET.write_bytes(zlib.compress(packed, 9))
    print(f"{TARGET.name}: {len(tokens)} tokens, {TARGET.stat().st_size} bytes")
    print(f"sha256 of the unpacked form, for ranks.py: {hashlib.sha256(packed).hexdigest()}")


def verify(tokens: list[bytes]) -> None:
    if official_sha256(tokens) != OFFICIAL_SHA256:
        raise SystemExit("this is not the official cl100k_base: sha256 differs")


def main(arguments: list[str]) -> None:
    if arguments == ["--check"]:
        verify(unpack(zlib.decompress(TARGET.read_bytes())))
        print(f"{TARGET.name} is the official cl100k_base")
    elif arguments:
        build(Path(arguments[0]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            build(fetch(Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
