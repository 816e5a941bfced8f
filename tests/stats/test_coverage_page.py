import re

import pytest
from campaign_examples import bench


@pytest.mark.parametrize("name", bench.TABLES)
def test_every_table_has_its_place_on_the_page_and_can_be_made_again(name):
    made = bench.TABLES[name](2).splitlines()
    page = bench.PAGE.read_text(encoding="utf-8")
    (written,) = re.findall(rf"<!-- {name} -->\n(.*?)<!-- end -->", page, flags=re.DOTALL)
    assert [line.split("|")[:2] for line in written.strip().splitlines()] == [line.split("|")[:2] for line in made]
    assert written.strip().splitlines()[0] == made[0]
