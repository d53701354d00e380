//! Which commit is built: of a clone by git, of an archive that git made by `.git_archival.txt`.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::root;

/// What a build is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// 40 hexadecimal digits, with `-dirty` if the files differ from the commit; or `unknown`.
    pub name: String,
    /// The time of the build's timestamps, in seconds since 1970: `SOURCE_DATE_EPOCH`, else that of the commit.
    pub time: u64,
}

impl Revision {
    /// Reads the revision of the sources in [`root`].
    ///
    /// # Errors
    /// `SOURCE_DATE_EPOCH` is no number.
    pub fn read() -> Result<Self> {
        let archival = fs::read_to_string(root().join(".git_archival.txt")).unwrap_or_default();
        let found = of_archive(&archival).or_else(of_clone);
        let mut revision = found.unwrap_or_else(|| Self { name: "unknown".to_owned(), time: 0 });
        if let Some(given) = std::env::var_os("SOURCE_DATE_EPOCH") {
            let number = given.to_str().and_then(|text| text.parse().ok());
            revision.time = number.context("SOURCE_DATE_EPOCH: expected seconds since 1970")?;
        }
        Ok(revision)
    }

    /// Returns the time as RFC 3339.
    ///
    /// # Errors
    /// The time is beyond the year 9999.
    pub fn timestamp(&self) -> Result<String> {
        let seconds = i64::try_from(self.time)?;
        let time = time::OffsetDateTime::from_unix_timestamp(seconds).context("the time of the build")?;
        Ok(time.format(&time::format_description::well_known::Rfc3339)?)
    }

    /// Whether the sources are exactly those of a commit.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.name.len() == 40
    }
}

fn of_archive(archival: &str) -> Option<Revision> {
    let (commit, time) = archival.trim().split_once(' ')?;
    let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(Revision { name: commit.to_owned(), time: time.parse().ok()? }).filter(|_| is_commit)
}

fn of_clone() -> Option<Revision> {
    // An unpacked archive may be within another repository.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top).ok()? != fs::canonicalize(root()).ok()? {
        return None;
    }
    let commit = git(&["rev-parse", "HEAD"])?;
    let time = git(&["show", "--no-patch", "--format=%ct", "HEAD"])?.parse().ok()?;
    let is_clean = git(&["status", "--porcelain"])?.is_empty();
    // What is not committed is at least as new as now.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(time, |now| now.as_secs());
    Some(if is_clean { Revision { name: commit, time } } else { Revision { name: commit + "-dirty", time: now } })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(root()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_names_its_commit_and_a_clone_does_not() {
        let commit = "4ec234e43f628a0a908ff6e596c141875699448b";
        let read = of_archive(&format!("{commit} 1795665639\n")).unwrap();
        assert_eq!((read.name.as_str(), read.time), (commit, 1_795_665_639));
        assert_eq!(read.timestamp().unwrap(), "2026-11-26T04:00:39Z");
        assert_eq!(of_archive("$Format:%H %ct$\n"), None);
        assert_eq!(of_archive(""), None);
    }
}
