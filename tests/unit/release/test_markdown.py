"""What strangers named stands in a table as they wrote it."""

import pytest

from slac_tasks.release.markdown import cell, table


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("long_jump", "long_jump"),
        ("a | b\n# c", "a \\| b # c"),
        ("<script>", "&lt;script>"),
        ("[free](https://example.org)", "\\[free\\](https://example.org)"),
        ("`code` *all* ~~gone~~", "\\`code\\` \\*all\\* \\~\\~gone\\~\\~"),
        ("a\\|b", "a\\\\\\|b"),
        (12_345, "12,345"),
    ],
)
def test_nothing_in_a_cell_is_taken_for_markup(text: object, written: str) -> None:
    assert cell(text) == written
    assert table(["name"], [[text]]).splitlines()[2] == f"| {written} |"
