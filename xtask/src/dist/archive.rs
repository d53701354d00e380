//! Tar archives whose bytes depend on names and contents alone.

use anyhow::Result;
use tar::{Builder, EntryType, Header};

/// Returns an archive of the files, in their order; owner 0, mode 0644, all with one time of change.
pub(super) fn tar(files: &[(&str, &[u8])], time: u64) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(time);
        archive.append_data(&mut header, name, *bytes)?;
    }
    Ok(archive.into_inner()?)
}
