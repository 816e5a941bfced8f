"""``pilot train``: one training, such as the full run that a pilot leads to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, final

import typer

if TYPE_CHECKING:
    from pilotlight.cli.talk import Talk
    from pilotlight.record.run import Run
    from pilotlight.spec import Spec
    from pilotlight.train.expected import Expected
    from pilotlight.train.plan import Plan

S = TypeVar("S", bound="Spec")
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the result.")]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON on standard output.")]


def train(
    plan: Annotated[Path, typer.Argument(help="Plan of one training (YAML), such as full.yaml.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder; by default out/ and the plan's name, for a pilot's full.yaml full beside it."
        ),
    ] = None,
    set: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting: path=value, such as train.optim.lr=1e-3.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads on the CPU; by default all cores.")] = None,
    milestones: Annotated[
        int | None, typer.Option(min=1, help="Keep a checkpoint every so many steps, to branch off from.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train one plan: builds its text and tokens if they are missing. Kill it, run it again, and it goes on."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.build import build
    from pilotlight.plan_file import validated
    from pilotlight.tokens.pack import pack
    from pilotlight.train.machine import Machine

    talk = Talk(quiet, json)
    settings = read_settings(plan, set or [])
    given = {"device": device, "threads": threads or "auto", "milestone_every": milestones}
    machine = validated(Machine, given, "--device or --threads")
    folder = out or (plan.parent if _is_of_pilot(plan.parent) else Path("out")) / plan.stem
    corpus = build(settings.corpus, folder / "corpus", watch=talk.watch)
    tokens = pack(corpus, settings.tokenizer, folder / "tokens", watch=talk.watch)
    from pilotlight.train.loop import train as go  # after the text: torch takes seconds to load

    expected = _forecast(plan, settings) if not set else None
    is_promised = not set and _is_promised(plan, folder, settings)
    run = go(settings, machine, tokens, folder / "run", watch=_Teller(talk).watch, expected=expected)
    _show(run, talk)
    if is_promised:
        _land(plan.parent, run, talk)
    if _is_of_pilot(folder.parent) and folder.name == "full":
        talk.say(f"`pilot report {folder.parent}` shows it beside the prediction")


def _is_promised(path: Path, folder: Path, settings: Plan) -> bool:
    """Return whether this is the full run of a pilot; its beginning is then in the pilot's ledger, behind the prediction."""
    if not _is_of_pilot(path.parent) or path.name != "full.yaml" or folder != path.parent / "full":
        return False
    from pilotlight.pilot.full_run import begin

    begin(path.parent, settings)
    return True


def _land(out: Path, run: Run, talk: Talk) -> None:
    """Enter the end of the full run, and say how earlier predictions fared."""
    from pilotlight.pilot.full_run import land

    record = land(out, run)
    if record:
        talk.say(record)


def _is_of_pilot(folder: Path) -> bool:
    return (folder / "decision.json").is_file()


def read_settings(path: Path, changes: list[str]) -> Plan:
    """Return the plan in a file with settings changed by ``path=value``."""
    from pilotlight.train.plan import Plan

    return changed(Plan.load(path), changes)


def changed(settings: S, changes: list[str]) -> S:
    """Return settings changed by ``path=value``."""
    from pilotlight.errors import ConfigError
    from pilotlight.plan_file import override, parse_yaml

    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise ConfigError(f"--set {change}: expected path=value, such as train.optim.lr=1e-3.")
        values, _ = parse_yaml(f"value: {text}", f"--set {change}")
        settings = override(settings, name.strip(), values["value"], "--set")
    return settings


def _forecast(path: Path, settings: Plan) -> Expected | None:
    """Return what the pilot that wrote the plan says of its end; None where no pilot did, or it says nothing."""
    if not _is_of_pilot(path.parent) or path.name != "full.yaml":
        return None
    from pilotlight.record.decision import Decision
    from pilotlight.train.expected import Expected

    decision = path.parent / "decision.json"
    try:
        forecast = Decision.from_json(decision.read_bytes()).forecast
    except (OSError, ValueError):
        return None  # `pilot report` says what is wrong with it
    is_comparable = forecast is not None and forecast.loss.unit == "bits/byte"
    return Expected.of_forecast(forecast, settings.steps) if forecast and is_comparable else None


@final
class _Teller:
    """Turns the events of a training into progress lines and notes."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._note = ""
        self._told: tuple[str, ...] = ()

    def watch(self, event: Any) -> None:
        """Tell progress with the latest loss, evaluations inside it, and faults as warnings."""
        from pilotlight.events import Note, Progress
        from pilotlight.train.events import Diagnosis, Evaluated, Incident, Started

        if isinstance(event, Progress):
            self._talk.watch(Progress(event.task, event.done, event.total, event.unit, self._note))
        elif isinstance(event, Evaluated):
            self._note = f"{event.value:.4f} {event.metric.replace('_', ' ')} at step {event.step}"
        elif isinstance(event, Incident):
            self._talk.watch(
                Note(f"step {event.step}: {event.kind}: {event.seen}; {event.action}. {event.advice}", "warning")
            )
        elif isinstance(event, Diagnosis):
            causes = tuple(cause.kind for cause in event.causes)
            if causes != self._told:  # once for the same causes, not at every evaluation
                self._talk.watch(Note(f"step {event.step}: {event.sentence}", "warning"))
            self._told = causes
        elif isinstance(event, Started) and event.step:
            self._talk.watch(Note(f"going on after step {event.step} of {event.steps}"))
        elif isinstance(event, Note):
            self._talk.watch(event)


def _curve(run: Run) -> str:
    """Return the last diagnosis, or that there was none."""
    from pilotlight.record.diagnosis import Diagnosis

    found = [
        Diagnosis.model_validate({name: line[name] for name in Diagnosis.model_fields})
        for line in run.lines("diagnosis")
    ]
    if not found:
        return "fell as expected"
    more = f" ({len(found)} such findings in all)" if len(found) > 1 else ""
    return f"at step {found[-1].step}: {found[-1].sentence}{more}"


def _show(run: Run, talk: Talk) -> None:
    from pilotlight.units import show_bytes, show_count, show_seconds

    facts, timing = run.facts, run.timing
    rate, metric = timing.tokens_per_second, facts.metric.replace("_", " ")
    talk.table(
        f"{run.folder}",
        ["what", "value"],
        [
            [f"held-out {metric}", f"{facts.metrics[facts.metric]:.4f} over {show_bytes(facts.scored_bytes)}"],
            *(
                [name.replace("_", " "), f"{value:.4f}"]
                for name, value in facts.metrics.items()
                if name != facts.metric
            ),
            ["gap to training text", f"{facts.gap:+.4f} {metric}"],
            ["fit", f"{facts.fit}: {facts.why}"],
            ["loss curve", _curve(run)],
            ["parameters", f"{show_count(facts.parameters)} ({show_count(facts.total_parameters)} with embeddings)"],
            ["tokens", f"{show_count(facts.tokens)} in {facts.steps} steps, {facts.epochs:.2f} epochs"],
            ["speed", f"{show_count(rate)} tokens/s" if rate else "nothing was trained in this process"],
            ["time", show_seconds(timing.seconds)],
            ["incidents", str(len(facts.incidents))],
        ],
    )
    talk.say(f"model  {run.model}")
    talk.data(facts)
