"""The runner of the pages' blocks: what it runs, what it compares, and that it notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import BlockFailed, blocks_of, first_missing, run_page

PAGE = """# A page
```python
# greet.py
print("hello", 5500)
```
```bash
python greet.py
word=kept
false || echo "refused, $?"
```
```text
hello …
refused,   1
```
```python
number = 41
```
```bash
echo $word
```
```python
print(number + 1)
```
```text
42
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.md"
    file.write_text(PAGE)
    return file


def test_blocks_run_in_order_in_one_shell_and_one_interpreter(page: Path, tmp_path: Path) -> None:
    run_page(page, tmp_path, port=7700)

    assert (tmp_path / "greet.py").read_text() == '# greet.py\nprint("hello", 7700)\n'


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("echo $word", "false", "page.md:18 failed"),
        ("number + 1", "unknown", "NameError"),
        ("\n42\n", "\n43\n", "no line like '43'"),
        ("echo $word", "exit 3", "ended"),
    ],
)
def test_a_page_that_is_not_so_is_told(page: Path, tmp_path: Path, before: str, after: str, told: str) -> None:
    page.write_text(PAGE.replace(before, after))

    with pytest.raises(BlockFailed, match=told):
        run_page(page, tmp_path, port=7700)


def test_a_block_knows_its_line(page: Path) -> None:
    assert [(block.language, block.line) for block in blocks_of(page)][:3] == [("python", 2), ("bash", 6), ("text", 11)]


def test_lines_are_compared_in_order() -> None:
    assert first_missing("a\nb", "a\nx\nb") == ""
    assert first_missing("b\na", "a\nx\nb") == "a"
