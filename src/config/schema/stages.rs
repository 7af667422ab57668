//! The types of stages: what each takes and gives.
//!
//! Not here: their keys (`keys`).

/// A type of stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageType {
    /// Inputs to chunks.
    Reader,
    /// Chunks to lines.
    LineSplitter,
    /// Lines to records.
    TimeFilter,
    /// Records to window results.
    BucketAggregator,
    /// Window results to outputs.
    Reporter,
}

/// What travels on an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// Blocks of bytes, cut at line ends.
    Chunks,
    /// Blocks with their line ends.
    Lines,
    /// Records in the window.
    Records,
    /// Merged windows.
    Results,
}

impl StageType {
    /// All types, in the order of the data.
    pub const ALL: [StageType; 5] = [
        StageType::Reader,
        StageType::LineSplitter,
        StageType::TimeFilter,
        StageType::BucketAggregator,
        StageType::Reporter,
    ];

    /// The name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            StageType::Reader => "reader",
            StageType::LineSplitter => "line-splitter",
            StageType::TimeFilter => "time-filter",
            StageType::BucketAggregator => "bucket-aggregator",
            StageType::Reporter => "reporter",
        }
    }

    /// The name of this type's stage in the standard pipeline.
    pub const fn standard_name(self) -> &'static str {
        match self {
            StageType::Reader => "read",
            StageType::LineSplitter => "lines",
            StageType::TimeFilter => "recent",
            StageType::BucketAggregator => "tally",
            StageType::Reporter => "report",
        }
    }

    /// What comes in.
    pub const fn takes(self) -> Option<Item> {
        match self {
            StageType::Reader => None,
            StageType::LineSplitter => Some(Item::Chunks),
            StageType::TimeFilter => Some(Item::Lines),
            StageType::BucketAggregator => Some(Item::Records),
            StageType::Reporter => Some(Item::Results),
        }
    }

    /// What goes out.
    pub const fn gives(self) -> Option<Item> {
        match self {
            StageType::Reader => Some(Item::Chunks),
            StageType::LineSplitter => Some(Item::Lines),
            StageType::TimeFilter => Some(Item::Records),
            StageType::BucketAggregator => Some(Item::Results),
            StageType::Reporter => None,
        }
    }

    /// Workers when nothing is said: as many as there are cores, so that stages that could be chained
    /// have as many as each other. `None` of what reads: as many as what is chained to it, and
    /// without that one, which is quicker than they all are.
    pub const fn default_threads(self, cores: usize) -> Option<usize> {
        match self {
            StageType::Reader => None,
            _ => Some(cores),
        }
    }
}

impl Item {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Item::Chunks => "chunks",
            Item::Lines => "lines",
            Item::Records => "records",
            Item::Results => "window results",
        }
    }

    /// The type of stage that gives it.
    pub fn giver(self) -> &'static str {
        StageType::ALL.into_iter().find(|giver| giver.gives() == Some(self)).map_or("", StageType::name)
    }
}

/// The type of this name.
pub fn stage_type(name: &str) -> Option<StageType> {
    StageType::ALL.into_iter().find(|known| known.name() == name)
}
