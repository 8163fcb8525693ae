"""Cells that a spreadsheet would take for a formula (公式注入): whoever opens a file with `=HYPERLINK(…)` in it runs
what a stranger wrote. An apostrophe in front makes it text; reading takes that away again, so a cell means the same
however often it goes out and comes in.
"""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def armed(cell: str) -> bool:
    """Whether a spreadsheet could take it for a formula."""
    return cell.lstrip(" ").startswith(FORMULA)


def safe(cell: str) -> str:
    """What to write into a CSV."""
    return f"'{cell}" if armed(cell) else cell


def disarmed(cell: str) -> str:
    """What a cell that was written so says."""
    return cell[1:] if cell.startswith("'") and armed(cell[1:]) else cell
