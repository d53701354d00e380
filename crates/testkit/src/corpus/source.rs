//! Where the files of the corpus come from: always from the disk, so that none is forgotten in a build.

pub(super) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");

/// All files of the corpus, name and text, sorted by name.
#[cfg(not(target_family = "wasm"))]
pub(super) fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(FOLDER)
        .expect("tests/cases is a folder")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_name().expect("a file name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a readable file"))
        })
        .collect();
    files.sort();
    files
}

/// All files of the corpus, name and text, sorted by name, read by Node.
#[cfg(target_family = "wasm")]
pub(super) fn files() -> Vec<(String, String)> {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen(module = "node:fs")]
    extern "C" {
        #[wasm_bindgen(js_name = readdirSync)]
        fn read_dir(path: &str) -> Vec<String>;
        #[wasm_bindgen(js_name = readFileSync)]
        fn read_file(path: &str, encoding: &str) -> String;
    }

    let mut files: Vec<(String, String)> = read_dir(FOLDER)
        .into_iter()
        .filter(|name| name.ends_with(".toml"))
        .map(|name| {
            let text = read_file(&format!("{FOLDER}/{name}"), "utf8");
            (name, text)
        })
        .collect();
    files.sort();
    files
}
