//! The CPU time of this process and of the functions' processes, its children, as Linux tells it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::Error;

/// Stands for the name of processes that have ended.
const ENDED: &str = "(ended)";

/// Microseconds of one clock tick of `/proc`: `USER_HZ` is 100 on all common architectures.
const TICK_MICROS: u64 = 10_000;

/// What is read from a line of `/proc/PID/stat`: user and system time together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    own: Duration,
    /// That of its children that have ended and been waited for.
    ended_children: Duration,
}

/// All times at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    own: Duration,
    ended: Duration,
    /// Name and time of each child, by process id.
    children: BTreeMap<u32, (String, Duration)>,
}

/// What was used between two moments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// By this process, all its threads together.
    pub(super) own: Duration,
    /// By its children, by the name of their binary.
    pub(super) children: BTreeMap<String, Duration>,
}

impl Stat {
    /// Reads a line of `/proc/PID/stat`: `proc_pid_stat(5)`.
    fn parse(line: &str) -> Option<Self> {
        // The second field is the name in parentheses, which may have spaces and parentheses in it.
        let (_, rest) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // Fields are counted from 1 there, and the first one here is the third.
        let field = |number: usize| fields.get(number - 3);
        let ticks = |number| field(number)?.parse::<u64>().ok();
        let time = |user, system| {
            let ticks: u64 = ticks(user)? + ticks(system)?;
            Some(Duration::from_micros(ticks * TICK_MICROS))
        };
        Some(Self {
            parent: field(4)?.parse().ok()?,
            own: time(14, 15)?,
            ended_children: time(16, 17)?,
        })
    }

    fn read(folder: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(folder.join("stat")).ok()?)
    }
}

impl Snapshot {
    /// Reads all times.
    ///
    /// # Errors
    /// If there is no `/proc`.
    pub(super) fn take() -> Result<Self, Error> {
        let mut children = BTreeMap::new();
        for entry in std::fs::read_dir("/proc")? {
            let path = entry?.path();
            let id = path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok());
            // A process that ends while it is read counts as one that has ended.
            let (Some(id), Some(stat)) = (id, Stat::read(&path)) else {
                continue;
            };
            if stat.parent == std::process::id() {
                children.insert(id, (name(&path), stat.own));
            }
        }
        let stat = Stat::read(Path::new("/proc/self")).ok_or("/proc/self/stat cannot be read")?;
        Ok(Self {
            own: stat.own,
            ended: stat.ended_children,
            children,
        })
    }

    /// What was used since `before`.
    pub(super) fn since(&self, before: &Self) -> Used {
        let mut children: BTreeMap<String, Duration> = BTreeMap::new();
        // The time of a process that ends moves to `ended` as a whole.
        let mut ended = self.ended.saturating_sub(before.ended);
        for (id, (name, time)) in &self.children {
            let earlier = before
                .children
                .get(id)
                .map_or(Duration::ZERO, |(_, time)| *time);
            *children.entry(name.clone()).or_default() += time.saturating_sub(earlier);
        }
        for (id, (_, time)) in &before.children {
            if !self.children.contains_key(id) {
                ended = ended.saturating_sub(*time);
            }
        }
        if !ended.is_zero() {
            children.insert(ENDED.to_owned(), ended);
        }
        Used {
            own: self.own.saturating_sub(before.own),
            children,
        }
    }
}

/// The CPU time of the thread that calls this.
pub(super) fn this_thread() -> Duration {
    Stat::read(Path::new("/proc/thread-self")).map_or(Duration::ZERO, |stat| stat.own)
}

/// The name of the binary that a process runs.
fn name(folder: &Path) -> String {
    let command = std::fs::read_to_string(folder.join("cmdline")).unwrap_or_default();
    let program = command.split('\0').next().unwrap_or_default();
    let name = Path::new(program).file_name();
    name.map_or_else(
        || ENDED.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "4711 (list-products) S 4700 4711 4700 0 -1 4194560 1480 11 0 0 \
        123 45 6 7 20 0 1 0 99 12345678 1800 18446744073709551615 1 1 0 0 0 0 0 4096 1088 0 0 0 17 1\n";

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_times_of_a_process_are_read() {
        let stat = Stat {
            parent: 4700,
            own: ms(1_680),
            ended_children: ms(130),
        };
        assert_eq!(Stat::parse(LINE), Some(stat));
        let odd = LINE.replace("(list-products)", "(a b) S 1 (c) x)");
        assert_eq!(Stat::parse(&odd), Some(stat));
        assert_eq!(Stat::parse("4711 (short) S 4700"), None);
    }

    #[test]
    fn the_times_of_a_child_process_are_read() {
        let before = Snapshot::take().unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let during = Snapshot::take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let id = child.id();
        assert!(!before.children.contains_key(&id));
        assert!(during.children.contains_key(&id));
        assert!(!Snapshot::take().unwrap().children.contains_key(&id));
    }

    #[test]
    fn the_time_of_a_process_that_ended_counts_from_the_first_snapshot_on() {
        let child = |name: &str, time| (name.to_owned(), ms(time));
        let before = Snapshot {
            own: ms(100),
            ended: ms(30),
            children: [(1, child("a", 10)), (2, child("a", 20)), (3, child("b", 5))].into(),
        };
        let after = Snapshot {
            own: ms(150),
            // Process 2 went on for 40 ms, process 3 for none.
            ended: ms(30 + 20 + 40 + 5),
            children: [(1, child("a", 17)), (4, child("c", 9))].into(),
        };
        let used = Used {
            own: ms(50),
            children: [("a", 7), ("c", 9), (ENDED, 40)]
                .map(|(name, time)| child(name, time))
                .into(),
        };
        assert_eq!(after.since(&before), used);
    }
}
