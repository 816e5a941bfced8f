from __future__ import annotations

import datetime

import pyarrow
import pyarrow.parquet as parquet
import pytest

from pilotlight.corpus.source import Raw, Source


def _csv(path, data, **settings):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    source = Source.choose({"kind": "csv", "path": path, **settings})
    return [record for file in source.files() for record in source.read(file)]


def _texts(records):
    return [record.text for record in records if isinstance(record, Raw)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_with_its_delimiter_quotes_and_line_ends_inside_quotes(tmp_path, delimiter):
    rows = [["id", "text", "n"], ["1", f'"one{delimiter} ""two"""', "3"], ["2", '"three\nfour"', "4"]]
    data = "\r\n".join(delimiter.join(row) for row in rows)
    records = _csv(tmp_path / "a.csv", data)
    assert _texts(records) == [f'one{delimiter} "two"', "three\nfour"]
    assert [record.record for record in records] == ["1", "2"]
    assert _texts(_csv(tmp_path / "b.csv", data, delimiter=delimiter)) == _texts(records)


def test_the_column_with_the_longest_text_is_taken_where_none_is_called_text_and_that_is_a_fact(tmp_path):
    data = "id,review,stars\n" + "".join(f"{number},a long review of the harbour,5\n" for number in range(60))
    records = _csv(tmp_path / "a.csv", data, keep=["stars"])
    assert len(records) == 60
    assert records[59].text == "a long review of the harbour"
    assert records[0].facts == {"column": "review", "stars": "5"}
    assert _csv(tmp_path / "a.csv", data, text_field="body")[0].reason == "no field 'body'"
    assert "column" not in _csv(tmp_path / "a.csv", data, text_field="review")[0].facts


def test_broken_rows_are_set_aside_with_their_number_and_the_others_are_read(tmp_path):
    records = _csv(tmp_path / "a.csv", "id,text\n1,one\n2\n3,three,3\n4,four\n")
    assert [(record.record, isinstance(record, Raw)) for record in records] == [
        ("1", True), ("2", False), ("3", False), ("4", True),
    ]  # fmt: skip
    assert "set the delimiter" in records[1].detail


def test_a_table_in_an_old_encoding_is_read_and_a_damaged_cell_set_aside(tmp_path):
    row = "un café à la plage, où l'été s'étire; "
    data = ("id\ttext\n" + "".join(f"{number}\t{row}\n" for number in range(9))).encode("latin-1")
    records = _csv(tmp_path / "a.tsv", data)
    assert _texts(records) == [row] * 9
    assert records[0].facts == {"encoding": "cp1252"}
    damaged = _csv(tmp_path / "b.csv", b"id,text\n1,caf\xc3\xa9 caf\xc3\xa9\n2,caf\xe9\n3,tea\n")
    assert [record.record for record in damaged if not isinstance(record, Raw)] == ["2"]


def _parquet(path, **settings):
    source = Source.choose({"kind": "parquet", "path": path, **settings})
    return [record for file in source.files() for record in source.read(file)]


def test_a_parquet_file_is_read_by_row_groups_and_its_rows_are_numbered(tmp_path):
    path = tmp_path / "a.parquet"
    texts = [f"row {number}" for number in range(1000)]
    table = pyarrow.table({"id": range(1000), "text": texts, "page": [{"url": f"u{number}"} for number in range(1000)]})
    parquet.write_table(table, path, row_group_size=100)
    records = _parquet(path, keep=["id", "page.url"])
    assert _texts(records) == texts
    assert [record.record for record in records] == [str(number) for number in range(1, 1001)]
    assert records[7].facts == {"id": 7, "page.url": "u7"}
    source = Source.choose({"kind": "parquet", "path": path})
    (file,) = source.files()
    cuts = source.cuts(file, 1)
    assert len(cuts) == 10
    assert next(record.record for record in source.read(file, cuts[3])) == "301"
    assert _texts(_parquet(path, text_field="page.url")) == [f"u{number}" for number in range(1000)]


@pytest.mark.parametrize(
    "kind", [pyarrow.string(), pyarrow.large_string(), pyarrow.dictionary(pyarrow.int32(), pyarrow.string())]
)
def test_every_type_of_text_column_is_read_and_a_missing_value_set_aside(tmp_path, kind):
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"body": pyarrow.array(["one", None, "two"]).cast(kind)}), path)
    records = _parquet(path, text_field="body")
    assert _texts(records) == ["one", "two"]
    assert records[1].reason == "field 'body' holds no text"


def test_a_kept_column_of_any_type_is_a_fact_that_json_can_hold(tmp_path):
    path = tmp_path / "a.parquet"
    day = datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)
    parquet.write_table(pyarrow.table({"text": ["one"], "day": [day], "level": [float("nan")], "tags": [["a"]]}), path)
    (record,) = _parquet(path, keep=["day", "level", "tags", "absent"])
    assert record.facts == {"day": "2024-05-01 00:00:00+00:00", "level": "nan", "tags": ["a"]}


def test_a_column_of_numbers_or_a_missing_one_is_said_of_every_row_with_the_columns_there_are(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"text": [1, 2, 3], "body": ["a", "b", "c"]}), path, row_group_size=2)
    records = _parquet(path)
    assert [(record.record, record.reason) for record in records] == [
        (str(number), "field 'text' holds no text") for number in (1, 2, 3)
    ]
    assert "int64; columns of text: body" in records[0].detail
    records = _parquet(path, text_field="words")
    assert len(records) == 3
    assert "text, body" in records[0].detail
    source = Source.choose({"kind": "parquet", "path": path, "text_field": "words"})
    (file,) = source.files()
    assert [record for cut in source.cuts(file, 1) for record in source.read(file, cut)] == records
    parquet.write_table(pyarrow.table({"id": [1, 2], "body": ["one", "two"]}), path)
    assert [record.facts for record in _parquet(path)] == [{"column": "body"}] * 2


@pytest.mark.parametrize("kind", [pyarrow.binary(), pyarrow.large_binary()])
def test_a_column_of_bytes_is_read_as_utf8_and_a_row_that_is_none_set_aside(tmp_path, kind):
    path = tmp_path / "a.parquet"
    rows = ["été".encode()[:3], b"\xff\xfe\xfd", b"two"]
    parquet.write_table(pyarrow.table({"id": [1, 2, 3], "body": pyarrow.array(rows, kind)}), path)
    records = _parquet(path)
    assert _texts(records) == ["ét", "two"]
    assert records[0].facts == {"column": "body"}
    assert records[1].reason == "not UTF-8"
    assert _parquet(path, text_field="body")[2].text == "two"


def test_a_damaged_row_group_is_set_aside_and_the_next_one_is_read(tmp_path):
    path = tmp_path / "a.parquet"
    texts = [f"{number}" * 50 for number in range(400)]
    parquet.write_table(
        pyarrow.table({"text": texts}), path, row_group_size=100, use_dictionary=False, compression="zstd"
    )
    start = parquet.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    data = bytearray(path.read_bytes())
    data[start : start + 200] = b"\xff" * 200
    path.write_bytes(data)
    records = _parquet(path)
    assert [record.reason for record in records if not isinstance(record, Raw)] == ["damaged row group"]
    assert _texts(records) == texts[:100] + texts[200:]
    assert records[-1].record == "400"


def test_a_table_without_names_of_columns_has_numbers_for_them(tmp_path):
    data = "1,one two three\n2,four\n"
    records = _csv(tmp_path / "a.csv", data, header=False, keep=[1])
    assert _texts(records) == ["one two three", "four"]
    assert [record.record for record in records] == ["1", "2"]
    assert records[0].facts == {"column": "2", "1": "1"}
    assert _texts(_csv(tmp_path / "a.csv", data, header=False, text_field=1)) == ["1", "2"]
    assert "1, 2" in _csv(tmp_path / "a.csv", data, header=False, text_field="3")[0].detail
    assert _texts(_csv(tmp_path / "a.csv", "\ntext\none\n")) == ["one"]


@pytest.mark.parametrize("encoding", ["auto", "utf-16"])
def test_a_table_in_utf16_is_read(tmp_path, encoding):
    data = 'id,text\n1,"une tasse\nde thé"\n'.encode("utf-16")
    (record,) = _csv(tmp_path / "a.csv", data, encoding=encoding)
    assert (record.text, record.facts) == ("une tasse\nde thé", {"encoding": "utf-16"})
    (record,) = _csv(tmp_path / "a.csv", "id,text\n1,thé\n".encode("utf-16-be"), encoding="utf-16-be")
    assert record.text == "thé"
