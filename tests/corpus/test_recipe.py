from __future__ import annotations

import pytest

from pilotlight.corpus.filters.length import Length
from pilotlight.corpus.recipe import Recipe
from pilotlight.errors import ConfigError
from pilotlight.plan_file import validated


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"steps": ["lenght"]}, "steps.0: no step is called 'lenght'.*Did you mean 'length'"),
        ({"steps": [3]}, "no step is called '3'"),
        ({"steps": [{"kind": "length", "least": 100, "most": 5}]}, "most is 5, less than least"),
        ({"sources": [{"kind": "foldr", "path": "x"}]}, "no source is called 'foldr'.*Did you mean 'folder'"),
        ({"sources": [{"kind": "folder"}]}, "sources.0.path: this field is required"),
        ({"sources": []}, "there is no source"),
        ({"sources": ["texts/"]}, r"'texts/' is a path; write a source, such as \{kind: folder, path: texts/\}"),
        ({"sources": "texts/"}, "'texts/' is a path"),
        ({"sources": {"kind": "folder", "path": "x"}}, "expected a list of sources"),
        ({"sources": ["python_docs", "python_docs"]}, "two sources are called 'python_docs'"),
        ({"held_out": 0.6}, "held_out: Input should be less than or equal to 0.5"),
        ({"held_out_bytes": 0}, "held_out_bytes"),
        ({"sorces": []}, "Did you mean 'sources'"),
    ],
)
def test_a_mistake_in_a_recipe_is_named_where_it_is(data, words):
    with pytest.raises(ConfigError, match=words):
        validated(Recipe, data, "plan.yaml")


def test_a_recipe_survives_json_and_short_forms_mean_the_long_ones():
    short = Recipe.model_validate(
        {"sources": ["python_docs"], "steps": ["unicode", "exact", {"kind": "length", "least": "1k"}]}
    )
    assert Recipe.model_validate_json(short.model_dump_json()) == short
    assert short.steps[2] == Length(least=1000)


def test_a_moved_folder_keeps_the_identity_of_a_recipe_and_a_renamed_one_does_not():
    def identity(path, **more):
        return Recipe.model_validate({"sources": [{"kind": "folder", "path": path, **more}]}).identity()

    assert identity("/old/laws") == identity("/new/laws") == identity("/new/statutes", name="laws")
    assert identity("/old/laws") != identity("/old/statutes")


def test_where_holding_out_begins_enters_the_identity_only_where_it_is_said():
    assert "held_out_start" not in Recipe().identity()
    assert Recipe(held_out_start=0.25).identity() == Recipe().identity() | {"held_out_start": 0.25}


def test_the_order_of_sources_does_not_matter():
    one, other = ({"kind": "folder", "path": name} for name in ("b", "a"))
    assert Recipe(sources=[one, other]).identity() == Recipe(sources=[other, one]).identity()


def test_the_schema_lists_every_step_and_source():
    text = str(Recipe.model_json_schema())
    assert all(f"'{kind}'" in text for kind in ("folder", "python_library", "unicode", "exact", "repetition"))
