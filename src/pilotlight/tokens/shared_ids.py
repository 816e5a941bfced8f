"""Which ids of two tokenizers stand for the same text, so that what was learned of one carries over to the other."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pilotlight.errors import DataError
from pilotlight.tokens.byte_pairs import byte_characters
from pilotlight.tokens.tokenizer import Encoder


def matched(new: Encoder, old: Encoder) -> list[int | None]:
    """Return for every id of ``new`` the id of ``old`` that stands for the same bytes; None where there is none.

    End tokens are matched whatever they are called; of other control tokens those with the same name.
    """
    known = pieces(old)
    found: list[int | None] = [None] * new.vocabulary
    for piece, id in pieces(new).items():
        found[id] = known.get(piece)
    found[new.end] = old.end
    return found


def same_ids(first: Encoder, second: Encoder) -> bool:
    """Return whether every id stands for the same text in both."""
    alike = first.vocabulary == second.vocabulary and first.end == second.end
    return alike and pieces(first) == pieces(second)


def pieces(encoder: Encoder) -> dict[bytes, int]:
    """Return the ids by the bytes of text that each stands for, control tokens by their name after a zero byte.

    Of several ids of the same bytes none is in it.
    """
    with tempfile.TemporaryDirectory() as place:
        try:
            encoder.save_hugging_face(Path(place))
            described = json.loads((Path(place) / "tokenizer.json").read_text(encoding="utf-8"))
            found = list(_described(described))
        except (DataError, OSError, ValueError, KeyError, TypeError):
            found = list(_decoded(encoder))
    counts = Counter(piece for piece, _ in found)
    return {piece: id for piece, id in found if counts[piece] == 1 and id < encoder.vocabulary}


def _described(settings: dict[str, Any]) -> Iterator[tuple[bytes, int]]:
    """Yield bytes and id of every token of a ``tokenizer.json``."""
    vocabulary = settings["model"]["vocab"]
    pairs = (
        vocabulary.items() if isinstance(vocabulary, dict) else ((item[0], at) for at, item in enumerate(vocabulary))
    )
    decoder = settings.get("decoder") or {}
    steps = {step["type"] for step in decoder.get("decoders", [decoder]) if "type" in step}
    added = {token["id"]: token["content"] for token in settings.get("added_tokens", ()) if token.get("special")}
    alphabet = {mark: byte for byte, mark in enumerate(byte_characters())}
    for piece, id in pairs:
        if id not in added:
            yield _bytes(piece, steps, alphabet), id
    for id, name in added.items():
        yield b"\0" + name.encode(), id


def _bytes(piece: str, steps: set[str], alphabet: dict[str, int]) -> bytes:
    if "ByteLevel" in steps and all(mark in alphabet for mark in piece):
        return bytes(alphabet[mark] for mark in piece)
    if "WordPiece" in steps:
        return (piece[2:] if piece.startswith("##") else " " + piece).encode()
    if "ByteFallback" in steps and len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        byte = bytes([int(piece[3:5], 16)])
        return byte if byte >= b"\x80" else b"\0" + piece.encode()  # such a character has a piece of its own
    if steps & {"Metaspace", "Replace"}:
        piece = piece.replace("\u2581", " ")
    return piece.encode("utf-8", "surrogatepass")


def _decoded(encoder: Encoder) -> Iterator[tuple[bytes, int]]:
    """Yield the text of every id that stands for whole characters."""
    for id in range(encoder.vocabulary):
        text = encoder.decode([id])
        if text and "\ufffd" not in text:
            yield text.encode(), id
