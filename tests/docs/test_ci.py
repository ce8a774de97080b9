"""The workflow of docs/ci.md: its steps run as a pull request would run them, against what the page sets up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.blocks import FILE_NAME, blocks_of, run_page
from tests.server.test_process import free_port

PAGE = Path(__file__).parents[2] / "docs" / "ci.md"
STAGE = Path(__file__).parent / "stages" / "ci.py"
# What GitHub does around each step: variables that an earlier one wrote, and a file for the summary.
BEFORE = """\
export GITHUB_SHA=5f3c GITHUB_ENV="$PWD/env" GITHUB_STEP_SUMMARY="$PWD/summary.md"
touch env
set -a; . ./env
"""
CHANGE = "```bash\nsed -i 's/C=0.5/C=2.0/' train.py\n```\n"  # what the pull request is about
SUMMARY = [
    "### main → 5f3c",
    "**What differs:** …1 parameter, 2 source files.",
    "| … | accuracy | … |",
    "| C | 0.5 | 2 |",
    "| train.py | 2 | 2 |",
    "### ● Gates",
    "loans v2: every gate that was asked is open.",
    "| staging | reproducible | ● pass | … |",
    "| staging | performance | ● pass | … |",
    "| production | approvals | ◌ missing | … |",
]


def steps() -> list[dict[str, Any]]:
    [workflow] = [yaml.safe_load(block.text) for block in blocks_of(PAGE) if block.text.startswith("# workflow.yaml")]
    [job] = workflow["jobs"].values()
    return [step for step in job["steps"] if "run" in step and step["name"] != "Install"]


@pytest.mark.slow
def test_the_workflow_of_the_page_gives_a_pull_request_its_verdict(tmp_path: Path) -> None:
    page = tmp_path / "ci.md"
    added = [f"```bash\n{BEFORE}{step['run']}\n```\n" for step in steps()]
    added.append("```bash\ncat summary.md\n```\n\n```text\n" + "\n".join(SUMMARY) + "\n```\n")
    page.write_text("\n".join([PAGE.read_text(), CHANGE, *added]))
    work = tmp_path / "work"
    work.mkdir()

    ran = run_page(page, work, port=free_port(), stage=STAGE)

    assert [block.text for block in ran if block.text.startswith(BEFORE)] == [f"{BEFORE}{s['run']}\n" for s in steps()]


def test_the_page_s_files_are_those_that_its_commands_name() -> None:
    named = {m[1] for block in blocks_of(PAGE) if (m := FILE_NAME.match(block.text))}

    assert named == {"path.yaml", "train.py", "workflow.yaml"}
