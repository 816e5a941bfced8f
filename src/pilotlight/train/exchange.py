"""Models from and for the transformers library, and models of another size: each a folder that stands by itself."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from pilotlight.errors import ConfigError
from pilotlight.manifest import building
from pilotlight.model.folding import Weighed
from pilotlight.model.foreign import write_foreign
from pilotlight.model.growth import DepthRule, fitted
from pilotlight.spec import fingerprint, plain
from pilotlight.tokens.tokenizer import open_encoder
from pilotlight.train.final import KIND
from pilotlight.train.sources import Given, open_source
from pilotlight.train.starts._content import fingerprint_of, is_own

FOREIGN = "hugging_face"
"""Kind of an exported folder, as its manifest has it."""


def import_model(folder: Path, out: Path) -> Given:
    """Return the model of the transformers library in ``folder``, written to ``out`` as one of ours, in float32.

    Raises:
        ConfigError: the architecture, or one of its settings, is not known here; or the model is ours already.
        DataError: a file is missing or damaged.
        RecordError: ``out`` holds something else.
    """
    source = open_source(folder)
    if is_own(source.folder):
        raise ConfigError(f"{folder} is a model of Pilotlight already; use it as it is.")
    return _write(source, out, fingerprint_of(folder), "import")


def grow_model(
    path: Path, out: Path, *, depth: int | None = None, rule: DepthRule | None = None, width: int | None = None,
    noise: float = 0.5, seed: int = 0,
) -> Given:  # fmt: skip
    """Return a model of another depth or width made from the one in ``path``, written to ``out``.

    Raises:
        ConfigError: the growth is not possible.
        RecordError: the model is damaged, or ``out`` holds something else.
    """
    source = open_source(path)
    changes = {name: value for name, value in (("depth", depth), ("width", width)) if value is not None}
    target = source.model.decoder.model_copy(update=changes)
    target.size()
    tensors = fitted(source.model, target, depth_rule=rule, noise=noise, seed=seed)
    grown = source._replace(
        model=Weighed(target, tensors), facts=source.facts.model_copy(update={"decoder": target})
    )  # fmt: skip
    return _write(grown, out, fingerprint_of(path), "grow", plain(changes), rule, noise, seed)


def _write(source: Given, out: Path, made_from: str, *how: object) -> Given:
    from safetensors.torch import save_file

    mark = fingerprint(made_from, *how)
    settings, inputs = plain(source.model.decoder), {"source": made_from}
    with building(out, kind=KIND, fingerprint=mark, settings=settings, inputs=inputs) as draft:
        save_file(source.model.tensors, draft.folder / "model.safetensors")
        (draft.folder / "model.json").write_text(source.facts.to_json() + "\n", encoding="utf-8")
        source.copy_tokenizer(draft.folder / "tokenizer")
    return open_source(out)


def export_model(path: Path, out: Path, family: str = "") -> str:
    """Return the name of the family as which the model in ``path`` was written to ``out``, for ``transformers`` to load.

    Args:
        path: a run, or a folder with a model.
        out: a new folder: ``config.json``, ``model.safetensors`` and the tokenizer's files.
        family: llama, qwen3 and so on; empty: the first one that can say all of the model.

    Raises:
        ConfigError: no family, or not the one asked for, can say all of the model; names the parts.
        DataError: the tokenizer has no form that the library reads.
        RecordError: the model is damaged, or ``out`` holds something else.
    """
    source = open_source(path)
    facts, made_from = source.facts, fingerprint_of(path)
    causal = facts.metric == "bits_per_byte"
    with (
        building(out, kind=FOREIGN, fingerprint=fingerprint(made_from, "export", family), settings=plain(facts.decoder),
                 inputs={"source": made_from}) as draft,
        TemporaryDirectory() as place,
    ):  # fmt: skip
        name = write_foreign(
            draft.folder, source.model, facts.vocabulary, facts.context, end=facts.end, family=family, causal=causal
        )
        source.copy_tokenizer(Path(place) / "tokenizer")
        open_encoder(Path(place) / "tokenizer").save_hugging_face(draft.folder)
        draft.facts["family"] = name
    return name
