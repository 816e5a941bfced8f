"""The table of accelerators: names, figures with their source, and rows of the user's own."""

from __future__ import annotations

import json

import pytest

from pilotlight.errors import ConfigError
from pilotlight.pilot.accelerators import ACCELERATORS, find, read_table

KNOWN = {
    "H100": (989e12, 80e9, 3.35e12, 700), "A100": (312e12, 80e9, 2.039e12, 400), "RTX 4090": (165e12, 24e9, 1.008e12, 450),
    "MI300X": (1307e12, 192e9, 5.3e12, 750), "TPU v5e": (197e12, 16e9, 819e9, None), "TPU v6e": (918e12, 32e9, 1.638e12, None),
}  # fmt: skip


@pytest.mark.parametrize("name", list(KNOWN))
def test_the_figures_are_those_of_the_data_sheets(name):
    item = ACCELERATORS[name]
    assert (item.peak_flops, item.memory, item.bandwidth, item.power) == KNOWN[name]


def test_gpus_and_tpus_of_several_generations_are_there_each_with_its_sources():
    wanted = {"V100", "A100 40GB", "A6000", "L4", "L40S", "RTX 5090", "H100 PCIe", "H200", "B200", "GB200", "MI325X",
              "TPU v4", "TPU v5p"}  # fmt: skip
    assert wanted <= set(ACCELERATORS)
    for item in ACCELERATORS.values():
        assert item.sheet, item.name
        assert "202" in item.catalogue, f"{item.name}: the price is dated"
        assert 100 < item.peak_flops / item.bandwidth < 700, f"{item.name}: FLOPs per byte of a real accelerator"
        assert 0.0005 < item.price_per_hour / (item.peak_flops / 1e12) < 0.02, f"{item.name}: dollars per peak"


@pytest.mark.parametrize(("spelled", "name"), [
    ("h100", "H100"), ("NVIDIA H100-SXM", "H100"), ("h100_pcie", "H100 PCIe"), ("rtx4090", "RTX 4090"),
    ("tpu-v5p", "TPU v5p"), ("A100 80GB", "A100"), ("a100-40gb", "A100 40GB"),
])  # fmt: skip
def test_a_name_is_found_however_it_is_spelled(spelled, name):
    assert find(spelled).name == name


def test_an_unknown_name_is_answered_with_the_nearest_and_the_place():
    with pytest.raises(ConfigError, match=r"--hardware: 'H220' is not in the table .* Did you mean 'H200'"):
        find("H220", where="--hardware")


def test_a_table_of_ones_own_changes_only_what_it_names(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("h100: {price_per_hour: 2.10 USD}\nGaudi 3: {peak_flops: 1.8P, memory: 128 GB, power: 900}\n")
    with pytest.raises(ConfigError, match=r"mine.yaml: Gaudi 3.*1.8P"):
        read_table(path)
    path.write_text(
        "h100: {price_per_hour: 2.10 USD}\nGaudi 3: {peak_flops: 1835T, memory: 128 GB, bandwidth: 3.7 TB/s}\n"
    )
    table = read_table(path)
    assert table["H100"].price_per_hour == 2.1
    assert table["H100"].catalogue == "mine.yaml"
    assert table["H100"].sheet == ACCELERATORS["H100"].sheet
    gaudi = find("gaudi3", table)
    assert (gaudi.peak_flops, gaudi.memory, gaudi.bandwidth) == (1835e12, 128e9, 3.7e12)
    assert gaudi.price_per_hour is None
    assert ACCELERATORS["H100"].price_per_hour != 2.1, "our own table stays as it is"
    as_json = tmp_path / "mine.json"
    as_json.write_text(json.dumps({"H100": {"power": 650, "source": "measured"}}))
    assert read_table(as_json)["H100"].sheet == "measured"


@pytest.mark.parametrize(("row", "words"), [
    ("{memory: 80 GB}", "peak_flops is missing"), ("{peak: 1T}", "peak_flops"), ("3", "row"),
])  # fmt: skip
def test_a_row_that_says_too_little_is_refused(tmp_path, row, words):
    path = tmp_path / "mine.yaml"
    path.write_text(f"Mystery: {row}\n")
    with pytest.raises(ConfigError, match=words):
        read_table(path)
