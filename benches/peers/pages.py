"""What was measured as Markdown, and the places of the pages where it stands."""

import pathlib

from bars import table
from programs import ALL_INSIDE, LAST_HOUR
from rounds import Spread, ratio

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def markdown(head, rows):
    line = lambda cells: "| " + " | ".join(cells) + " |"
    return "\n".join([line(head), "|---|" + "---:|" * (len(head) - 1), *map(line, rows)])


def shown(spread, decimals):
    return f"{spread.median:.{decimals}f} ({spread.low:.{decimals}f} to {spread.high:.{decimals}f})"


def bars(measured):
    """The rows that were measured, and what the others are."""
    rows, missing = [], []
    for bar in table():
        row = bar.row(measured)
        rows += [row] if row else []
        missing += [] if row else [bar.what]
    return markdown(["what", "seen", "bar", "stretch", "reached"], rows), missing


def programs(taken, question, title):
    """The programs that were asked one question: seconds, how many times those of logparser, and peak memory."""
    keys = [key for key in taken if key[1] == question and "thread" not in key[2]]
    quickest = taken["logparser", question, ""]
    full = taken.get(("logparser", question, "--scan full"))
    head = [title, "seconds", "times logparser"] + (["times `--scan full`"] if full else []) + ["peak memory, MiB"]
    rows = []
    for key in keys:
        tool, _, how = key
        it = taken[key]
        name = {"logparser": f"logparser, `{how}`" if how else "logparser", "wc": "`wc -l`"}.get(tool, tool)
        times = [shown(ratio(it, other), 1) for other in (quickest, full) if other]
        peak = f"{it.peak:.0f}" if it.peak > 1.05 * it.floor else f"under {it.floor:.0f}"
        rows.append([name, shown(Spread.of(it.seconds), 2), *times, peak])
    return markdown(head, rows)


# The tables of the README, and those of the book.
FIRST = {
    ("few", LAST_HOUR): "last hour of a day, {lines} million lines",
    ("few", ALL_INSIDE): "everything in the window, {lines} million lines",
}
MORE = {
    ("many", ALL_INSIDE): "{lines} million lines, 100,000 × 10,000 names of 25 to 27 bytes",
    ("long", ALL_INSIDE): "{lines} million lines, 2,000 × 500 names of 25 to 60 bytes",
}


def speed(titles, measured, machine, scale, logs):
    """Tables of what programs took."""
    tables = []
    for (name, question), title in titles.items():
        if name in measured.taken:
            lines = f"{logs[name].total(scale) / 1e6:.3g}"
            tables.append(programs(measured.taken[name], question, title.format(lines=lines)))
    return "\n\n".join([*tables, machine])


def write(page, name, text, by="run.py"):
    """Puts text between the comments of a name on a page."""
    path, begin = ROOT / page, f"<!-- {name}: made by benches/peers/{by} -->\n"
    before, _, rest = path.read_text().partition(begin)
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not end:
        raise LookupError(f"{page} has no place for {name}")
    path.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")
