"""Optimisers, one per file. ``plan.train.optim.kind`` is the file's name."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.model.parametrisation import Role
from pilotlight.spec import Part, Spec

if TYPE_CHECKING:
    import torch

DecayRule = Literal["decoupled", "independent", "gradient", "cautious"]

Betas = tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]]
"""What two moving averages keep at every step."""

_MOST_INDEPENDENT = 0.02
"""Of a weight, lost in one step: more is a decay that was meant to be multiplied by the rate."""


@final
class RoleSettings(Spec):
    """What parameters of one role have of their own."""

    lr_factor: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Learning rate of these parameters, as a multiple of ``lr``; 0 freezes them."""
    weight_decay: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Weight decay of these parameters, whatever ``decayed`` says; null: ``weight_decay`` if their role is in it."""


@final
class Roles(Spec):
    """Settings by role (``model.parametrisation.Role``)."""

    embedding: RoleSettings = RoleSettings()
    """Tables looked up by id or by position."""
    matrix: RoleSettings = RoleSettings()
    """Matrix products inside blocks."""
    vector: RoleSettings = RoleSettings()
    """Gains and biases."""
    output: RoleSettings = RoleSettings()
    """The matrix that makes logits, where it is not the embedding."""

    def of(self, role: Role) -> RoleSettings:
        """Return the settings of one role."""
        return getattr(self, role.value)


class Optim(Part):
    """Settings of an optimiser. Multipliers for single parameters come from the model (``weight.Scaling``)."""

    folder: ClassVar[str] = "pilotlight.train.optim"
    own_decay: ClassVar[DecayRule] = "decoupled"
    """What the optimiser that ``make`` returns does with the ``weight_decay`` of its groups."""

    lr: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    """Peak learning rate at the model's base shape; the schedule scales it over the steps."""
    weight_decay: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """Weight decay at each step, by ``decay_rule``."""
    decay_rule: DecayRule = "decoupled"
    """``decoupled``: weights shrink by rate x decay (Loshchilov and Hutter 2019, as torch has it). ``independent``: by
    schedule x decay, whatever the peak rate (the same paper's own form; arXiv 2309.14322). ``gradient``: decay x weight
    is added to the gradient (L2). ``cautious``: decoupled, but only of weights that the update makes smaller as well
    (arXiv 2510.12402)."""
    decayed: tuple[Role, ...] = (Role.MATRIX, Role.OUTPUT)
    """Roles of the parameters that decay; embeddings and vectors do not (OLMo 2, arXiv 2501.00656, section 3)."""
    roles: Roles = Roles()
    """Learning rates and decays by role, such as ``{embedding: {lr_factor: 0.3, weight_decay: 0.01}}``."""

    @model_validator(mode="after")
    def _independent_decay_is_small(self) -> Self:
        found = max([self.weight_decay, *(self.roles.of(role).weight_decay or 0.0 for role in Role)])
        if self.decay_rule == "independent" and found > _MOST_INDEPENDENT:
            raise ValueError(f"weight_decay: {found:g} with decay_rule independent is the share of a weight that goes at "
                             f"every step at the peak; expected at most {_MOST_INDEPENDENT:g}, such as {self.lr * 0.1:g} "
                             "(a rate times a decoupled decay of 0.1)")  # fmt: skip
        return self

    @final
    def build(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return the optimiser of a model's parameters, with the decay that ``decay_rule`` asks for."""
        from pilotlight.train.optim._decay import with_rule

        return with_rule(self.make(model), self)

    @abstractmethod
    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return a torch optimiser over ``groups.parameter_groups(model, self)``; each group keeps its ``peak`` rate."""
