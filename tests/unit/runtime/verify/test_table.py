"""The boxes of a table stay boxes, whatever is in them and however wide the terminal is."""

from hypothesis import given
from hypothesis import strategies as st

from tf_repro.verify.reporting import table

CELLS = st.lists(st.text("ab 1.:", max_size=40).map(str.strip), min_size=3, max_size=3)


def test_a_table() -> None:
    rows = [("run", "last loss", "against run 1"), ("1", "0.25", ""), ("2", "0.5", "step 7: batch")]
    assert table.boxed(rows, 80) == [
        "┏━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓",
        "┃ run ┃ last loss ┃ against run 1 ┃",
        "┡━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩",
        "│ 1   │ 0.25      │               │",
        "│ 2   │ 0.5       │ step 7: batch │",
        "└─────┴───────────┴───────────────┘",
    ]


@given(st.lists(CELLS, min_size=1, max_size=5), st.integers(1, 200))
def test_every_line_is_as_wide_and_nothing_is_lost(rows: list[list[str]], width: int) -> None:
    lines = table.boxed(rows, width)
    assert len({len(line) for line in lines}) == 1
    last = "".join(line.rsplit(line[0], 2)[1] for line in lines if line[0] in "┃│")
    assert "".join(last.split()) == "".join("".join(row[-1] for row in rows).split())
