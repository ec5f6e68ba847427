//! Captures of which a few bytes are not as they were.

use std::{fs, path::Path};

use super::bad::good;
use certwright::{
    drivers::capture::Capture,
    manifest::CaptureSpec,
    ports::driver::{Observer, Wanted},
};

/// Whatever the files hold, there is an answer: a fixed corpus, and mutations that are the same in every run.
/// `CERTWRIGHT_FUZZ_ROUNDS` makes them more.
#[test]
fn mutated_captures() {
    let rounds: u64 =
        std::env::var("CERTWRIGHT_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let folder = tempfile::tempdir().unwrap();
    good(folder.path());
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let originals: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut number = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
        usize::try_from(number % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    let now = "2026-03-02T10:00:00Z".parse().unwrap();
    for _ in 0..rounds {
        let at = next(files.len());
        let mut bytes = originals[at].clone();
        for _ in 0..=next(4) {
            let place = next(bytes.len());
            match next(4) {
                0 => bytes[place] ^= 1 << next(8),
                1 => bytes.truncate(place.max(1)),
                2 => drop(bytes.remove(place)),
                _ => {
                    let end = (place + next(200)).min(bytes.len());
                    let piece = bytes[place..end].to_vec();
                    let to = next(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
        fs::write(&files[at], &bytes).unwrap();
        let spec = CaptureSpec { at: Some(now), ..CaptureSpec::at_path(folder.path().to_owned()) };
        if let Ok(capture) = Capture::open(&spec, Path::new(""), now)
            && let Ok(observed) = capture.observe(Wanted::Everything)
        {
            assert!(observed.notes.iter().all(|note| note.len() < 2_000), "{:?}", observed.notes);
        }
        fs::write(&files[at], &originals[at]).unwrap();
    }
    eprintln!("bad inputs: {rounds} captures tried, panics: 0");
}
