"""Gates of the launch: text, measure, adopted changes, stability margin, drills."""

from __future__ import annotations

import pytest
from made_up_results import TEXT, World, decision_of, loss, pilot_of, results_of

from pilotlight.corpus.facts import CorpusFacts
from pilotlight.pilot.analyse import analyse, top_rung, winners
from pilotlight.pilot.gates import evaluation_check
from pilotlight.pilot.observed import Drill, Observed, Stability
from pilotlight.record.decision import Check, Decision, Launch
from pilotlight.record.results import Results
from pilotlight.spec import fingerprint
from pilotlight.stats.verdict import Verdict

TARGET = loss(3e6, 30e6) * 1.05
GOOD = World(effects={"half_lr": -0.04})


def pilot(**goal):
    return pilot_of(goal={"target": TARGET, **goal})


def check(decision: Decision, name: str) -> Check:
    return next(item for item in decision.checks if item.name == name)


def test_all_gates_are_named_and_pass_for_a_sound_pilot():
    decision = decision_of(pilot())
    assert [item.name for item in decision.checks] == [
        "target", "time", "cost", "text", "data", "evaluation", "changes", "fidelity", "stability",
    ]  # fmt: skip
    assert decision.launch is Launch.GO


def with_unread(count: int) -> CorpusFacts:
    return TEXT.model_copy(update={"quarantined": {"wrong encoding": count}})


@pytest.mark.parametrize(("unread", "status"), [(2, "pass"), (50, "pass"), (51, "fail")])
def test_text_of_which_much_could_not_be_read_is_another_text(unread, status):
    decision = decision_of(pilot(), texts={"baseline": with_unread(unread)})
    assert check(decision, "data").status == status
    assert (decision.launch is Launch.GO) == (status == "pass")


def test_the_text_of_an_adopted_variant_counts_too():
    texts = {"baseline": TEXT, "half_lr": with_unread(600)}
    assert check(decision_of(pilot(), GOOD, texts=texts), "data").status == "fail"
    assert check(decision_of(pilot(), World(), texts=texts), "data").status == "pass"


def test_a_corpus_without_a_step_against_duplicates_may_train_on_what_it_is_scored_on():
    bare = pilot_of(goal={"target": TARGET}, corpus={"steps": ["unicode", "length"]})
    decision = decision_of(bare)
    assert check(decision, "data").status == "unknown"
    assert decision.launch is Launch.MORE_EVIDENCE
    assert check(decision_of(pilot_of(corpus={"steps": ["exact"]})), "data").status == "pass"


def test_nobody_knows_the_text_of_which_there_is_no_record():
    decision = decision_of(pilot(), texts={})
    assert check(decision, "data").status == "unknown"
    assert decision.launch is Launch.NO_GO


def test_runs_that_were_scored_on_different_amounts_do_not_compare():
    names = [row.name for row in results_of(pilot()).rows]
    same = dict.fromkeys(names, 400_000)
    assert check(decision_of(pilot(), scored=same), "evaluation").status == "pass"
    decision = decision_of(pilot(), scored=same | {names[0]: 200_000})
    assert check(decision, "evaluation").status == "fail"
    assert decision.launch is Launch.NO_GO


def test_a_metric_that_stays_inside_its_noise_may_not_vote():
    assert check(decision_of(pilot(), World(noise=0.6)), "evaluation").status == "fail"


def test_a_metric_that_gets_worse_with_training_may_not_vote():
    results = results_of(pilot())
    turned = tuple(
        row.model_copy(update={"metrics": {name: 4 - value for name, value in row.metrics.items()}})
        for row in results.rows
    )
    decision = decision_of(pilot(), results=Results(rows=turned))
    assert check(decision, "evaluation").status == "fail"
    assert "worse" in check(decision, "evaluation").because


def test_a_rung_at_which_the_metric_is_zero_has_no_share_to_count_in():
    asked, results = pilot(), results_of(pilot())
    noise = analyse(results, asked).noise
    rows = [
        row.model_copy(update={"metrics": row.metrics | {"bits_per_byte": 0.0}}) if row.scale == "100k-1M" else row
        for row in results.rows
    ]  # fmt: skip
    found = evaluation_check(asked, Results(rows=tuple(rows)), Observed(planned={}, vocabularies={}), noise)
    assert found.status == "unknown"
    assert "not above 0 at 100k-1M" in found.found
    assert "second rung" not in found.way_out
    compared = analyse(Results(rows=tuple(rows)), asked).findings[0].comparison
    assert "100k-1M" not in compared.by_scale
    assert "100k-4M" in compared.by_scale


def test_a_variant_at_zero_takes_no_rung_from_the_others():
    asked, results = pilot(), results_of(pilot())
    one, other = list(asked.variants)[:2]
    rows = tuple(
        row.model_copy(update={"metrics": row.metrics | {"bits_per_byte": 0.0}})
        if (row.variant, row.scale) == (one, "100k-1M") else row
        for row in results.rows
    )  # fmt: skip
    found = analyse(Results(rows=rows), asked)
    compared = {item.comparison.variant: item.comparison for item in found.findings}
    assert "100k-1M" in compared[other].by_scale
    assert "100k-1M" not in compared[one].by_scale
    told = evaluation_check(asked, Results(rows=rows), Observed(planned={}, vocabularies={}), found.noise)
    assert told.status == "pass"
    assert f"{one} is not above 0 at 100k-1M, where it is in no comparison" in told.because


def test_a_winner_that_is_at_zero_somewhere_is_not_adopted_on_the_other_rungs():
    """Nor does it choose, by what its fresh seeds scored, the rung at which it is to be confirmed."""
    asked = pilot()
    whole = decision_of(asked, GOOD)
    assert next(item.verdict for item in whole.findings if item.variant == "half_lr") is Verdict.ADOPT
    for round_ in ("main", "confirmation"):
        results = results_of(asked, GOOD)
        rung = top_rung(results, asked)
        rows = tuple(
            row.model_copy(update={"metrics": row.metrics | {"bits_per_byte": 0.0}})
            if (row.variant, row.scale, row.round) == ("half_lr", rung, round_) else row
            for row in results.rows
        )  # fmt: skip
        assert rows != results.rows
        found = next(item for item in analyse(Results(rows=rows), asked).findings if item.variant == "half_lr")
        assert found.verdict is Verdict.UNDECIDED
        assert "have no bits_per_byte above 0" in found.because
        assert "budget" not in found.next
        assert top_rung(Results(rows=rows), asked) == rung or round_ == "main"
        assert ("half_lr" in winners(Results(rows=rows), asked)) == (round_ == "confirmation")


def test_a_confirmation_of_the_baseline_at_zero_is_not_blamed_on_the_budget():
    asked = pilot()
    rows = tuple(
        row.model_copy(update={"metrics": row.metrics | {"bits_per_byte": 0.0}})
        if (row.variant, row.round) == ("baseline", "confirmation") else row
        for row in results_of(asked, GOOD).rows
    )  # fmt: skip
    found = next(item for item in analyse(Results(rows=rows), asked).findings if item.variant == "half_lr")
    assert found.verdict is Verdict.UNDECIDED
    assert "has no bits_per_byte above 0" in found.because
    assert "scored nothing" in found.next


def test_what_looks_equivalent_where_it_lived_is_not_shown_to_be():
    asked = pilot_of(rule={"worth": "5%"})
    results = results_of(asked, World())
    same = {item.variant for item in analyse(results, asked).findings if item.verdict is Verdict.EQUIVALENT}
    assert same == set(asked.variants)
    dead = {"status": "failed", "metrics": {}, "error": "it diverged"}
    for update in (dead, {"metrics": {"bits_per_byte": 0.0}}):
        rows = tuple(
            row.model_copy(update=update) if (row.variant, row.scale) == ("gelu", "100k-1M") else row
            for row in results.rows
        )
        found = next(item for item in analyse(Results(rows=rows), asked).findings if item.variant == "gelu")
        assert found.verdict is Verdict.UNDECIDED


def test_without_a_second_seed_nobody_knows_the_noise():
    one_seed = pilot_of(goal={"target": TARGET}, seeds=1, repeats=0, variants={})
    decision = decision_of(one_seed)
    assert check(decision, "evaluation").status == "unknown"
    assert "second seed" in check(decision, "evaluation").way_out


def test_an_adopted_change_was_seen_with_power_and_confirmed():
    found = check(decision_of(pilot(), GOOD), "changes")
    assert found.status == "pass"
    assert "half_lr" in found.found
    assert check(decision_of(pilot()), "changes").found == "none adopted"


def test_a_change_that_won_by_less_than_its_seeds_see_asks_for_more_seeds():
    from pilotlight.pilot.adoption import Adoption
    from pilotlight.pilot.gates import changes_check
    from tiny_pilot import calibration_of

    asked = pilot()
    (item,) = (item for item in decision_of(asked, GOOD).findings if item.variant == "half_lr")
    effect = abs(item.comparison.effect.value)
    weak = item.model_copy(update={"comparison": item.comparison.model_copy(update={"detectable": 2 * effect})})
    found = changes_check(asked, Adoption((weak,), {}), calibration_of(asked))
    assert found.status == "unknown"
    assert found.evidence is not None
    assert found.evidence.seeds == 2 * 3 * item.comparison.seeds, "twice as precise is four times the seeds"
    assert found.evidence.flops
    lone = item.model_copy(update={"confirmation": None})
    assert changes_check(asked, Adoption((lone,), {}), calibration_of(asked)).status == "unknown"
    unasked = pilot_of(confirm=0)
    assert changes_check(unasked, Adoption((lone,), {}), calibration_of(unasked)).status == "pass"


def margin_of(decided, multiple: float, adopted: tuple[str, ...] = ()):
    plan = decided.full_plan(adopted)
    tokens = {fingerprint(plan.corpus, plan.tokenizer): "a" * 16}
    found = Stability(
        fingerprint=fingerprint(plan.identity(), "a" * 16), multiple=multiple, sentence=f"up to {multiple}"
    )
    return {"stability": found, "tokens": tokens}


@pytest.mark.parametrize(("declared", "multiple", "status"), [
    (None, None, "pass"), (None, 1.0, "pass"), (None, 0.5, "fail"), (2, None, "unknown"), (2, 1.4, "fail"), (2, 2.0, "pass"),
])  # fmt: skip
def test_the_margin_to_divergence_is_that_which_was_declared(declared, multiple, status):
    asked = pilot(margin=declared)
    decision = decision_of(asked, **(margin_of(asked, multiple) if multiple else {}))
    assert check(decision, "stability").status == status
    assert (decision.launch is Launch.GO) == (status == "pass")


def test_the_margin_of_another_plan_counts_for_nothing():
    asked = pilot(margin=2)
    told = margin_of(asked, 8.0)
    assert check(decision_of(asked, GOOD, **told), "stability").status == "unknown", "half_lr is in the full run now"
    assert check(decision_of(asked, GOOD, **margin_of(asked, 8.0, ("half_lr",))), "stability").status == "pass"


def test_drills_that_were_recorded_have_to_be_passed():
    kill, disk = Drill(name="kill", passed=True), Drill(name="full disk", passed=False, seen="it hung")
    assert check(decision_of(pilot(), drills=(kill,)), "drills").status == "pass"
    assert not any("drill" in text for text in decision_of(pilot(), drills=(kill,)).not_tested)
    assert any("no drill" in text for text in decision_of(pilot()).not_tested)
    decision = decision_of(pilot(), drills=(kill, disk))
    assert check(decision, "drills").status == "fail"
    assert "it hung" in check(decision, "drills").because
    assert decision.launch is Launch.NO_GO
