//! The names in a made log.

/// Hosts that connect.
pub(super) const HOSTS: [&str; 56] = [
    "almont",
    "alpine",
    "alta",
    "ambassador",
    "arden",
    "bedford",
    "benedict",
    "beverley",
    "brighton",
    "camden",
    "canon",
    "chalette",
    "clark",
    "clifton",
    "coldwater",
    "cove",
    "crescent",
    "dabney",
    "dayton",
    "della",
    "doheny",
    "elcamino",
    "elm",
    "evelyn",
    "foothill",
    "greenacres",
    "hartford",
    "hillcrest",
    "lapeer",
    "leona",
    "lindacrest",
    "linden",
    "lomavista",
    "maple",
    "mountain",
    "oakhurst",
    "oxford",
    "palm",
    "pamela",
    "peck",
    "pine",
    "reeves",
    "rexford",
    "robertson",
    "rodeo",
    "roxbury",
    "shadowhill",
    "sierra",
    "spaulding",
    "stonewood",
    "summit",
    "sunset",
    "swall",
    "tower",
    "wallace",
    "wetherly",
];

/// Hosts that are connected to.
pub(super) const SERVERS: [&str; 26] = [
    "Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliet", "Kilo", "Lima",
    "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Uniform", "Victor", "Whisky", "Xray",
    "Yankee", "Zulu",
];

/// `count` names: those of `table`, and behind them numbered ones.
pub(super) fn names(table: &[&str], prefix: &str, count: u32) -> Vec<String> {
    let named = table.iter().map(|name| (*name).to_owned());
    let numbered = (table.len() as u32..).map(|number| format!("{prefix}-{number:05}"));
    named.chain(numbered).take(count as usize).collect()
}
