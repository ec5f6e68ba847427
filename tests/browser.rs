//! The HTML report in a real browser: it is shown as it is meant, without any request to elsewhere.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk and start a browser"
)]

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use support::{certwright, example, has_tool};

/// Looks at the page from inside and leaves what it sees in the page.
const LOOK: &str = r#"<script>
const cells = [...document.querySelectorAll(".matrix td")];
const box = (element) => element.getBoundingClientRect();
const seen = {
  columns: document.querySelectorAll("section:nth-of-type(1) .matrix thead th").length - 1,
  rows: [...document.querySelectorAll("section:nth-of-type(1) .matrix tbody th")].map((cell) => cell.textContent),
  cells: cells.length,
  hidden: cells.filter((cell) => box(cell).width < 20 || box(cell).height < 10).length,
  colours: new Set(cells.map((cell) => getComputedStyle(cell).backgroundColor)).size,
  wrong: document.querySelectorAll(".matrix td.wrong").length,
  wordless: cells.filter((cell) => !cell.textContent.trim()).length,
  brokenLinks: [...document.querySelectorAll("a")].filter((link) => !document.querySelector(link.getAttribute("href"))).length,
  bars: [...document.querySelectorAll(".timeline rect:not(.track)")].map((bar) => box(bar).width),
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  requests: performance.getEntriesByType("resource").length,
  scripts: document.scripts.length,
};
document.body.setAttribute("data-seen", JSON.stringify(seen));
</script>"#;

#[test]
fn the_report_is_shown_as_it_is_meant() {
    if !has_tool("chromium") {
        return;
    }
    let directory = example("contoso");
    // The day after the public certificate has expired.
    let clock =
        certwright(&["lab", "clock", "--set", "2026-03-20T00:00:00Z"], directory.path()).output().unwrap();
    assert!(clock.status.success());
    let arguments = ["verify", "--health", "--report", "html=verdict.html", "--report", "json=verdict.json"];
    let verify = certwright(&arguments, directory.path()).output().unwrap();
    assert_eq!(verify.status.code(), Some(4), "the mail certificate has expired");
    let page = fs::read_to_string(directory.path().join("verdict.html")).unwrap();
    let looked = page.replace("</main>", &format!("</main>{LOOK}"));
    let file = directory.path().join("looked.html");
    fs::write(&file, looked).unwrap();
    for width in ["1400,1000", "500,900"] {
        let seen = look(&file, width);
        let verdict: Value =
            serde_json::from_slice(&fs::read(directory.path().join("verdict.json")).unwrap()).unwrap();
        let services = verdict["services"].as_array().unwrap();
        let expired = services.iter().filter(|service| service["state"] == "wrong").count();
        assert!(expired > 0);
        assert_eq!(seen["rows"], serde_json::json!(["EX01", "EX02"]), "{seen}");
        assert_eq!(seen["columns"], services.len() / 2, "{seen}");
        assert_eq!(seen["wrong"], expired, "{seen}");
        assert_eq!(
            seen["cells"].as_u64().unwrap(),
            services.len() as u64 + 18,
            "nine pages of two servers: {seen}"
        );
        for nothing in ["hidden", "wordless", "brokenLinks", "requests"] {
            assert_eq!(seen[nothing], 0, "{nothing}: {seen}");
        }
        assert_eq!(seen["colours"], 2, "{seen}");
        assert_eq!(seen["scripts"], 1, "but for that of this test: {seen}");
        assert_eq!(seen["wide"], false, "the page itself does not scroll sideways: {seen}");
        let bars = seen["bars"].as_array().unwrap();
        assert!(bars.len() == 3 && bars.iter().all(|width| width.as_f64().unwrap() > 1.0), "{seen}");
    }
}

fn look(file: &Path, width: &str) -> Value {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={width}"))
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&output.stdout);
    let (_, rest) = page.split_once("data-seen=\"").unwrap_or_else(|| {
        panic!("{page}\n{}", String::from_utf8_lossy(&output.stderr));
    });
    let (seen, _) = rest.split_once('"').unwrap();
    serde_json::from_str(&seen.replace("&quot;", "\"").replace("&amp;", "&")).unwrap()
}
