"""A dated table of accelerators: what their data sheets promise and what an hour of them costs.

Peaks are dense bfloat16 matrix FLOPs per second with float32 sums (float16 for the V100, which has no bfloat16). Power is
that of one board or package at full load. Prices are list prices for one device and one hour on demand from public
catalogues; they differ by four times between providers and change monthly, so a table or a price of one's own goes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from pilotlight.errors import ConfigError, nearest
from pilotlight.spec import Record, Spec
from pilotlight.units import Count, Money, read_count

PRICES_OF = "2026-10"
"""Month of the table: prices are of this month or the one before, unless their source names another."""
_SHEET = "vendor's data sheet"


class Accelerator(Record):
    """One kind of accelerator; None where no figure is published."""

    name: str
    peak_flops: float
    """Dense bfloat16 matrix FLOPs per second."""
    memory: float | None = None
    """Bytes of one device."""
    bandwidth: float | None = None
    """Bytes per second between the device and its memory."""
    power: float | None = None
    """Watts of one device at full load."""
    price_per_hour: float | None = None
    """US dollars, on demand."""
    float32_share: float = 0.5
    """Peak of float32 products (TF32 where there is one) by that of bfloat16."""
    linked: bool = True
    """Whether the devices of a host have a link of their own, fast enough to divide each matrix over them."""
    sheet: str = _SHEET
    """Where peak, memory, bandwidth and power come from."""
    catalogue: str = ""
    """Where the price comes from, and when it was read."""


def _row(name: str, peak: float, memory: float, bandwidth: float, power: float | None, price: float, catalogue: str,
         **more: Any) -> Accelerator:  # fmt: skip
    """Return a row from TFLOPs per second, GB, GB per second, watts and dollars."""
    return Accelerator(
        name=name, peak_flops=peak * 1e12, memory=memory * 1e9, bandwidth=bandwidth * 1e9, power=power,
        price_per_hour=price, catalogue=catalogue, **more,
    )  # fmt: skip


_TPU = {"float32_share": 1 / 6, "sheet": "Google's TPU documentation; float32 as six bfloat16 passes"}
_OLD = "list price of 2025, not read again"
_TPU_V4 = {**_TPU, "sheet": f"{_TPU['sheet']}; power: largest measured in Jouppi et al. 2023"}

ACCELERATORS: dict[str, Accelerator] = {
    item.name: item
    for item in (
        _row("V100", 125, 32, 900, 300, 0.79, "Lambda, 2026-09", float32_share=0.125,
             sheet="vendor's data sheet; float16, the V100 has no bfloat16"),
        _row("A100", 312, 80, 2039, 400, 1.39, "RunPod, 2026-10"),
        _row("A100 40GB", 312, 40, 1555, 400, 1.99, "Lambda, 2026-09"),
        _row("A6000", 155, 48, 768, 300, 1.09, "Lambda, 2026-10", linked=False),
        _row("L4", 121, 24, 300, 72, 0.44, "Jarvislabs, 2026-10", linked=False),
        _row("L40S", 362, 48, 864, 350, 1.39, "Gcore, 2026-10", linked=False),
        _row("RTX 4090", 165, 24, 1008, 450, 0.29, "OpenRelay (marketplace), 2026-09", linked=False),
        _row("RTX 5090", 209, 32, 1792, 575, 0.69, _OLD, linked=False),
        _row("H100", 989, 80, 3350, 700, 2.95, "Nebius, 2026-10"),
        _row("H100 PCIe", 756, 80, 2000, 350, 2.89, "RunPod, 2026-10", linked=False),
        _row("H200", 989, 141, 4800, 700, 3.50, "Nebius, 2026-10"),
        _row("B200", 2250, 180, 8000, 1000, 5.50, "Nebius, 2026-10"),
        _row("GB200", 2500, 186, 8000, 1200, 10.50, "CoreWeave, 2026-09"),
        _row("MI300X", 1307, 192, 5300, 750, 2.59, "DigitalOcean, 2026-10"),
        _row("MI325X", 1307, 256, 6000, 1000, 2.25, _OLD),
        _row("TPU v4", 275, 32, 1228, 192, 3.22, f"Google, {_OLD}", **_TPU_V4),
        _row("TPU v5e", 197, 16, 819, None, 1.20, f"Google, {_OLD}", **_TPU),
        _row("TPU v5p", 459, 95, 2765, None, 4.20, f"Google, {_OLD}", **_TPU),
        _row("TPU v6e", 918, 32, 1638, None, 2.70, f"Google, {_OLD}", **_TPU),
    )
}  # fmt: skip


def _read_bytes(text: Any) -> float:
    """Return bytes from a number or text such as ``80 GB`` or ``3.35 TB/s``."""
    if not isinstance(text, str):
        return read_count(text)
    return read_count(text.strip().removesuffix("/s").removesuffix("B").strip())


Size = Annotated[float, BeforeValidator(_read_bytes, json_schema_input_type=str | float)]


class _OwnRow(Spec):
    """One row of a table of the user's own; what it leaves out is taken from ours."""

    peak_flops: Count | None = Field(default=None, gt=0)
    memory: Size | None = Field(default=None, gt=0)
    bandwidth: Size | None = Field(default=None, gt=0)
    power: Count | None = Field(default=None, gt=0)
    price_per_hour: Money | None = None
    float32_share: float | None = Field(default=None, gt=0, le=1)
    linked: bool | None = None
    source: str = ""


def _key(name: str) -> str:
    """Return what names are compared by: ``NVIDIA H100-SXM`` and ``h100`` are one."""
    text = name.upper().replace("NVIDIA", "").replace("SXM", "").replace("80GB", "")
    return "".join(mark for mark in text if mark.isalnum())


def read_table(path: Path) -> dict[str, Accelerator]:
    """Return our table with the rows of a YAML or JSON file put in: a name, and the figures that differ.

    Raises:
        ConfigError: the file cannot be read, or a row does not say what a new accelerator can do.
    """
    from pilotlight.plan_file import read_yaml, validated

    data, _ = read_yaml(path)
    table = dict(ACCELERATORS)
    for name, row in data.items():
        own = validated(_OwnRow, row if isinstance(row, dict) else {"row": row}, f"{path}: {name}")
        known = next((item for item in table.values() if _key(item.name) == _key(str(name))), None)
        source = own.source or path.name
        if known is None and own.peak_flops is None:
            raise ConfigError(
                f"{path}: {name}: peak_flops is missing; an accelerator that the table does not have needs it (dense "
                f"bfloat16 FLOPs per second, such as 989T).{nearest(str(name), table)}"
            )
        figures = own.model_dump(exclude_none=True, exclude={"source"})
        origin = {"catalogue": source} if "price_per_hour" in figures else {}
        if figures.keys() - {"price_per_hour"}:
            origin["sheet"] = source
        row_name = known.name if known else str(name)
        base = known.model_dump() if known else {"name": row_name}
        table[row_name] = Accelerator.model_validate(base | figures | origin)
    return table


def find(
    name: str, table: Mapping[str, Accelerator] = ACCELERATORS, where: str = "goal.hardware.accelerator"
) -> Accelerator:
    """Return the accelerator called ``name``, however it is spelled.

    Raises:
        ConfigError: the table does not have it.
    """
    for item in table.values():
        if _key(item.name) == _key(name):
            return item
    here = "'this machine', " if where.startswith("goal") else ""
    raise ConfigError(
        f"{where}: {name!r} is not in the table ({', '.join(table)}). Use one of them, {here}a receipt from "
        f"`pilot doctor --bench` there, or a table of your own.{nearest(name.upper(), table)}"
    )
