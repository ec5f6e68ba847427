//! `cargo +nightly fuzz run smtp_log`: whatever stands in a protocol log, its lines are counted.
#![no_main]

use certwright::verify::smtp_log::SmtpLog;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut log = SmtpLog::default();
    log.file();
    for line in text.lines() {
        log.line(line);
    }
    let shown = log.finish();
    assert!(shown.unreadable <= shown.lines);
});
