"""The JSON Schema of paths accepts what can be published, and refuses what cannot."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml
from msgspec import Struct

from taxiway.cli import main
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.paths.policy import PACKAGED
from taxiway.gates.paths.schema import path_schema
from tests.gates.paths.test_policy import BROKEN
from tests.gates.story import PATH, Story

# Rules between values and names that are taken: told with the line when a text is read, and by no schema.
TWO_OF_A_NAME = "{}\n    - data_contract: {}\n      name: data_contract"
BEYOND = ("at_least: 0.85, at_most: 1", "at_least: .nan", "[]", "soon", "resamples: 3", TWO_OF_A_NAME)


@pytest.mark.parametrize("name", [*PACKAGED.values(), "observing"])
def test_the_paths_that_ship_fit_it(name: str) -> None:
    text = (files("taxiway.gates.paths") / "policies" / f"{name}.yaml").read_text()

    schema = path_schema()
    found = jsonschema.validators.validator_for(schema)(schema).iter_errors(yaml.safe_load(text))

    assert [each.message for each in found] == []


@pytest.mark.parametrize(("text", "wrong"), [(t, w) for t, w, _, key in BROKEN if key and w not in BEYOND])
def test_what_is_wrong_does_not_fit_it(text: str, wrong: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(PATH.replace(text, wrong, 1)), path_schema())


def test_it_is_a_schema_and_says_what_the_keys_mean() -> None:
    schema = path_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    assert {key for key, value in schema["properties"].items() if not value.get("description")} == set()
    assert schema["$defs"]["Gate"]["properties"]["fairness"]["description"].startswith("Passes when")


def test_a_check_of_another_package_is_in_it() -> None:
    class Asks(Struct, forbid_unknown_fields=True):
        most: int = 3

    class Mood:
        """Passes in a good mood."""

        parameters = Asks

    checks: dict[str, Any] = {**CHECKS, "mood": Mood()}
    text = {"path": "mine", "stages": {"staging": [{"mood": {"most": 1}, "mode": "warn"}]}}

    jsonschema.validate(text, path_schema(checks))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"path": "mine", "stages": {"staging": [{"mood": {"least": 1}}]}}, path_schema(checks))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(text, path_schema())


def test_it_is_told_on_the_command_line_and_to_programs(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as typing:
        typing.setenv("TAXIWAY_URL", story.live.url)
        typing.setenv("TAXIWAY_TOKEN", story.ana.transport.token or "")
        assert main(["gates", "schema"]) == 0

    assert json.loads(capsys.readouterr().out) == story.ana.gates.schema() == path_schema()
