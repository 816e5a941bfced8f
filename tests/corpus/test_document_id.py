from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilotlight.corpus.document import document_id
from pilotlight.corpus.sameness import text_key

NAME = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
PLACE = st.tuples(NAME, NAME, NAME)


@given(PLACE, PLACE)
def test_an_id_is_128_bits_in_hex_and_differs_between_places(one, other):
    assert len(document_id(*one)) == 32
    assert int(document_id(*one), 16) >= 0
    assert (document_id(*one) == document_id(*other)) == (one == other)


def test_ids_stay_what_they_were_in_earlier_versions():
    assert document_id("laws", "a/b.jsonl.gz", "12") == "b95b5fbfded9291a04d57879e0e7a757"


@given(st.text(max_size=60))
def test_white_space_and_case_do_not_make_another_text(text):
    assert text_key(f"  {text}\n\n") == text_key(text)
    assert text_key(text) == text_key(text.casefold())
