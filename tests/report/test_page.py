"""The page of a pilot: what is on it, that it needs nothing else, and that no name in a record can act on it."""

import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from study_folder import SCALES, Wish, write_study

from pilotlight.errors import RecordError
from pilotlight.report.page import NAME, write_report

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    '" onmouseover="alert(4)',
    "<a href='javascript:alert(5)'>click</a>",
    "<svg/onload=alert(6)>",
    "{{ 7 * 7 }} {% raw %} ${7*7} %{x}",
    "]]><!--<script>",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "abc\u202edef\u2066ghi\u200f",
    "line\u2028break\u2029 nul\x00 bell\x07",
    "$\\frac{1}{0}$ \\undefined",
    "\ud800 alone",
]


class Reader(HTMLParser):
    """Collects every element, attribute and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag in ("script", "style"):
            self._inside = tag

    def handle_endtag(self, tag):
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data):
        (self.scripts if self._inside == "script" else self.texts if not self._inside else []).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study") / "out")


@pytest.fixture(scope="module")
def page(study):
    return write_report(study).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    names = {f"v{index} {text}".replace("\x00", "").replace("/", "∕"): text for index, text in enumerate(HOSTILE[:3])}
    text = " ".join(HOSTILE[:-1])
    wish = Wish(
        question=f"Is this safe? {text}",
        variants={name: (0.01 * (index - 1) + 0.002, f"{why} {text}") for index, (name, why) in enumerate(names.items())},
        source=f"corpus {text}",
        error=text,
    )  # fmt: skip
    out = write_study(tmp_path_factory.mktemp("hostile") / "out", wish)
    return write_report(out).read_text(encoding="utf-8")


def test_the_decision_stands_first_with_its_reasons_and_numbers(page):
    text = Reader(page).text
    places = [
        text.index(part) for part in ("GO WITH CHANGES", "With swiglu", "Chance of reaching", "Goal and criteria")
    ]
    assert places == sorted(places)
    for part in ("What would change this", "Criteria, fixed before the first trial", "Deviations from them none"):
        assert part in text


def test_every_part_of_the_evidence_is_on_the_page(page):
    text = Reader(page).text
    for part in (
        "ADOPT", "REJECT", "EQUIVALENT", "fresh seeds", "A/A pairs", "Reach in FLOPs", "P90", "quarantined",
        "Bytes per token", "wrong encoding", "Not tested", "pilot report OUT", "the loss was not finite at step 212",
    ):  # fmt: skip
        assert part.lower() in text.lower(), part


def test_every_number_with_an_interval_says_how_it_was_obtained(page):
    notes = [attributes["title"] for _, attributes in Reader(page).tags if "title" in attributes]
    assert any("hold-outs" in note and "90 % interval" in note for note in notes)
    assert any("paired t, pooled noise" in note for note in notes)


def test_the_same_records_give_the_same_page_and_pictures(study, page):
    before = {path.name: path.read_bytes() for path in (study / "report").glob("*.png")}
    assert write_report(study).read_text(encoding="utf-8") == page
    assert {path.name: path.read_bytes() for path in (study / "report").glob("*.png")} == before


def test_every_chart_is_also_a_png_beside_the_page(study, page):
    charts = json.loads(Reader(page).scripts[0])
    assert {"forecast", "variants", "noise", "curves-1"} <= set(charts)
    pictures = {path.stem: path.read_bytes() for path in (study / "report").glob("*.png")}
    assert set(pictures) == set(charts)
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())


def test_a_picture_of_an_older_page_is_removed(study):
    old = study / "report" / "older.png"
    old.write_bytes(b"")
    write_report(study)
    assert not old.exists()


def _is_inert(tag: str, attributes: dict[str, str]) -> bool:
    if tag in ("iframe", "object", "embed", "form", "input", "base", "link", "applet", "button", "video", "audio"):
        return False
    if any(
        name.startswith("on") or name in ("style", "srcdoc", "srcset", "action", "xlink:href") for name in attributes
    ):
        return False
    if "src" in attributes:
        return tag == "img" and attributes["src"].startswith("data:image/png;base64,")
    return "href" not in attributes or attributes["href"].startswith("#")


def test_the_page_needs_nothing_from_outside_and_forbids_it(page):
    tags = Reader(page).tags
    assert all(_is_inert(tag, attributes) for tag, attributes in tags)
    policy = next(attributes["content"] for tag, attributes in tags if tag == "meta" and "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    styles = re.findall(r"<style[^>]*>(.*?)</style>", page, flags=re.DOTALL)
    assert not any("url(" in style or "@import" in style for style in styles)


def test_the_scripts_are_the_ones_the_policy_names(page):
    import base64
    import hashlib

    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert len(scripts) == 2
    assert re.findall(r"sha256-([^']+)", policy.partition("style-src")[0]) == hashes


def test_no_name_in_a_record_becomes_an_active_node(hostile, page):
    found, plain = Reader(hostile), Reader(page)
    assert all(_is_inert(tag, attributes) for tag, attributes in found.tags)
    assert sum(tag == "script" for tag, _ in found.tags) == sum(tag == "script" for tag, _ in plain.tags) == 3
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in plain.tags}
    assert "<script>alert(1)</script>" in found.text
    assert "{{ 7 * 7 }}" in found.text


def test_no_control_or_direction_character_reaches_the_page(hostile):
    own = hostile.partition("<body>")[2].partition("<script>")[0]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u2028\u2029\ufeff]", own)


def test_labels_of_charts_hold_no_markup(hostile):
    charts = json.loads(Reader(hostile).scripts[0])

    def texts(value):
        if isinstance(value, dict):
            for item in value.values():
                yield from texts(item)
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)
        elif isinstance(value, str):
            yield value

    found = list(texts(charts))
    assert any("alert(1)" in text for text in found)
    assert not any("<" in text.replace("<br>", "") for text in found)


def test_a_pilot_that_is_still_going_gets_a_page_without_a_decision(tmp_path):
    out = write_study(tmp_path / "out", Wish(decided=False, seeds=1, variants={"swiglu": (-0.02, "gated")}))
    text = Reader(write_report(out).read_text(encoding="utf-8")).text
    assert "IN PROGRESS" in text
    assert "Learning curves" in text
    assert "Chance of reaching" not in text


def test_an_altered_ledger_makes_the_page_void(tmp_path):
    out = write_study(tmp_path / "out")
    path = out / "ledger.jsonl"
    path.write_text(path.read_text().replace('"seed": 2', '"seed": 3', 1))
    text = Reader(write_report(out).read_text(encoding="utf-8")).text
    assert "VOID" in text
    assert "was altered" in text
    assert "GO WITH CHANGES" not in text
    assert "ADOPT" not in text


def test_an_edited_run_makes_the_page_void(tmp_path):
    out = write_study(tmp_path / "out")
    path = out / "runs" / "baseline" / next(iter(SCALES)) / "seed0" / "metrics.jsonl"
    path.write_text(path.read_text().replace("1", "2", 1))
    text = Reader(write_report(out).read_text(encoding="utf-8")).text
    assert "VOID" in text
    assert "edited" in text
    assert "GO WITH CHANGES" not in text


def test_a_decision_by_other_criteria_makes_the_page_void(tmp_path):
    out = write_study(tmp_path / "out")
    decision = json.loads((out / "decision.json").read_text())
    (out / "decision.json").write_text(json.dumps({**decision, "criteria": "f" * 16}))
    text = Reader(write_report(out).read_text(encoding="utf-8")).text
    assert "VOID" in text
    assert "fixed before the first trial" in text


def test_a_folder_without_a_pilot_is_refused(tmp_path):
    with pytest.raises(RecordError, match="holds no pilot"):
        write_report(tmp_path)
    assert not (tmp_path / NAME).exists()


def test_after_the_full_run_prediction_stands_beside_reality(tmp_path):
    out = write_study(tmp_path / "out", full_run=1.455)
    text = Reader(write_report(out).read_text(encoding="utf-8")).text
    assert "Prediction against reality" in text
    assert "inside the predicted interval, and it reached the target" in text


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(full_text='{"text": "another"}\n'), "it is scored on other held-out text: it does not test"),
        (Wish(full_settings={"steps": 15}), "trained by another plan (steps 29297 -> 15): it does not test"),
        (
            Wish(full_text="", full_settings={"steps": 1, "reseed": {"batches": 1}}),
            "other held-out text, trained by another",
        ),
    ],
)
def test_a_full_run_of_other_text_or_another_plan_does_not_test_the_forecast(wish, words, tmp_path):
    text = Reader(write_report(write_study(tmp_path / "out", wish, full_run=1.455)).read_text(encoding="utf-8")).text
    assert words in text
    assert "the forecast." in text
    assert "the predicted interval" not in text


def test_a_full_run_whose_text_left_no_record_is_not_believed(tmp_path):
    out = write_study(tmp_path / "out", full_run=1.455)
    shutil.rmtree(out / "full" / "tokens")
    text = Reader(write_report(out).read_text(encoding="utf-8")).text
    assert "scored on held-out text of which no record is left: it does not test the forecast" in text


def test_numbers_of_the_forecast_name_their_unit(study, page):
    found = Reader(page)
    for words in ("Predicted (bits/byte)", "Observed (bits/byte)", "At the full run (bits/byte)"):
        assert words in found.text
    traces = {trace["name"]: trace for trace in json.loads(found.scripts[0])["forecast"]["data"]}
    for name in ("predicted path", "baseline runs", "single laws"):
        assert all("bits/byte" in note for note in traces[name]["text"]), name
    learning = json.loads(found.scripts[0])["curves-1"]["data"]
    assert all("bits per byte" in note for trace in learning for note in trace["text"])


def test_the_cost_shows_its_bill_its_figures_and_what_could_be_bought_instead(page):
    text = Reader(page).text
    for words in ("Goodput", "kWh", "The bill, line by line", "pilots before it", "Every figure that went in", "Of the spread",
                  "half the model", "20 % fewer tokens", "On the frontier", "says nothing about other weights"):  # fmt: skip
        assert words in text, words
