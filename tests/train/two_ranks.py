"""Run as a script by two processes: each trains the same plan, one of them with a fault of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
from training_examples import ONE, Poisoned, plan_of

from pilotlight.tokens.tokens import Tokens
from pilotlight.train.loop import train
from pilotlight.train.ranks import worst


def main() -> None:
    rank, folder, tokens, poisoned = int(sys.argv[1]), Path(sys.argv[2]), Tokens.open(Path(sys.argv[3])), sys.argv[4]
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    assert worst(float(rank), -float(rank)) == (1.0, 0.0)
    sums = tuple(json.loads(poisoned)) if rank else ()
    run = train(plan_of(24, objective=Poisoned(sums=sums)), ONE, tokens, folder / f"rank{rank}")
    print(json.dumps({"skips": run.lines("skip"), "losses": [line["loss"] for line in run.lines("step")]}))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
