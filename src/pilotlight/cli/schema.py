"""``pilot schema``."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def schema(
    of: Annotated[str, typer.Argument(help="pilot (a pilot file) or plan (a full.yaml).")] = "pilot",
) -> None:
    """Print the JSON schema of a pilot file, for editors that complete and check YAML."""
    from pilotlight.errors import ConfigError, nearest
    from pilotlight.pilot.pilot import Pilot
    from pilotlight.train.plan import Plan

    choices = {"pilot": Pilot, "plan": Plan}
    if of not in choices:
        raise ConfigError(f"no schema is called {of!r}; expected pilot or plan.{nearest(of, choices)}")
    print(json.dumps(choices[of].model_json_schema(), indent=1))
