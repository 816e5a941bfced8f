"""Units of work as tasks of a Ray cluster: one remote call for each, nothing else of Ray."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self, final

from pilotlight.errors import ConfigError
from pilotlight.events import Watcher, silent
from pilotlight.work.perform import perform
from pilotlight.work.unit import Outcome, Unit, UnitStarted

_RETRIES = 2


@final
class Cluster:
    """Does units on the Ray cluster at ``address``; every machine of it has to see the folders under the same paths.

    Args:
        address: as ``ray.init`` takes it: ``auto`` for the cluster this machine belongs to, ``host:port``, or
            ``local`` for a cluster of this machine alone.
        cores: of a machine that one unit takes.
    """

    def __init__(self, address: str = "auto", cores: float = 1.0) -> None:
        self._address, self._cores = address, cores
        self._ray: Any = None

    def __enter__(self) -> Self:
        try:
            ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise ConfigError(
                "work on a cluster needs the package ray. Install pilotlight with the extra 'cluster', or leave the "
                "cluster out and start the command on each machine with --worker i/n."
            ) from error
        self._ray = ray
        if not ray.is_initialized():
            try:
                ray.init(address=self._address, logging_level="error", log_to_driver=False, include_dashboard=False)
            except ConnectionError as error:
                raise ConfigError(
                    f"no Ray cluster answers at {self._address!r} ({error}). Start one with `ray start --head`, or give "
                    "its host:port."
                ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        self._ray.shutdown()

    def run(self, units: Sequence[Unit], *, watch: Watcher = silent) -> Iterator[Outcome]:
        """Yield one outcome per unit as they complete. A unit whose machine is lost is started again twice."""
        remote = self._ray.remote(num_cpus=self._cores, max_retries=_RETRIES)(_perform)
        running: dict[Any, Unit] = {}
        for unit in units:
            running[remote.remote(unit.key, unit.call, unit.arguments)] = unit
            watch(UnitStarted(unit.key, 1))
        while running:
            ready, _ = self._ray.wait(list(running))
            for reference in ready:
                unit = running.pop(reference)
                try:
                    answer: dict[str, Any] = self._ray.get(reference)
                except self._ray.exceptions.RayError as error:
                    told = " ".join(str(error).split())[:500]
                    yield Outcome(
                        unit=unit, status="killed", error=f"lost on the cluster: {told}", attempts=1 + _RETRIES
                    )
                    continue
                if "finished" in answer:
                    yield Outcome(unit=unit, status="finished", result=answer["finished"], attempts=1)
                else:
                    yield Outcome(
                        unit=unit, status="failed", error=answer["failed"], error_class=answer["error_class"],
                        traceback=answer["traceback"], attempts=1,
                    )  # fmt: skip


def _perform(key: str, call: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what ``perform`` does, on a machine of the cluster."""
    return perform(key, call, arguments, silent, None)
