//! What the machine has, as far as a run without end has to know.
//!
//! Not here: how many cores there are, which checking is told. Invariant: what the system does not
//! tell is `None`, never a guess.

use std::fs;

/// Bytes of memory that this process may have: those of the machine, or fewer where a control group
/// says so.
pub(super) fn memory() -> Option<usize> {
    [machine(), control_group()].into_iter().flatten().min()
}

#[cfg(target_os = "linux")]
fn machine() -> Option<usize> {
    let info = rustix::system::sysinfo();
    let bytes = u64::from(info.mem_unit).saturating_mul(info.totalram as u64);
    usize::try_from(bytes).ok().filter(|bytes| *bytes > 0)
}

#[cfg(not(target_os = "linux"))]
fn machine() -> Option<usize> {
    None
}

/// The limit of the control group that this process is in, of either version (cgroups(7)).
fn control_group() -> Option<usize> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let limits = groups.lines().filter_map(limit_file);
    // `max`, or no such file, is no limit.
    limits.filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok()).min()
}

/// The file with the limit of memory that a line of `/proc/self/cgroup` leads to, if it does.
fn limit_file(line: &str) -> Option<String> {
    let mut parts = line.splitn(3, ':');
    let (_, controllers, group) = (parts.next()?, parts.next()?, parts.next()?.trim_end_matches('/'));
    if controllers.is_empty() {
        return Some(format!("/sys/fs/cgroup{group}/memory.max"));
    }
    let is_memory = controllers.split(',').any(|controller| controller == "memory");
    is_memory.then(|| format!("/sys/fs/cgroup/memory{group}/memory.limit_in_bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_a_control_group_of_either_version_is_found() {
        assert_eq!(limit_file("0::/a/b").as_deref(), Some("/sys/fs/cgroup/a/b/memory.max"));
        let first = "/sys/fs/cgroup/memory/memory.limit_in_bytes";
        assert_eq!(limit_file("7:cpu,memory:/").as_deref(), Some(first));
        assert_eq!(limit_file("7:cpu:/x"), None);
        assert!(memory().is_none_or(|bytes| bytes > 1 << 20));
    }
}
