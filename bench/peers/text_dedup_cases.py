"""text-dedup through its own command line; starting it is part of what a user waits for, and counted."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from measuring import Job, run


def near(job: Job) -> dict[str, Any]:
    """Find near duplicates: 14 bands of 8, sequences of 5 words."""
    settings = {
        "path": "json", "data_files": str(job.docs.resolve() / "*.jsonl"), "split": "train", "column": "text",
        "cache_dir": str(job.work / "cache"), "output": str(job.work / "out"), "num_proc": str(max(1, job.workers)),
        "use_auth_token": "false", "batch_size": "10000", "num_perm": "112", "b": "14", "r": "8", "ngram": "5",
    }  # fmt: skip
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(job.work / "hub")}
    command = [sys.executable, "-m", "text_dedup.minhash", *words]
    done = job.spend(lambda: subprocess.run(command, capture_output=True, text=True, env=offline, cwd=job.work))
    if done.returncode:
        raise SystemExit(done.stderr[-800:])
    import datasets

    return {"ids": list(datasets.load_from_disk(str(job.work / "out"))["id"])}


if __name__ == "__main__":
    run({"near": near})
