//! What the rules of the house let pass, each with its reason. The lists only grow shorter.

/// Wings that hold a circle among their files. An entry goes as soon as there is none.
pub const CIRCLES: &[(&str, &str)] = &[];

/// Type names that are defined more than once.
pub const SHARED_NAMES: &[&str] = &[];

/// Functions and structs that are larger than others may be, with the reason.
pub const LARGE: &[(&str, &str)] = &[
    ("model::balance::Balance", "the balance sheet: one number for each class of lines and bytes"),
    ("ops::progress::CountProgress", "what has to be saved in one moment lies in one value"),
    ("output::json::BalancePart", "the balance sheet as JSON: one number for each class of lines and bytes"),
    ("source::follow::records::FileRecord", "a record of the saved state, a field for each value of the format"),
    ("tallies::lines::CountedLines", "the balance sheet of a tallies file: one number for each class of lines"),
];
