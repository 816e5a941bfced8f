"""Losses and gradients of several models of one shape, computed in one program over their stacked parameters."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch
from torch import nn

from pilotlight.model.layer import Rows
from pilotlight.model.weight import initialise
from pilotlight.train.asked import Asked
from pilotlight.train.compute import keep_all_graphs
from pilotlight.train.final import DTYPES
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan
from pilotlight.train.seat import Question, Reply

if TYPE_CHECKING:
    from jaxtyping import Float32

Program = Callable[..., "Float32[torch.Tensor, 'slots rows context']"]


class Form(NamedTuple):
    """What questions have to have in common to be answered by one program."""

    shape: tuple[int, ...]
    rows: tuple[bool, ...]
    """Of the rows: causal, in training, and which of documents, visible prefix and seeds there are."""
    with_gradient: bool

    @classmethod
    def of(cls, question: Question) -> Form:
        """Return the form of a question."""
        rows = question.asked.rows
        given = (rows.documents is not None, rows.visible is not None, rows.seeds is not None)
        return cls(tuple(question.asked.inputs.shape), (rows.causal, rows.training, *given), question.scale is not None)


@final
class _Asking(nn.Module):
    """A model together with the way its objective asks it."""

    def __init__(self, model: nn.Module, losses: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.model = model
        self._losses = losses

    def forward(self, inputs: torch.Tensor, targets: torch.Tensor, rows: Rows) -> torch.Tensor:
        return self._losses(self.model, inputs, targets, rows)


@final
class Stack:
    """Answers up to ``slots`` questions at once.

    There are always ``slots`` models in the program, empty slots holding copies of another one: so what one training gets
    depends on its own weights, its slot and the number of slots, and not on how many others are still under way.
    """

    def __init__(self, plan: Plan, machine: Machine, vocabulary: int, slots: int) -> None:
        model = plan.model.build(plan.ids(vocabulary))
        model.compute_dtype = DTYPES[plan.train.precision]
        initialise(model, 0)
        self._asking = _Asking(model.to(machine.device), plan.train.objective.losses).requires_grad_(False)
        self._slots, self.ids = slots, plan.ids(vocabulary)
        self._compiled = False
        self._programs: dict[Form, Program] = {}

    @property
    def slots(self) -> int:
        """Models in the program."""
        return self._slots

    def compile(self) -> None:
        """Compile every program when it is first used."""
        keep_all_graphs()
        self._compiled = True
        self._programs.clear()

    def plain(self) -> None:
        """Compile no program from now on."""
        self._compiled = False
        self._programs.clear()

    def warm_up(self, training: Asked, held_out: Asked) -> None:
        """Reply made-up questions, such as a training and its evaluations ask."""
        parameters = dict(self._asking.model.named_parameters())
        scale = torch.ones(training.targets.shape, device=training.targets.device)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of operations that are slow in a stack, and of the compiler about itself
            self.answer({0: Question(parameters, training, scale)})
            self.answer({0: Question(parameters, held_out, None)})

    def answer(self, questions: Mapping[int, Question]) -> dict[int, Reply]:
        """Return the answers by slot; questions of one form are answered together."""
        by_form: dict[Form, dict[int, Question]] = {}
        for slot, question in questions.items():
            by_form.setdefault(Form.of(question), {})[slot] = question
        found: dict[int, Reply] = {}
        for form, alike in by_form.items():
            found |= self._together(form, alike)
        return found

    def _together(self, form: Form, questions: Mapping[int, Question]) -> dict[int, Reply]:
        first = next(iter(questions.values()))
        chosen = [questions.get(slot, first) for slot in range(self._slots)]
        stacked = {name: torch.stack([one.parameters[name].detach() for one in chosen]) for name in first.parameters}
        program = self._program(form)
        asked = [_joined([_tensors(one.asked)[place] for one in chosen]) for place in range(5)]
        if not form.with_gradient:
            with torch.no_grad():
                nats = program(stacked, *asked)
            return {slot: Reply(nats[slot], {}) for slot in questions}
        names = list(stacked)
        for tensor in stacked.values():
            tensor.requires_grad_()
        nats = program(stacked, *asked)
        scale = torch.stack([one.scale for one in chosen if one.scale is not None])
        found = torch.autograd.grad((nats * scale).sum(), [stacked[name] for name in names], allow_unused=True)
        nats = nats.detach()
        # Fused optimisers go through memory, so a gradient has to lie there as its parameter does.
        gradients = {name: one.contiguous() for name, one in zip(names, found, strict=True) if one is not None}
        return {slot: Reply(nats[slot], {name: one[slot] for name, one in gradients.items()}) for slot in questions}

    def _program(self, form: Form) -> Program:
        """Return (stacked parameters, inputs, targets, documents, visible, seeds) -> nats [slots rows context]."""
        if form not in self._programs:
            causal, training, *given = form.rows

            def losses(
                parameters: Any, inputs: Any, targets: Any, documents: Any, visible: Any, seeds: Any
            ) -> torch.Tensor:
                rows = Rows(causal=causal, documents=documents, visible=visible, seeds=seeds, training=training)
                named = {f"model.{name}": value for name, value in parameters.items()}
                return torch.func.functional_call(self._asking, named, (inputs, targets, rows))

            dims = (0, 0, 0, *(0 if one else None for one in given))
            program = torch.vmap(losses, in_dims=dims)
            self._programs[form] = torch.compile(program, dynamic=False) if self._compiled else program
        return self._programs[form]


def _tensors(asked: Asked) -> tuple[torch.Tensor | None, ...]:
    return asked.inputs, asked.targets, asked.rows.documents, asked.rows.visible, asked.rows.seeds


def _joined(tensors: list[torch.Tensor | None]) -> torch.Tensor | None:
    there = [tensor for tensor in tensors if tensor is not None]
    return torch.stack(there) if there else None
