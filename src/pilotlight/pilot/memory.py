"""What one device has to hold in a training, and the least sharding with which it does.

Weights, gradients and optimizer states by Rajbhandari et al. 2020 (ZeRO, section 3.1: 2 + 2 + 12 bytes per parameter for
AdamW in mixed precision), activations by Korthikanti et al. 2022 (eq. 2 and 4: 34 bytes per token, block and unit of width
in 16 bits, without the attention's square, which fused attention never stores). An estimate: measure with `pilot doctor`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pilotlight.record.expense import MemoryFit
from pilotlight.units import show_bytes

STATES: dict[str, float] = {
    "adam": 8, "adamw": 8, "schedule_free_adamw": 8, "lion": 4, "muon": 4, "sgd": 4, "adagrad": 4, "schedule_free_sgd": 4,
    "adafactor": 0.1, "soap": 24,
}  # fmt: skip
"""Bytes per parameter that an optimizer keeps in float32; of Muon without the embedding's Adam, of SOAP for square matrices."""
BLOCK_ACTIVATIONS = 34
"""Bytes per token and unit of width that one block keeps for its backward pass, in 16 bits."""
BLOCK_INPUT = 2
"""The same with recomputation: the block's input alone."""
LOGIT_BYTES = 8
"""Bytes per token and id of the vocabulary: logits and their gradient in float32."""
RESERVED = 0.1
"""Share of a device that stays free for the framework, communication and fragmentation; an assumption."""
GATHERED_BLOCKS = 3
"""Whole blocks that a device holds at once when parameters are sharded: in use, fetched ahead, and one's gradients."""
MOST_ROWS = 64
ASPECT = 128
"""Width per block of published models of 1B parameters and more; of smaller ones 64."""
_NAMES = ("nothing sharded", "optimizer states sharded (ZeRO-1)", "gradients sharded too (ZeRO-2)",
          "parameters sharded too (ZeRO-3, FSDP)")  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A decoder-only transformer as far as its memory and FLOPs need it."""

    parameters: float
    """Non-embedding parameters."""
    total_parameters: float
    width: int
    depth: int
    vocabulary: int
    context: int

    @property
    def training_flops_per_token(self) -> float:
        """6 per parameter, 12 x depth x width x context for attention over the full row, 6 x vocabulary x width for logits."""
        attention = 12 * self.depth * self.width * self.context
        return 6 * self.parameters + attention + 6 * self.vocabulary * self.width


def shape_of(parameters: float, context: int, vocabulary: int, tied: bool = False) -> Shape:
    """Return a usual shape for a number of non-embedding parameters: 12 x depth x width squared, width a multiple of 64."""
    aspect = ASPECT if parameters >= 1e9 else ASPECT / 2
    width = max(64, 64 * round((parameters * aspect / 12) ** (1 / 3) / 64))
    depth = max(1, round(parameters / (12 * width**2)))
    total = parameters + (1 if tied else 2) * vocabulary * width
    return Shape(parameters, total, width, depth, vocabulary, context)


@dataclass(frozen=True)
class Layout:
    """How a training is spread over devices."""

    zero: int = 0
    tensor_parallel: int = 1
    recompute: bool = False
    micro_batch: int = 1

    def words(self) -> str:
        """Return the layout in words."""
        parts = [_NAMES[self.zero]]
        if self.tensor_parallel > 1:
            parts.append(f"matrices over {self.tensor_parallel} devices")
        if self.recompute:
            parts.append("activations recomputed")
        return f"{', '.join(parts)}, {self.micro_batch} row{'s' if self.micro_batch > 1 else ''} at once"


@dataclass(frozen=True)
class Arithmetic:
    """Precision and optimizer, which decide the bytes of a parameter."""

    precision: str = "bfloat16"
    optimizer: str = "adamw"

    @property
    def weight_bytes(self) -> int:
        """Bytes of a weight in the products, and of its gradient."""
        return 4 if self.precision == "float32" else 2

    @property
    def state_bytes(self) -> float:
        """Bytes of a parameter that only the optimizer reads: its states, and a float32 copy where weights are shorter."""
        return STATES.get(self.optimizer, 8) + (0 if self.precision == "float32" else 4)


def parts(shape: Shape, layout: Layout, devices: int, arithmetic: Arithmetic) -> dict[str, float]:
    """Return the bytes of one device by what takes them."""
    over = layout.tensor_parallel
    replicas = max(1, devices // over)
    held = shape.total_parameters / over
    weight = arithmetic.weight_bytes
    found = {
        "parameters": held * weight / (replicas if layout.zero >= 3 else 1),
        "gradients": held * weight / (replicas if layout.zero >= 2 else 1),
        "optimizer states": held * arithmetic.state_bytes / (replicas if layout.zero >= 1 else 1),
    }
    if layout.zero >= 3:
        found["gathered blocks"] = GATHERED_BLOCKS * shape.parameters / shape.depth / over * weight
    tokens = layout.micro_batch * shape.context
    block = tokens * shape.width * BLOCK_ACTIVATIONS * weight / 2 / over
    kept = tokens * shape.width * BLOCK_INPUT * weight / 2
    found["activations"] = shape.depth * kept + block if layout.recompute else shape.depth * block
    found["logits"] = tokens * shape.vocabulary * LOGIT_BYTES / over
    return found


def checkpoint_bytes(shape: Shape, arithmetic: Arithmetic) -> float:
    """Return the bytes of a checkpoint: float32 weights and the optimizer's states."""
    return shape.total_parameters * (4 + STATES.get(arithmetic.optimizer, 8))


def _layouts(devices: int, linked: bool) -> Iterator[Layout]:
    """Yield layouts from what costs least speed to what costs most.

    Sharding first. Matrices are divided over the devices of a host before activations are computed again where a link is
    fast enough for it, and after where it is not.
    """
    splits = [over for over in (1, 2, 4, 8) if over <= devices and devices % over == 0]
    ways = [(over, recompute) for recompute in (False, True) for over in splits]
    if not linked:
        ways.sort()
    for over, recompute in ways:
        for zero in range(4):
            if zero == 0 or devices // over > 1:
                yield Layout(zero, over, recompute)


@dataclass(frozen=True)
class Devices:
    """What a training has to fit into."""

    capacity: float
    """Bytes of one device."""
    count: int
    linked: bool = True
    """Whether the devices of a host have a link fast enough to divide matrices over them."""


def fit(shape: Shape, devices: Devices, arithmetic: Arithmetic, most_rows: int = MOST_ROWS) -> MemoryFit:
    """Return the least sharding with which a training fits into ``devices``, and its largest micro-batch.

    Pipeline parallelism is not considered. ``most_rows`` is how many rows of a step one device gets at most.
    """
    room = devices.capacity * (1 - RESERVED)

    def needed(layout: Layout) -> float:
        return sum(parts(shape, layout, devices.count, arithmetic).values())

    ways = list(_layouts(devices.count, devices.linked))
    found = next((layout for layout in ways if needed(layout) <= room), None)
    if found is None:
        return _record(shape, min(ways, key=needed), devices, arithmetic, fits=False)
    while found.micro_batch * 2 <= most_rows:
        more = replace(found, micro_batch=2 * found.micro_batch)
        if needed(more) > room:
            break
        found = more
    return _record(shape, found, devices, arithmetic, fits=True)


def _record(shape: Shape, layout: Layout, devices: Devices, arithmetic: Arithmetic, fits: bool) -> MemoryFit:
    capacity = devices.capacity
    found = parts(shape, layout, devices.count, arithmetic)
    needed, largest = sum(found.values()), max(found, key=lambda name: found[name])
    free = f"{show_bytes(needed)} of {show_bytes(capacity)} a device, {100 * RESERVED:g} % kept free"
    because = f"{layout.words()}: {free}; {largest} take most ({show_bytes(found[largest])})"
    if not fits:
        because = (
            f"does not fit: even with {because}; take more or larger devices, a shorter context, or pipeline stages"
        )
    return MemoryFit(
        fits=fits, capacity=capacity, needed=needed, zero=layout.zero, tensor_parallel=layout.tensor_parallel,
        recompute=layout.recompute, micro_batch=layout.micro_batch, parts=found, dominates=largest, because=because,
    )  # fmt: skip
