"""datatrove through its local executor, as a user would run it: 16 tasks, JSON lines in, gzip JSON lines out."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import loguru
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
)
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.formatters import PIIFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.tokens import DocumentTokenizer
from datatrove.pipeline.writers.jsonl import JsonlWriter
from measuring import Job, run

TASKS = 16
END = "<|endoftext|>"


def stages(job: Job, pipelines: Sequence[tuple[list[Any], int]]) -> None:
    """Run pipelines one after the other."""
    for place, (pipeline, tasks) in enumerate(pipelines):
        workers = min(max(1, job.workers), tasks)
        log = str(job.work / f"log{place}")
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=log, start_method="fork").run()


def reader(job: Job) -> JsonlReader:
    """Return the reader of the corpus."""
    return JsonlReader(str(job.docs))


def writer(job: Job, name: str = "out") -> JsonlWriter:
    """Return a writer into a folder of its own."""
    return JsonlWriter(str(job.work / name))


def kept(folder: Path) -> list[str]:
    """Return the ids that were written."""
    found = []
    for path in sorted(folder.glob("*.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            found += [json.loads(line)["id"] for line in file]
    return found


def copy(job: Job) -> dict[str, Any]:
    """Read and write."""
    job.spend(lambda: stages(job, [([reader(job), writer(job)], TASKS)]))
    return {"kept": len(kept(job.work / "out"))}


def quality(job: Job) -> dict[str, Any]:
    """Run the rules in FineWeb's order; what each removes is written too."""
    filters = [
        GopherRepetitionFilter(exclusion_writer=writer(job, "gopher_repetition")),
        GopherQualityFilter(exclusion_writer=writer(job, "gopher")),
        C4QualityFilter(filter_no_terminal_punct=False, exclusion_writer=writer(job, "c4")),
        FineWebQualityFilter(exclusion_writer=writer(job, "fineweb")),
    ]
    job.spend(lambda: stages(job, [([reader(job), *filters, writer(job)], TASKS)]))
    dropped = {name: len(kept(job.work / name)) for name in ("gopher_repetition", "gopher", "c4", "fineweb")}
    return {"kept": len(kept(job.work / "out")), "dropped": dropped}


def near(job: Job) -> dict[str, Any]:
    """Find near duplicates in the four stages of MinHash, with the default 14 bands of 8."""
    config = MinhashConfig()
    sign, band, remove = (str(job.work / name) for name in ("signatures", "bands", "remove"))
    pipelines = [
        ([reader(job), MinhashDedupSignature(output_folder=sign, config=config)], TASKS),
        ([MinhashDedupBuckets(input_folder=sign, output_folder=band, config=config)], config.num_buckets),
        ([MinhashDedupCluster(input_folder=band, output_folder=remove, config=config)], 1),
        ([reader(job), MinhashDedupFilter(input_folder=remove), writer(job)], TASKS),
    ]
    job.spend(lambda: stages(job, pipelines))
    return {"ids": kept(job.work / "out")}


def pack(job: Job) -> dict[str, Any]:
    """Write token ids, each document followed by an end token."""
    folder = str(job.work / "tokens")
    step = DocumentTokenizer(
        output_folder=folder, tokenizer_name_or_path=str(job.given / "tokenizer.json"), eos_token=END,
        shuffle_documents=False,
    )  # fmt: skip
    job.spend(lambda: stages(job, [([reader(job), step], TASKS)]))
    width = 2 if json.loads((job.given / "facts.json").read_text())["vocabulary"] <= 1 << 16 else 4
    return {"tokens": sum(path.stat().st_size for path in Path(folder).glob("*.ds")) // width}


def pii(job: Job) -> dict[str, Any]:
    """Replace e-mail and IP addresses: the only kinds that datatrove knows."""
    job.spend(lambda: stages(job, [([reader(job), PIIFormatter(), writer(job)], TASKS)]))
    return {"kinds": 2}


if __name__ == "__main__":
    loguru.logger.remove()
    os.environ["HF_HUB_OFFLINE"] = "1"
    run({"copy": copy, "quality": quality, "near": near, "pack": pack, "pii": pii})
