use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Returns the directory of installed tools: `$XDG_CACHE_HOME/byok-filter`, else `~/.cache/byok-filter`.
fn cache_dir() -> PathBuf {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("byok-filter")
}

/// Returns the file that `find` sees in the cached directory `name`, after installing it there if need be.
///
/// One process installs, others wait for it. What is being installed gets its name when it is whole,
/// so an interrupted installation leaves nothing that the next one would believe.
pub(super) fn install_once<T>(
    name: &str,
    find: impl Fn(&Path) -> Option<PathBuf>,
    install: impl FnOnce(&Path) -> Result<T>,
) -> Result<PathBuf> {
    install_once_in(&cache_dir(), name, find, install)
}

fn install_once_in<T>(
    cache: &Path,
    name: &str,
    find: impl Fn(&Path) -> Option<PathBuf>,
    install: impl FnOnce(&Path) -> Result<T>,
) -> Result<PathBuf> {
    let installed = cache.join(name);
    if let Some(file) = find(&installed) {
        return Ok(file);
    }
    fs::create_dir_all(cache).with_context(|| format!("could not make {}", cache.display()))?;
    let lock = File::create(cache.join(format!("{name}.lock")))?;
    lock.lock().with_context(|| format!("could not lock {}", cache.display()))?;
    if let Some(file) = find(&installed) {
        return Ok(file);
    }

    eprintln!("installing {name} into {} …", cache.display());
    let partial = cache.join(format!("{name}.partial"));
    remove(&partial)?;
    fs::create_dir(&partial)?;
    install(&partial)?;
    remove(&installed)?;
    fs::rename(&partial, &installed)?;
    find(&installed).with_context(|| format!("{name} was installed into {}, but is not there", installed.display()))
}

fn remove(dir: &Path) -> Result<()> {
    match dir.exists() {
        true => fs::remove_dir_all(dir).with_context(|| format!("could not remove {}", dir.display())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use anyhow::bail;
    use tempfile::tempdir;

    use super::*;

    fn tool(dir: &Path) -> Option<PathBuf> {
        Some(dir.join("tool")).filter(|file| file.is_file())
    }

    #[test]
    fn two_at_once_install_once() {
        let cache = tempdir().unwrap();
        let installations = AtomicUsize::new(0);
        let install = || {
            install_once_in(cache.path(), "t", tool, |dir| {
                installations.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(50));
                Ok(fs::write(dir.join("tool"), "")?)
            })
        };
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| assert!(install().unwrap().is_file()));
            }
        });
        assert_eq!(installations.into_inner(), 1);
    }

    #[test]
    fn what_an_interrupted_installation_left_is_not_believed() {
        let cache = tempdir().unwrap();
        let broken = install_once_in(cache.path(), "t", tool, |dir| {
            fs::write(dir.join("tool"), "half")?;
            bail!("interrupted") as Result<()>
        });
        assert!(broken.is_err());

        let file = install_once_in(cache.path(), "t", tool, |dir| Ok(fs::write(dir.join("tool"), "whole")?)).unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), "whole");
    }
}
