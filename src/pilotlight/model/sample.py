"""Texts that go on: token after token, with what was seen kept in memories instead of read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.errors import ConfigError
from pilotlight.model.layer import Rows
from pilotlight.model.sampling import Sampling
from pilotlight.randomness import stream

if TYPE_CHECKING:
    from pilotlight.model.decoder_layer import DecoderModel
    from pilotlight.tokens.tokenizer import Encoder

BROKEN = "\ufffd"


def generate(
    model: DecoderModel,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    end: int | None = None,
    context: int | None = None,
    below: int | None = None,
) -> list[list[int]]:
    """Return the ids that go on after each prompt, without the prompt and without the end token.

    See ``stream_ids`` for the arguments.
    """
    found: list[list[int]] = [[] for _ in prompts]
    for row, token in stream_ids(model, prompts, sampling, end=end, context=context, below=below):
        found[row].append(token)
    return found


@torch.no_grad()
def stream_ids(
    model: DecoderModel,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    end: int | None = None,
    context: int | None = None,
    below: int | None = None,
) -> Iterator[tuple[int, int]]:
    """Yield the number of a prompt and its next id, token after token, until every text has ended.

    Prompts may be of different lengths: while one is still being read, the others go on already. A text does not depend
    on those beside it, apart from rounding and its number.

    Args:
        model: on any device; its compute precision is used.
        prompts: ids of each text, at least one.
        sampling: how ids are chosen and how many at most.
        end: id that ends a text; None: none does.
        context: most tokens the model may look back on; when they are used up, it reads the later half again and goes
            on from there. None: no bound.
        below: ids from here on are never chosen. None: the model's vocabulary.

    Raises:
        ConfigError: a prompt is empty, or holds an id that the model does not have.
    """
    _check(prompts, model.vocabulary, context)
    texts = [list(prompt) for prompt in prompts]
    begins = [len(text) for text in texts]
    open_rows = set(range(len(texts)))
    memories, first, low = model.new_memories(), 0, 0
    high = min(begins)
    while open_rows:
        if context is not None and first + high - low > context:
            memories, first = model.new_memories(), 0
            low = high - max(1, context // 2)
        ids = torch.tensor([text[low:high] for text in texts], device=model.embedding.device)
        hidden = model.hidden(ids, Rows(first=first), memories)[:, -1]
        chosen = _chosen(model.logits_of(hidden)[:, :below].cpu(), sampling, [high - begin for begin in begins])
        first, low, high = first + high - low, high, high + 1
        for row, token in enumerate(chosen):
            if len(texts[row]) >= high:
                continue  # its prompt is still being read
            texts[row].append(token)
            if row in open_rows:
                if token != end:
                    yield row, token
                if token == end or len(texts[row]) - begins[row] == sampling.tokens:
                    open_rows.discard(row)


def _check(prompts: Sequence[Sequence[int]], vocabulary: int, context: int | None) -> None:
    for number, prompt in enumerate(prompts):
        if not len(prompt):
            raise ConfigError(f"prompt {number} has no token; begin it with the token that ends documents")
        if not 0 <= min(prompt) <= max(prompt) < vocabulary:
            raise ConfigError(f"prompt {number} holds an id outside of 0 to {vocabulary - 1}; encode it for this model")
    if not prompts:
        raise ConfigError("no prompt was given; give at least one")
    if context is not None and context < 1:
        raise ConfigError(f"context is {context}, but the model has to see at least 1 token")


def _chosen(logits: Float[Tensor, "rows vocabulary"], sampling: Sampling, numbers: list[int]) -> list[int]:
    """Return the next id of each row; ``numbers`` count its own tokens, so that a draw is the same in any batch."""
    if sampling.temperature == 0:
        return logits.argmax(-1).tolist()
    kept = min(sampling.top_k or logits.shape[1], logits.shape[1])
    highest, ids = (logits.double() / sampling.temperature).sort(dim=-1, descending=True, stable=True)
    shares = highest[:, :kept].softmax(-1)
    total = shares.cumsum(-1)
    if sampling.top_p is not None:
        shares = shares.where(total - shares < sampling.top_p, 0.0)
        total = shares.cumsum(-1)
    draws = [stream(sampling.seed, "sample", row, number).random() for row, number in enumerate(numbers)]
    reached = torch.tensor(draws, dtype=torch.float64)[:, None] * total[:, -1:]
    places = (total <= reached).sum(-1, keepdim=True).clamp(max=kept - 1)
    return ids.gather(1, places)[:, 0].tolist()


def stream_text(
    model: DecoderModel, encoder: Encoder, prompt: str, sampling: Sampling, *, context: int | None = None
) -> Iterator[str]:
    """Yield what goes on after ``prompt``, piece by piece, each of whole characters.

    Raises:
        DataError: the tokenizer has no ids for the prompt.
    """
    ids: list[int] = []
    told = ""
    start = [encoder.end, *encoder.encode(prompt).tolist()]
    before = encoder.decode(start)
    tokens = stream_ids(model, [start], sampling, end=encoder.end, context=context, below=encoder.vocabulary)
    for _, token in tokens:
        ids.append(token)
        text = encoder.decode([*start, *ids])[len(before) :]
        if not text.endswith(BROKEN):  # a character may come in several tokens
            yield text[len(told) :]
            told = text
    yield encoder.decode([*start, *ids])[len(before) :][len(told) :]
