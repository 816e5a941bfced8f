"""Parameters that know how they start, what they are for and how their optimiser settings scale."""

from __future__ import annotations

import torch
from torch import nn

from pilotlight.model.initialisations import Initialisation, Place
from pilotlight.model.parametrisation import Parametrisation, Role, Scaling, Start
from pilotlight.randomness import seed_for

__all__ = [
    "Role",
    "Scaling",
    "Start",
    "initialise",
    "matrix",
    "restart",
    "role_of",
    "scaling_of",
    "start_of",
    "vector",
    "weight",
]


def weight(*shape: int, start: Start, role: Role, scaling: Scaling | None = None) -> nn.Parameter:
    """Return an uninitialised float32 parameter that carries ``start``, ``role`` and ``scaling`` as attributes.

    ``initialise`` fills it; the optimiser reads ``parameter.role`` and ``parameter.scaling``.
    """
    parameter = nn.Parameter(torch.empty(*shape, dtype=torch.float32))
    parameter.start = start  # pyright: ignore[reportAttributeAccessIssue]
    parameter.role = role  # pyright: ignore[reportAttributeAccessIssue]
    parameter.scaling = scaling or Scaling()  # pyright: ignore[reportAttributeAccessIssue]
    return parameter


def matrix(outputs: int, inputs: int, rules: Parametrisation) -> nn.Parameter:
    """Return the parameter of a matrix product inside a block, [outputs inputs]."""
    return weight(
        outputs, inputs, start=rules.matrix_start(inputs), role=Role.MATRIX, scaling=rules.scaling(Role.MATRIX)
    )


def vector(size: int, rules: Parametrisation, *, value: float, in_block: bool = True) -> nn.Parameter:
    """Return the parameter of a gain (value 1) or a bias (value 0), [size]."""
    start = Start("ones" if value == 1.0 else "zeros")
    return weight(size, start=start, role=Role.VECTOR, scaling=rules.scaling(Role.VECTOR, in_block=in_block))


def start_of(parameter: torch.Tensor) -> Start | None:
    """Return the start the parameter was declared with, or None."""
    return getattr(parameter, "start", None)


def role_of(parameter: torch.Tensor) -> Role:
    """Return the role the parameter was declared with; without one, matrices and vectors are told by their shape."""
    return getattr(parameter, "role", Role.MATRIX if parameter.ndim > 1 else Role.VECTOR)


def scaling_of(parameter: torch.Tensor) -> Scaling:
    """Return the optimiser factors the parameter was declared with; without any, all of them are 1."""
    return getattr(parameter, "scaling", Scaling())


def restart(model: nn.Module, initialisation: Initialisation, depth: int) -> None:
    """Give the parameters that were declared with a normal start the one that ``initialisation`` has for them."""
    for name, parameter in model.named_parameters():
        start = start_of(parameter)
        if start is not None and start.kind == "normal":
            place = Place(name, tuple(parameter.shape), depth)
            parameter.start = initialisation.start(start, role_of(parameter), place)  # pyright: ignore[reportAttributeAccessIssue]


@torch.no_grad()
def initialise(model: nn.Module, seed: int) -> None:
    """Fill every parameter from a stream addressed by the parameter's name.

    Two variants that share a seed share the values of every parameter of the same name and shape, whatever else they
    hold; drawn on the CPU, so the device does not matter either.

    Raises:
        ValueError: a parameter was made without ``weight()`` and so has no start.
    """
    for name, parameter in model.named_parameters():
        start = start_of(parameter)
        if start is None:
            raise ValueError(f"the parameter {name!r} has no start; make it with pilotlight.model.weight.weight()")
        if start.kind == "normal":
            generator = torch.Generator().manual_seed(seed_for(seed, "weights", name))
            shape = tuple(parameter.shape)
            drawn = torch.randn(shape, generator=generator) if start.by is None else start.by.draw(shape, generator)
            parameter.copy_(drawn.mul_(start.std))
        else:
            parameter.fill_(1.0 if start.kind == "ones" else 0.0)
