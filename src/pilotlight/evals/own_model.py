"""A model that this program trained, ready to be scored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final

import torch

from pilotlight.evals.scorer import Scorer
from pilotlight.train.final import open_model, read_facts

if TYPE_CHECKING:
    import numpy as np

    from pilotlight.model.decoder_layer import DecoderModel
    from pilotlight.tokens.tokenizer import Encoder


@final
class OwnModel(Scorer):
    """A trained decoder, scored in the precision it was trained in."""

    tokens_at_once = 4096

    def __init__(self, model: DecoderModel, encoder: Encoder, context: int) -> None:
        self.model = model
        self.encoder = encoder
        self.context = context
        self.start = encoder.end

    @classmethod
    def open(cls, folder: Path, device: str = "cpu") -> OwnModel:
        """Return the model of a run, or of the ``model`` folder of one.

        Raises:
            RecordError: there is no finished model, or a file of it is damaged.
        """
        model, encoder = open_model(folder, device)
        return cls(model, encoder, read_facts(folder).context)

    @torch.no_grad()
    def nats(self, ids: np.ndarray, targets: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the nats of the masked targets of every row."""
        model = self.model
        device = model.embedding.device
        wanted = torch.from_numpy(mask).to(device)
        hidden = model.hidden(torch.from_numpy(ids).to(device))[wanted]
        # Of a prompt no logits are needed: with a small model they are most of the work.
        losses = model.head(hidden, torch.from_numpy(targets).to(device)[wanted])
        total = torch.zeros(len(ids), dtype=torch.float64)
        total.index_add_(0, wanted.nonzero()[:, 0].cpu(), losses.double().cpu())
        return total.numpy()
