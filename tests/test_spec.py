"""Settings and records: frozen, strict, hashed the same way everywhere, chosen by the name of a file."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pilotlight.corpus.filter import Filter
from pilotlight.model.decoder import Decoder
from pilotlight.model.feedforward.gelu import GELU
from pilotlight.model.feedforward.swiglu import SwiGLU
from pilotlight.model.mixers import Mixer
from pilotlight.model.mixers.grouped import Grouped
from pilotlight.pilot.pilot import Pilot
from pilotlight.spec import Record, canonical, diff, discover, fingerprint, plain
from pilotlight.train.optim.adamw import AdamW
from pilotlight.train.plan import Training

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip
mappings = st.dictionaries(st.text(), values, max_size=6)


def shuffled(value, draw):
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


@given(mappings, st.data())
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(value, data):
    assert fingerprint(shuffled(value, data.draw)) == fingerprint(value)


@given(values, values)
def test_different_values_have_different_fingerprints(one, two):
    assert (fingerprint(one) == fingerprint(two)) == (canonical(one) == canonical(two))


@given(values)
def test_the_canonical_text_is_json_that_means_the_same(value):
    assert canonical(json.loads(canonical(value))) == canonical(value)


def test_values_that_stand_apart_are_not_values_that_stand_together():
    assert len({fingerprint("a", "b"), fingerprint("ab"), fingerprint(["a", "b"]), fingerprint("a", "b", "")}) == 4


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_what_is_not_finite_has_no_fingerprint(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        fingerprint(value)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_cannot_be_written_twice_alike_has_no_fingerprint(value):
    with pytest.raises(TypeError):
        fingerprint(value)


def test_a_fingerprint_is_the_same_in_another_process():
    ask = "from pilotlight.train.plan import Training\nfrom pilotlight.spec import fingerprint\nprint(fingerprint(Training()))"
    found = {
        subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True,
                       env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONPATH": ":".join(sys.path)}).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {fingerprint(Training())}


@given(mappings, mappings)
def test_a_difference_names_every_path_that_differs(old, new):
    assert diff(old, old) == {}
    assert set(diff(old, new)) == set(diff(new, old))
    for path, (left, right) in diff(old, new).items():
        assert left != right
        assert diff(new, old)[path] == (right, left)


def test_a_difference_of_settings_names_dotted_paths():
    old, new = Decoder(), Decoder(feedforward=GELU(), mixer=Grouped(head_dim=32))
    assert diff(old, new) == {
        "mixer.head_dim": (old.mixer.head_dim, 32),
        **{key: pair for key, pair in diff(old, new).items() if key.startswith("feedforward")},
    }
    assert diff(old, new)["feedforward.kind"] == (old.feedforward.kind, "gelu")
    assert diff({"a": 1}, {"b": 2}) == {"a": (1, None), "b": (None, 2)}


def test_settings_cannot_be_changed_and_take_no_unknown_field():
    with pytest.raises(ValidationError, match="frozen"):
        Training().rows = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Training.model_validate({"row": 3})


@pytest.mark.parametrize("given_kind", ["gelu", {"kind": "gelu"}, GELU()])
def test_a_part_is_given_by_name_by_mapping_or_as_it_is(given_kind):
    assert Decoder.model_validate({"feedforward": given_kind}).feedforward == GELU()


def test_the_kind_is_the_name_of_the_file_and_comes_first():
    assert AdamW().kind == "adamw"
    assert next(iter(plain(AdamW()))) == "kind"
    assert next(iter(plain(Training())["optim"])) == "kind"
    assert SwiGLU().kind == "swiglu"


@pytest.mark.parametrize(
    ("given_kind", "words"),
    [
        ("swiglo", "no feedforward is called 'swiglo'; expected one of .*Did you mean 'swiglu'"),
        ({"kind": "swiglo"}, "'swiglo'"),
        ({"hidden": 3}, "kind is missing; expected one of"),
        ({"kind": "swiglu", "hiden": 3}, "hiden"),
        (7, "kind is missing"),
    ],
)
def test_a_part_that_does_not_exist_is_refused_with_those_that_do(given_kind, words):
    with pytest.raises(ValidationError, match=words):
        Decoder.model_validate({"feedforward": given_kind})


def test_a_part_of_another_folder_is_no_part_of_this_one():
    with pytest.raises(ValidationError):
        Decoder.model_validate({"feedforward": AdamW()})
    with pytest.raises(ValidationError, match="kind is 'gelu', but these are the settings of 'swiglu'"):
        SwiGLU.model_validate({"kind": "gelu"})


def test_a_folder_is_found_by_its_files():
    assert list(discover(Mixer.folder)) == sorted(discover(Mixer.folder))
    assert discover(Mixer.folder)["grouped"] is Grouped
    assert all(part.model_fields["kind"] is not None for part in discover(Filter.folder).values())


def test_a_folder_whose_file_holds_no_part_or_two_is_refused(tmp_path, monkeypatch):
    package = tmp_path / "odd_parts"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "_private.py").write_text("", encoding="utf-8")
    (package / "thing_layer.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert discover("odd_parts") == {}
    discover.cache_clear()
    (package / "empty.py").write_text("", encoding="utf-8")
    with pytest.raises(TypeError, match=r"odd_parts.empty holds 0 concrete parts"):
        discover("odd_parts")
    discover.cache_clear()


def test_settings_survive_the_trip_through_json():
    for settings in (Training(), Decoder(feedforward=GELU())):
        assert type(settings).model_validate(plain(settings)) == settings
        assert type(settings).model_validate_json(settings.model_dump_json()) == settings
        assert fingerprint(settings) == fingerprint(plain(settings))


class Sample(Record):
    value: float
    names: tuple[str, ...] = ()


@given(st.floats(allow_nan=False, allow_infinity=False), st.lists(st.text()))
def test_a_record_survives_the_trip_through_its_text(value, names):
    record = Sample(value=value, names=tuple(names))
    assert Sample.from_json(record.to_json()) == record


def test_a_record_refuses_what_json_has_no_word_for_and_what_it_is_not():
    with pytest.raises(ValueError, match="JSON compliant"):
        Sample(value=float("nan")).to_json()
    for text in ("{", "[]", '{"value": 1, "more": 2}', '{"value": "one"}'):
        with pytest.raises(ValueError, match=r"validation error|JSON"):
            Sample.from_json(text)


def test_the_schema_lets_a_part_be_a_name_or_a_mapping():
    schema = Pilot.model_json_schema()
    optim = schema["$defs"]["Training"]["properties"]["optim"]
    assert "adamw" in json.dumps(optim)
