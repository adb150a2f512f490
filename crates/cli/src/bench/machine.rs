//! What the figures were measured on.

use std::process::Command;

use serde::Serialize;

use crate::{Error, build};

/// The machine, the program and the time.
#[derive(Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_kib: u64,
    /// How many processes were running or waiting to, on average over 1, 5 and 15 minutes before.
    load_average: String,
    /// The commit that was measured; `-dirty` if files differed from it.
    commit: String,
    /// When it was measured, in UTC.
    date: String,
}

impl Machine {
    /// Reads what Linux and git say.
    ///
    /// # Errors
    /// If this is not Linux.
    pub(crate) fn read() -> Result<Self, Error> {
        let [cpu, memory, load] = ["cpuinfo", "meminfo", "loadavg"]
            .map(|file| std::fs::read_to_string(format!("/proc/{file}")));
        let needs_linux =
            |error| format!("oxcart bench reads /proc, which only Linux has: {error}");
        let memory = memory.map_err(needs_linux)?;
        let memory_kib =
            after(&memory, "MemTotal:").and_then(|text| text.split(' ').next()?.parse().ok());
        Ok(Self {
            cpu: after(&cpu.map_err(needs_linux)?, "model name").unwrap_or_default(),
            cores: std::thread::available_parallelism()?.get(),
            memory_kib: memory_kib.unwrap_or_default(),
            load_average: load
                .map_err(needs_linux)?
                .split(' ')
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            commit: commit(),
            date: jiff::Timestamp::now().strftime("%FT%TZ").to_string(),
        })
    }

    /// Prints it on one line.
    pub(crate) fn print(&self) {
        println!(
            "{}, {} cores, load {}, commit {}, {}",
            self.cpu, self.cores, self.load_average, self.commit, self.date
        );
    }
}

/// The most memory that this process has used, in KiB, as Linux tells it.
pub(crate) fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    number.unwrap_or(0)
}

/// The rest of the first line that begins with `name`, without colon and spaces.
fn after(text: &str, name: &str) -> Option<String> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(
        rest.trim_start_matches([':', ' ', '\t'])
            .trim_end()
            .to_owned(),
    )
}

/// The commit that is checked out, or `unknown` outside a git repository.
fn commit() -> String {
    let described = Command::new("git")
        .args([
            "describe",
            "--always",
            "--dirty",
            "--abbrev=12",
            "--exclude=*",
        ])
        .current_dir(build::repository())
        .output();
    match described {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_line_of_proc_is_read() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: other\n";
        assert_eq!(after(text, "model name").as_deref(), Some("AMD EPYC"));
        assert_eq!(
            after("MemTotal:        8135108 kB\n", "MemTotal:").as_deref(),
            Some("8135108 kB")
        );
        assert_eq!(after(text, "flags"), None);
    }
}
