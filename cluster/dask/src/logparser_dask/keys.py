"""The options of `logparser` that are keys of its configuration.

Made of the table of keys in `src/config/schema/keys.rs` by its tests; `UPDATE_CASES=1` writes this anew.
"""

COUNTED = (
    "--format",
    "--unit",
    "--seconds",
    "--last",
    "--window",
    "--lateness",
    "--since",
    "--until",
    "--timezone",
    "--now",
    "--future",
    "--grouping-seconds",
    "--threads",
    "--max-memory",
    "--memory-policy",
    "--scan",
    "--prune-above",
    "--envelope",
    "--time",
    "--record-time",
    "--time-form",
    "--from",
    "--to",
    "--where",
    "--sum",
)
"""They say what is counted, and with what means."""

REPORTED = (
    "--limit",
    "--by",
    "--hosts",
    "--output",
)
"""They say what is reported, and where."""

COUNTED_FLAGS = ("--seen",)
"""The same, without a value."""

REPORTED_FLAGS = (
    "--reverse",
    "--shares",
)
"""The same of what is reported."""

ALONE = (
    "--every",
    "--align",
    "--max-jump",
    "--max-gap",
    "--rejects",
    "--late-file",
    "--stats",
    "--follow",
    "--idle",
    "--trigger",
    "--late-updates",
    "--state",
    "--checkpoint",
    "--stop-timeout",
)
"""They need all lines in one place, or a run that goes on."""
