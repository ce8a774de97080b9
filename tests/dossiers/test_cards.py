"""Cards for other systems, read by those systems' own libraries."""

import json
import subprocess
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from taxiway.cli import main
from taxiway.dossiers.cards import cyclonedx, huggingface, sagemaker
from taxiway.dossiers.cards.contract import CardTooLong
from taxiway.dossiers.documents.facts import Facts
from taxiway.kernel.errors import BadField
from tests.gates.story import Story
from tests.support.venvs import venv

NAME = "mortgage@1"
HUB = """
import json, sys
from huggingface_hub import ModelCard
text = open(sys.argv[1], encoding="utf-8").read()
card = ModelCard(text)
again = ModelCard(str(card))
results = [[r.dataset_name, r.metric_type, r.metric_value] for r in card.data.eval_results]
same = again.data.to_dict() == card.data.to_dict() and again.text == card.text
print(json.dumps({"data": card.data.to_dict(), "same": same, "results": results, "text": card.text}))
"""
BOM = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1], encoding="utf-8").read())
print(found if found is None else found.data)
"""


def asked(program: str, file: Path) -> str:
    command = [str(venv("cards") / "python"), "-c", program, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_hub_reads_the_readme_and_writes_it_back(facts: Facts, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(huggingface.readme(facts))

    found = json.loads(asked(HUB, tmp_path / "README.md"))

    assert found["same"]
    measured = {each.outcome.metric: each.outcome.estimate for each in facts.evidence if each.outcome.estimate}
    assert {(metric, value) for _, metric, value in found["results"]} == {
        (metric, estimate.value) for metric, estimate in measured.items()
    }
    assert found["data"]["pipeline_tag"] == "tabular-classification"
    assert "<script" not in found["text"].replace(r"\<", "")
    assert r"\<script\>" in found["text"]


def test_the_bill_of_materials_keeps_its_schema(facts: Facts, tmp_path: Path) -> None:
    data = cyclonedx.bom(facts)
    (tmp_path / "bom.json").write_bytes(data)

    assert asked(BOM, tmp_path / "bom.json").strip() == "None"
    found = json.loads(data)
    model = found["metadata"]["component"]
    assert (model["type"], model["version"]) == ("machine-learning-model", "1")
    assert model["hashes"][0]["content"] == facts.version.bundle.removeprefix("sha256:")
    names = {component["name"] for component in found["components"]}
    assert {"mortgages/loans", "numpy"} <= names
    slices = {m.get("slice") for m in model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]}
    assert {"white", "black"} <= slices
    assert cyclonedx.bom(facts) == data


def test_sagemakers_card_has_its_groups_and_bounds(facts: Facts) -> None:
    found = json.loads(sagemaker.card(facts))
    content = found["Content"]

    assert (found["ModelCardName"], found["ModelCardStatus"]) == ("mortgage-1", "Approved")
    assert set(content) <= {
        "model_overview", "intended_uses", "business_details", "training_details", "evaluation_details",
        "additional_information",
    }  # fmt: skip
    assert content["intended_uses"]["risk_rating"] == "High"
    [evaluation] = content["evaluation_details"]
    assert {group["name"] for group in evaluation["metric_groups"]} == {"performance", "fairness"}
    assert len(json.dumps(content)) <= sagemaker.MOST_CHARACTERS


def test_a_card_that_sagemaker_would_refuse_is_refused(facts: Facts) -> None:
    long = replace(facts, version=replace(facts.version, datasets=["dataset:" + "x" * 200_000]))

    with pytest.raises(CardTooLong, match="takes 100,000"):
        sagemaker.card(long)


def test_the_command_and_the_dossier_hold_the_same_card(
    written: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", written.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", written.live.tokens["ana"])
    out = tmp_path / "bom.json"

    assert main(["models", "card", NAME, "--export", "cyclonedx", "--out", str(out)]) == 0
    assert main(["models", "card", NAME, "--export", "cyclonedx"]) == 1
    shown = {file.name: file.digest for file in written.ana.dossiers.show(NAME).files}

    from taxiway.models.bundles.bundle import digest_of

    assert shown["cards/bom.cdx.json"] == digest_of(out.read_bytes())
    assert {"documents/annex-iv.html", "documents/card.json", "coverage/eu-ai-act.html", "cards/README.md"} <= set(
        shown
    )
    with pytest.raises(BadField, match="huggingface, sagemaker, cyclonedx"):
        written.ana.dossiers.save_card(NAME, tmp_path / "x", export="elsewhere")  # type: ignore[arg-type]


def test_the_same_facts_make_the_same_cards(facts: Facts) -> None:
    again = msgspec.structs.replace(facts)

    assert huggingface.readme(again) == huggingface.readme(facts)
    assert sagemaker.card(again) == sagemaker.card(facts)
