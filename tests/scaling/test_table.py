from __future__ import annotations

import pytest

from pilotlight.errors import DataError, EvidenceError
from pilotlight.record.results import Results, Row
from pilotlight.scaling.table import ladder_points, read_table


def _write(folder, text):
    path = folder / "runs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_become_points_with_numbers_as_people_write_them(tmp_path):
    path = _write(tmp_path, "parameters,tokens,loss,seed,run_id\n18M,3.6e8,1.2,0,a\n2M,40M,,0,b\n")
    (point,) = read_table(path).points
    assert (point.parameters, point.tokens, point.loss, point.run) == (18e6, 3.6e8, 1.2, "a")


def test_a_size_column_that_is_blank_gives_way_to_one_that_is_full(tmp_path):
    table = read_table(_write(tmp_path, "n_params,n_params_nonemb,tokens,loss\n1e6,,2e7,1.5\n"))
    assert table.size == "n_params"
    assert table.points[0].parameters == 1e6


def test_another_column_can_be_predicted(tmp_path):
    table = read_table(_write(tmp_path, "parameters,tokens,loss,loss_code\n1e6,2e7,1.5,0.9\n"), loss="loss_code")
    assert table.points[0].loss == 0.9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("weights,tokens,loss\n1,2,3\n", "no column parameters.*it has weights, tokens, loss"),
        ("parameters,token,loss\n1,2,3\n", "Did you mean 'token'"),
        ("parameters,tokens,loss\n1e6,many,3\n", r"runs.csv:2: tokens is 'many'"),
        ("parameters,tokens,loss\n1e6,-5,3\n", r"runs.csv:2: tokens is '-5'"),
        ("parameters,tokens,loss\n0,5,3\n", "above 0"),
        ("parameters,tokens,loss\n", "no run"),
        ("", "no columns"),
        ('parameters,tokens,loss\n1e6,2e7,"1.5\n', "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_says_where_and_why(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read_table(_write(tmp_path, text))


def test_a_table_that_is_missing_or_of_another_encoding_is_a_clear_error(tmp_path):
    with pytest.raises(DataError, match="no file"):
        read_table(tmp_path / "absent.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes(b"parameters,tokens,loss\n\xe9,1,1\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_table(path)


def _row(name, **more):
    facts = dict(variant="baseline", scale="s", seed=0, status="finished", fingerprint="f", parameters=1e6, tokens=2e7)
    return Row(name=name, **{**facts, **more})


def test_a_pilots_ladder_is_its_finished_baseline_runs():
    rows = (
        _row("a", metrics={"bits_per_byte": 1.5}, flops=1e14),
        _row("b", metrics={"bits_per_byte": 1.4}, variant="swiglu"),
        _row("c", status="failed"),
    )
    (point,) = ladder_points(Results(rows=rows))
    assert (point.loss, point.flops, point.run) == (1.5, 1e14, "a")
    with pytest.raises(EvidenceError, match="perplexity"):
        ladder_points(Results(rows=rows), "perplexity")


def test_an_export_of_a_tracker_is_read_as_it_is(tmp_path):
    path = tmp_path / "wandb.csv"
    path.write_text(
        "Name,State,config.num_params,config.seed,Tokens Seen,eval/loss,config.batch_tokens\n"
        "a,finished,1e6,0,2e7,3.5,32768\n"
        "b,crashed,1e6,1,1e7,9.9,32768\n"
        "c,finished,2e6,0,4e7,3.2,65536\n"
    )
    table = read_table(path)
    assert [(point.parameters, point.tokens, point.loss) for point in table.points] == [
        (1e6, 2e7, 3.5),
        (2e6, 4e7, 3.2),
    ]
    assert [point.batch_tokens for point in table.points] == [32768, 65536]


def test_repeated_text_and_batches_are_read(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("parameters,tokens,loss,unique_tokens\n1e6,2e7,3.5,5e6\n2e6,4e7,3.2,\n")
    assert [point.unique_tokens for point in read_table(path).points] == [5e6, None]


def test_a_row_that_is_there_twice_is_no_repeat(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("parameters,tokens,loss\n1M,20M,4.1\n1M,20M,4.1\n1M,20M,4.2\n")
    assert [point.loss for point in read_table(path).points] == [4.1, 4.2]
