"""The layer of attention to near tokens beside a compressed memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.attend import Reach, attend
from pilotlight.model.layer import WHOLE, Memory, MixerLayer, PositionLayer, Rows, linear
from pilotlight.model.mixers._forwards import forwards_only, recall
from pilotlight.model.mixers.delta_layer import DeltaSteps, read_corrected, unit
from pilotlight.model.mixers.linear_layer import read_states
from pilotlight.model.norms.rms_layer import rms_norm
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.mixers.compressive import Compressive
    from pilotlight.model.parametrisation import Parametrisation

TINY = 1e-6
"""Smallest sum of weights that a mean divides by."""


@final
class CompressiveLayer(MixerLayer):
    """Attention to the window, mixed by a gate with what the memory holds of the tokens before it."""

    def __init__(self, settings: Compressive, width: int, rules: Parametrisation) -> None:
        super().__init__()
        self.head_dim = settings.head_dim
        self.heads = width // settings.head_dim
        self.window, self.block = settings.window, settings.block
        self.query = matrix(width, width, rules)
        self.key = matrix(width, width, rules)
        self.value = matrix(width, width, rules)
        self.output = matrix(width, width, rules)
        self.rate = matrix(self.heads, width, rules) if settings.update == "delta" else None
        self.gate = vector(self.heads, rules, value=0.0)
        self.query_gain = vector(self.head_dim, rules, value=1.0) if settings.qk_norm else None
        self.key_gain = vector(self.head_dim, rules, value=1.0) if settings.qk_norm else None

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token takes from the window and from the memory."""
        forwards_only("compressive", rows)
        batch, time, width = hidden.shape
        joined = linear(hidden, torch.cat([self.query, self.key, self.value]))
        query, key, value = joined.view(batch, time, 3 * self.heads, self.head_dim).chunk(3, dim=2)
        if self.query_gain is not None and self.key_gain is not None:
            query, key = rms_norm(query, self.query_gain), rms_norm(key, self.key_gain)
        rate = None if self.rate is None else torch.sigmoid(linear(hidden, self.rate).float())
        # Keys are kept without their place, which the memory does not use and which the window can give them again.
        key, value = self._with_window(memory, "key", key), self._with_window(memory, "value", value)
        rate = None if rate is None else self._with_window(memory, "rate", rate)
        near = self._near(query, key, value, position, rows)
        left = key.shape[1] - self.window
        if left > 0:
            documents = None if rows.documents is None else rows.documents[:, : -self.window]
            steps = Left(query[:, -left:], key[:, :left], value[:, :left], None if rate is None else rate[:, :left])
            far = self._far(steps, documents, memory)
            share = torch.sigmoid(self.gate)[:, None]
            if rows.documents is not None and documents is not None:
                share = share * (documents[:, -left:] == rows.documents[:, -left:])[..., None, None]
            mixed = near[:, -left:] + share.to(near.dtype) * (far - near[:, -left:])
            near = torch.cat([near[:, :-left], mixed], dim=1)
        return linear(near.reshape(batch, time, width), self.output)

    def _with_window(self, memory: Memory | None, name: str, new: Tensor) -> Tensor:
        """Return ``new`` after the tokens of the window before it."""
        before = recall(memory, name, new, self.window)
        return new if before is None else torch.cat([before, new], dim=1)

    def _near(self, query: Tensor, key: Tensor, value: Tensor, position: PositionLayer, rows: Rows) -> Tensor:
        """Return what the queries take from the window, [batch time heads size]."""
        placed = rows._replace(first=rows.first - (key.shape[1] - query.shape[1]))
        query, key = position.at_attention(query, rows), position.at_attention(key, placed)
        if rows.documents is not None:
            rows = rows._replace(documents=rows.documents[:, -key.shape[1] :])
        bounds = Reach(window=self.window, slopes=position.slopes(self.heads))
        return attend(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), rows, bounds).transpose(1, 2)

    def _far(
        self, left: Left, documents: Tensor | None, memory: Memory | None
    ) -> Float[Tensor, "batch left heads size"]:
        """Return what the memory holds for each query once the token that left the window before it has been written."""
        query, key, value, rate = left
        fades = torch.zeros(*key.shape[:2], 1, device=key.device)
        if rate is not None:
            steps = DeltaSteps(unit(functional.silu(query)), unit(functional.silu(key)), value, fades, rate)
        else:
            # A column of ones adds up the weights by which the mean is divided.
            counted = functional.pad(value, (0, 1), value=1.0)
            steps = DeltaSteps(functional.elu(query) + 1, functional.elu(key) + 1, counted, fades, fades)
        state = memory.get("state", steps.empty()) if memory is not None else None
        if rate is not None:
            read, state = read_corrected(steps, self.block, documents, state)
        else:
            read, state = read_states(*steps[:4], self.block, documents, state)
            read = read[..., :-1] / read[..., -1:].clamp(min=TINY)
        if memory is not None and state is not None:
            memory["state"] = state
        return read


class Left(NamedTuple):
    """The queries before which a token left the window, and these tokens."""

    query: Float[Tensor, "batch left heads size"]
    key: Float[Tensor, "batch left heads size"]
    value: Float[Tensor, "batch left heads size"]
    rate: Float[Tensor, "batch left heads"] | None
