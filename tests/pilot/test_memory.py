"""What a device has to hold: published totals, our own models, and the least sharding that fits."""

from __future__ import annotations

import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.mixers.grouped import Grouped
from pilotlight.model.size import measure
from pilotlight.pilot.memory import Arithmetic, Devices, Layout, Shape, checkpoint_bytes, fit, parts, shape_of

MIXED = Arithmetic()
LLAMA_2_7B = Shape(6.48e9, 6.74e9, 4096, 32, 32000, 4096)
LLAMA_3_70B = Shape(68.5e9, 70.6e9, 8192, 80, 128256, 8192)
PLAIN = Layout()
STATES = ("parameters", "gradients", "optimizer states")


def states(shape: Shape, layout: Layout = PLAIN, devices: int = 1, arithmetic: Arithmetic = MIXED) -> float:
    found = parts(shape, layout, devices, arithmetic)
    return sum(found[name] for name in STATES)


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_adamw_holds_16_bytes_a_parameter_112_gb_for_7b(precision):
    shape = Shape(7e9, 7e9, 4096, 32, 32000, 4096)
    assert states(shape, arithmetic=Arithmetic(precision)) == pytest.approx(112e9)


def test_sharding_divides_what_the_zero_paper_says():
    """Rajbhandari et al. 2020, figure 1: 7.5B parameters on 64 devices take 120, 31.4, 16.6 and 1.9 GB."""
    shape = Shape(7.5e9, 7.5e9, 4096, 37, 32000, 1024)
    found = [states(shape, Layout(zero), 64) / 1e9 for zero in range(4)]
    assert found == pytest.approx([120, 31.4, 16.6, 1.9], rel=0.02)


def test_activations_are_those_of_korthikanti_et_al():
    """34 bytes per token, unit of width and block; divided by tensor parallelism; 2 and one block with recomputation."""
    rows = Layout(micro_batch=2)
    whole = parts(LLAMA_2_7B, rows, 1, MIXED)["activations"]
    assert whole == 34 * 2 * 4096 * 4096 * 32
    assert parts(LLAMA_2_7B, Layout(tensor_parallel=8, micro_batch=2), 8, MIXED)["activations"] == whole / 8
    assert parts(LLAMA_2_7B, Layout(recompute=True, micro_batch=2), 1, MIXED)["activations"] == pytest.approx(
        whole * (2 / 34 + 1 / 32)
    )


@pytest.mark.parametrize(("depth", "width"), [(4, 128), (6, 256)])
def test_a_model_of_our_own_weighs_what_is_counted_from_its_module(depth, width):
    decoder = Decoder(depth=depth, width=width, tied=False, mixer=Grouped(head_dim=32))
    size = measure(decoder, 1000, 256)
    shape = Shape(size.parameters, size.total_parameters, width, depth, 1000, 256)
    with torch.device("meta"):
        model = decoder.build(1000)
    weights = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    assert parts(shape, Layout(), 1, Arithmetic("float32"))["parameters"] == weights
    assert checkpoint_bytes(shape, MIXED) == 3 * weights
    assert shape.training_flops_per_token == pytest.approx(size.training_flops_per_token, rel=0.02)


def test_a_usual_shape_has_the_parameters_and_flops_that_were_asked_for():
    shape = shape_of(6.5e9, 4096, 32000)
    assert (shape.width, shape.depth) == (4096, 32), "Llama 2 7B"
    assert shape.total_parameters == pytest.approx(6.74e9, rel=0.01)
    assert shape.training_flops_per_token / (6 * 6.5e9) == pytest.approx(1.19, abs=0.03)
    for parameters in (1e6, 3e7, 1.3e9, 7e10, 4e11):
        found = shape_of(parameters, 2048, 32000)
        assert 12 * found.depth * found.width**2 == pytest.approx(parameters, rel=0.25)


def test_saved_activations_of_a_real_block_are_of_the_size_of_the_formula():
    decoder = Decoder(depth=4, width=128, mixer=Grouped(head_dim=32))
    torch.manual_seed(0)
    model = decoder.build(64)
    ids, seen = torch.randint(0, 64, (2, 128)), {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if not any(tensor.data_ptr() == parameter.data_ptr() for parameter in model.parameters()):
            seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        held = model.logits(ids)
    assert held.shape[-1] == 64
    shape = Shape(1e6, 1e6, 128, 4, 64, 128)
    told = parts(shape, Layout(micro_batch=2), 1, Arithmetic("float32"))["activations"]
    assert 0.5 < sum(seen.values()) / told < 2


def test_the_least_sharding_that_fits_is_chosen():
    small = fit(shape_of(1e8, 1024, 32000), Devices(80e9, 8), MIXED)
    assert (small.fits, small.zero, small.tensor_parallel, small.recompute) == (True, 0, 1, False)
    middle = fit(LLAMA_2_7B, Devices(80e9, 64), MIXED)
    assert (middle.fits, middle.zero, middle.tensor_parallel) == (True, 1, 1)
    large = fit(LLAMA_3_70B, Devices(80e9, 64), MIXED)
    assert (large.fits, large.recompute) == (True, False)
    assert large.tensor_parallel > 1, "NVLink divides the activations"
    apart = fit(LLAMA_3_70B, Devices(80e9, 64, linked=False), MIXED)
    assert (apart.fits, apart.zero, apart.tensor_parallel, apart.recompute) == (True, 3, 1, True)
    for found in (small, middle, large):
        assert found.needed <= 0.9 * found.capacity
        assert found.needed == pytest.approx(sum(found.parts.values()))
        assert found.parts[found.dominates] == max(found.parts.values())
    assert fit(LLAMA_2_7B, Devices(80e9, 64), MIXED, most_rows=1).micro_batch == 1


def test_what_does_not_fit_says_so_and_what_takes_most():
    found = fit(LLAMA_3_70B, Devices(24e9, 1), MIXED)
    assert not found.fits
    assert found.dominates == "optimizer states"
    assert "does not fit" in found.because
    assert "more or larger devices" in found.because
    assert fit(LLAMA_3_70B, Devices(24e9, 1), Arithmetic(optimizer="adafactor")).needed < found.needed
