"""A masked model that this program trained, scored by pseudo-log-likelihood."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np
import torch

from pilotlight.evals.scorer import Scorer
from pilotlight.model.layer import Rows
from pilotlight.train.final import open_model, read_facts

if TYPE_CHECKING:
    from pilotlight.model.decoder_layer import DecoderModel
    from pilotlight.tokens.tokenizer import Encoder


@final
class OwnEncoder(Scorer):
    """A model that sees both ways: each token is masked in turn, and its nats given all others are summed.

    (Salazar et al. 2020, arXiv 1910.14659.) The sum orders texts as a likelihood would, but is none: it is comparable
    between masked models alone.
    """

    tokens_at_once = 4096

    def __init__(self, model: DecoderModel, encoder: Encoder, context: int, mask: int) -> None:
        self.model = model
        self.encoder = encoder
        self.context = context
        self.mask = mask
        self.start = encoder.end

    @classmethod
    def open(cls, folder: Path, device: str = "cpu") -> OwnEncoder:
        """Return the model of a run, or of the ``model`` folder of one.

        Raises:
            RecordError: there is no finished model, or a file of it is damaged.
        """
        model, encoder = open_model(folder, device)
        facts = read_facts(folder)
        return cls(model, encoder, facts.context, facts.vocabulary - facts.extra_ids)

    @torch.no_grad()
    def nats(self, ids: np.ndarray, targets: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the nats of the masked targets of every row, each given all of the row's other targets."""
        del ids  # a row is its targets: the token before the first one was never seen in training
        row, place = np.nonzero(mask)
        ends = np.where(mask, np.arange(1, mask.shape[1] + 1), 0).max(axis=1)
        padding = np.arange(mask.shape[1]) >= ends[:, None]
        at_once = max(1, self.tokens_at_once // mask.shape[1])
        total = np.zeros(len(targets), dtype=np.float64)
        for first in range(0, len(row), at_once):
            rows, places = row[first : first + at_once], place[first : first + at_once]
            found = self._one_each(targets[rows], padding[rows], places)
            np.add.at(total, rows, found)
        return total

    def _one_each(self, texts: np.ndarray, padding: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return the nats of one token of each text."""
        device = self.model.embedding.device
        lines = np.arange(len(texts))
        inputs = texts.copy()
        inputs[lines, places] = self.mask
        documents = torch.from_numpy(padding.astype(np.int64)).to(device) if padding.any() else None
        hidden = self.model.hidden(torch.from_numpy(inputs).to(device), Rows(causal=False, documents=documents))
        hidden = hidden[torch.from_numpy(lines).to(device), torch.from_numpy(places).to(device)]
        return self.model.head(hidden, torch.from_numpy(texts[lines, places]).to(device)).double().cpu().numpy()
