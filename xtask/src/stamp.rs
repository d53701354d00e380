//! Revision and digest, written into the built module, which logs them when it starts.
//!
//! A module cannot contain its own SHA-256. Its *module digest* is the SHA-256 of the module with the 64 digits of the
//! digest as zeros; `docs/verifying-a-release.md` shows how to compute it.

use anyhow::{Context, Result, ensure};

use crate::digest;

/// What the filter has compiled in, in the place of both.
const PLACEHOLDER: &[u8] = include_bytes!("../../src/stamp.txt");
const REVISION: &[u8] = b"revision=";
const DIGEST: &[u8] = b"module=";
const DIGITS: usize = 64;

/// Writes the revision and the module digest into the module; returns the digest, 64 hexadecimal digits.
///
/// # Errors
/// The module has no place for them, or several, or the revision is too long.
pub fn stamp(module: &mut [u8], revision: &str) -> Result<String> {
    let mut places = module.windows(PLACEHOLDER.len()).enumerate().filter(|(_, bytes)| *bytes == PLACEHOLDER);
    let (at, _) = places.next().context("the module has no place for its revision")?;
    ensure!(places.next().is_none(), "the module has two places for its revision");
    let (digits, name) = (at + PLACEHOLDER.len() - DIGITS, at + REVISION.len());
    // A space is left between the two.
    let room = digits - DIGEST.len() - 1 - name;
    ensure!(revision.len() <= room, "a revision has at most {room} characters");
    write(module, name, format!("{revision:room$}").as_bytes())?;
    let digest = digest(module);
    write(module, digits, digest.as_bytes())?;
    Ok(digest)
}

fn write(module: &mut [u8], at: usize, bytes: &[u8]) -> Result<()> {
    module.get_mut(at..at + bytes.len()).context("the module ends early")?.copy_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "4ec234e43f628a0a908ff6e596c141875699448b-dirty";

    #[test]
    fn the_digest_is_that_of_the_module_with_zeros_for_it() {
        let mut module = [b"before ", PLACEHOLDER, b" after"].concat();
        let digest = stamp(&mut module, COMMIT).unwrap();
        let text = String::from_utf8(module).unwrap();
        assert!(
            text.contains(&format!("before revision={COMMIT} ")) && text.ends_with(&format!("module={digest} after"))
        );
        assert_eq!(digest, crate::digest(text.replace(&digest, &"0".repeat(64)).as_bytes()));
    }

    #[test]
    fn a_module_without_one_place_is_refused() {
        assert!(stamp(&mut b"module".to_vec(), COMMIT).is_err());
        assert!(stamp(&mut [PLACEHOLDER, PLACEHOLDER].concat(), COMMIT).is_err());
        assert!(stamp(&mut PLACEHOLDER.to_vec(), &"a".repeat(60)).is_err());
    }
}
