"""A comparison of tokenizers as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pilotlight.stats.estimate import Estimate
from pilotlight.tokens.compare import Difference, MeasuredTokenizer, Rate, TokenizerComparison, embedding_parameters
from pilotlight.units import show_count

Shown = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def tables(found: TokenizerComparison, width: int) -> Iterator[Shown]:
    """Return title, columns and rows of each table: what it costs, by group of text, how it behaves, differences."""
    yield _whole(found, width)
    if len(found.tokenizers[0].rates) > 1:
        yield _by_group(found, "Bytes per token, by language, source and content", _rate)
    yield _by_group(found, "Tokens per word", _fertility)
    yield _behaviours(found)
    if found.differences:
        yield _differences(found)


def _whole(found: TokenizerComparison, width: int) -> Shown:
    columns = (
        "tokenizer", "ids", "bytes per token", "ids used", "used rarely", "embedding", "MB/s encoding here",
        "CPU s learning here", "text kept",
    )  # fmt: skip
    rows = [
        (
            item.name, str(item.vocabulary), _interval(item.rates[0].bytes_per_token), _percent(item.used),
            _percent(item.rare), show_count(embedding_parameters(item.vocabulary, width)), f"{item.encode_speed:.1f}",
            "" if item.train_seconds is None else f"{item.train_seconds:.1f}",
            "yes" if item.lossless else "without " + ", ".join(item.loses),
        )
        for item in found.tokenizers
    ]  # fmt: skip
    return f"Tokenizers (embedding: parameters at width {width})", columns, rows


def _by_group(found: TokenizerComparison, title: str, show: Callable[[Rate], str]) -> Shown:
    columns = ("text", "documents", *(item.name for item in found.tokenizers))
    rows: list[tuple[str, ...]] = []
    for rates in zip(*(item.rates for item in found.tokenizers), strict=True):
        rows.append((rates[0].group, str(rates[0].documents), *(show(rate) for rate in rates)))
    return title, columns, rows


def _rate(rate: Rate) -> str:
    return _interval(rate.bytes_per_token)


def _behaviours(found: TokenizerComparison) -> Shown:
    columns = (
        "tokenizer", "parts of characters", "digits per token", "numbers cut alike", "tokens per indentation",
        "documents cut", "padding of best fit", "longer than a row",
    )  # fmt: skip
    context = found.tokenizers[0].waste.context
    return f"Numbers, code, and rows of {context} tokens", columns, [_behaviour(item) for item in found.tokenizers]


def _behaviour(item: MeasuredTokenizer) -> tuple[str, ...]:
    how, waste = item.behaviour, item.waste
    return (
        item.name, _percent(item.fragments),
        "digits lost" if how.digits_per_token is None else f"{how.digits_per_token:.2f}",
        "" if how.regular_numbers is None else "yes" if how.regular_numbers else "no",
        f"{how.tokens_per_indent:.1f}", _percent(waste.cut), _percent(waste.padding), _percent(waste.cut_by_best_fit),
    )  # fmt: skip


def _differences(found: TokenizerComparison) -> Shown:
    names = list(dict.fromkeys(item.name for item in found.differences))
    groups = list(dict.fromkeys(item.group for item in found.differences))
    shown = {(item.group, item.name): _tokens(item) for item in found.differences}
    rows = [(group, *(shown[group, name] for name in names)) for group in groups]
    against = found.differences[0].against
    title = f"Tokens more than {against}, paired by document (± {100 * found.level:g} % interval)"
    return title, ("text", *names), rows


def _tokens(item: Difference) -> str:
    share = item.tokens
    if share.low == share.high:
        return f"{share.value:+.1f} %"
    return f"{share.value:+.1f} ± {share.half_width:.1f} %"


def _fertility(rate: Rate) -> str:
    if rate.fertility is None:
        return ""
    return f"{rate.fertility:.2f}" if rate.per == "word" else f"{rate.fertility:.2f} per {rate.per}"


def _interval(estimate: Estimate) -> str:
    # Student's intervals lie even about their value.
    width = f" ± {estimate.half_width:.3f}" if estimate.high > estimate.low else ""
    return f"{estimate.value:.3f}{width}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
