//! The HTML pages in a real browser: on screens of three widths, by day and by night, and on paper, they are shown as they
//! are meant, without any request to elsewhere.
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
const all = (selector) => [...document.querySelectorAll(selector)];
const cells = all(".matrix td:not(.none)");
const box = (element) => element.getBoundingClientRect();
const shown = (element) => element.checkVisibility() && box(element).width > 0;
const ownText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
const texts = all("main *").filter((element) => ownText(element) && shown(element));
const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
const light = (colour) => {
  const [red, green, blue] = channels(colour).map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if ((channels(colour)[3] ?? 1) > 0) return colour;
  }
  return "rgb(255, 255, 255)";
};
const contrast = (element) => {
  const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};
const named = (element) => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 40)}`;
const seen = {
  columns: new Set(all("section:nth-of-type(1) .matrix td").map((cell) => cell.cellIndex)).size,
  rows: all("section:nth-of-type(1) .matrix tbody th").map((cell) => cell.textContent),
  cells: cells.length,
  hidden: cells.filter((cell) => box(cell).width < 20 || box(cell).height < 10).length,
  colours: new Set(cells.map((cell) => getComputedStyle(cell).backgroundColor)).size,
  wrong: all(".matrix td.wrong").length,
  wordless: cells.filter((cell) => !cell.textContent.trim()).length,
  unlabelled: cells.filter((cell) => !cell.dataset.label).length,
  brokenLinks: all("a").filter((link) => !document.querySelector(link.getAttribute("href"))).length,
  bars: all(".track i").map((bar) => box(bar).width),
  order: all(".expiry .whose b").map((name) => name.textContent),
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  scrolling: all("main *").filter((element) => element.scrollWidth > element.clientWidth + 1
    && /auto|scroll/.test(getComputedStyle(element).overflowX)).length,
  cut: texts.filter((element) => box(element).right > document.documentElement.clientWidth + 1).map(named),
  small: texts.filter((element) => parseFloat(getComputedStyle(element).fontSize) < 10).map(named),
  faint: texts.filter((element) => contrast(element) < 4.4).map(named),
  broken: all(".date").filter((date) => shown(date) && date.getClientRects().length > 1).length,
  folded: all("details > *:not(summary)").filter((part) => !shown(part)).length,
  dark: light(getComputedStyle(document.body).backgroundColor) < 0.1,
  requests: performance.getEntriesByType("resource").length,
  scripts: document.scripts.length,
};
document.body.setAttribute("data-seen", JSON.stringify(seen));
</script>"#;

/// What is so on every page, however it is looked at.
fn is_readable(seen: &Value, how: &str) {
    for nothing in ["brokenLinks", "requests", "scrolling", "broken"] {
        assert_eq!(seen[nothing], 0, "{how}: {nothing}: {seen}");
    }
    for empty in ["cut", "small", "faint"] {
        assert_eq!(seen[empty], serde_json::json!([]), "{how}: {empty}: {seen}");
    }
    assert_eq!(seen["scripts"], 1, "{how}: but for that of this test: {seen}");
    assert_eq!(seen["wide"], false, "{how}: the page itself does not scroll sideways: {seen}");
}

/// Screens of telephones, tablets and desks, by day and by night, and paper: A4 between its margins.
const WAYS: [(&str, &str, Medium); 6] = [
    ("a desk", "1400,1000", Medium::Screen),
    ("a tablet", "1000,900", Medium::Screen),
    ("a telephone", "500,900", Medium::Screen),
    ("a desk at night", "1400,1000", Medium::Night),
    ("a telephone at night", "500,900", Medium::Night),
    ("paper", "718,1000", Medium::Paper),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Medium {
    Screen,
    Night,
    Paper,
}

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
    let verdict: Value =
        serde_json::from_slice(&fs::read(directory.path().join("verdict.json")).unwrap()).unwrap();
    let services = verdict["services"].as_array().unwrap();
    let expired = services.iter().filter(|service| service["state"] == "wrong").count();
    assert!(expired > 0);
    for (how, size, medium) in WAYS {
        let seen = look(&page, size, medium);
        is_readable(&seen, how);
        assert_eq!(seen["rows"], serde_json::json!(["EX01", "EX02"]), "{seen}");
        assert_eq!(seen["columns"], services.len() / 2, "{seen}");
        assert_eq!(seen["wrong"], expired, "{seen}");
        assert_eq!(
            seen["cells"].as_u64().unwrap(),
            services.len() as u64 + 18,
            "nine pages of two servers: {seen}"
        );
        for nothing in ["hidden", "wordless", "unlabelled"] {
            assert_eq!(seen[nothing], 0, "{how}: {nothing}: {seen}");
        }
        assert_eq!(seen["colours"], 2, "{seen}");
        assert_eq!(seen["dark"], medium == Medium::Night, "{seen}");
        assert_eq!(seen["order"], serde_json::json!(["mail.contoso.com", "EX01", "EX02"]), "{seen}");
        let folded = seen["folded"].as_u64().unwrap();
        assert_eq!(folded == 0, medium == Medium::Paper, "nobody can unfold paper: {seen}");
        let bars = seen["bars"].as_array().unwrap();
        assert!(bars.len() == 3 && bars.iter().all(|width| width.as_f64().unwrap() > 1.0), "{seen}");
    }
}

#[test]
fn plans_and_calendars_are_shown_as_they_are_meant() {
    if !has_tool("chromium") {
        return;
    }
    let directory = example("contoso");
    let pages = ["--report", "html=page.html"];
    for (command, what) in [("plan", "Restarts"), ("calendar", "by certwright apply")] {
        let output = certwright(&[&[command][..], &pages].concat(), directory.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let page = fs::read_to_string(directory.path().join("page.html")).unwrap();
        assert!(page.contains(what), "{page}");
        for (how, size, medium) in WAYS {
            let seen = look(&page, size, medium);
            is_readable(&seen, &format!("{command} on {how}"));
            assert_eq!(seen["dark"], medium == Medium::Night, "{command} on {how}: {seen}");
            assert_eq!(seen["folded"], 0, "{command} on {how}: {seen}");
        }
    }
}

#[test]
fn the_report_can_be_printed() {
    if !has_tool("chromium") {
        return;
    }
    let directory = example("contoso");
    let verify = certwright(&["verify", "--report", "html=verdict.html"], directory.path()).output().unwrap();
    assert!(directory.path().join("verdict.html").exists(), "{}", String::from_utf8_lossy(&verify.stderr));
    let pdf = directory.path().join("verdict.pdf");
    let output = chromium(directory.path(), &[&format!("--print-to-pdf={}", pdf.display())])
        .arg(format!("file://{}", directory.path().join("verdict.html").display()))
        .output()
        .unwrap();
    let printed = fs::read(&pdf).unwrap_or_default();
    assert!(printed.starts_with(b"%PDF-"), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What the page shows in a window of this size. On paper it follows the rules for print.
fn look(page: &str, size: &str, medium: Medium) -> Value {
    let profile = tempfile::tempdir().unwrap();
    let page = match medium {
        Medium::Screen | Medium::Night => page.to_owned(),
        Medium::Paper => {
            page.replace("@media print", "@media all").replace("@media screen and", "@media print and")
        }
    };
    let file = profile.path().join("looked.html");
    fs::write(&file, page.replace("</main>", &format!("</main>{LOOK}"))).unwrap();
    let night = if medium == Medium::Night { "0" } else { "1" };
    let arguments = [
        &format!("--window-size={size}"),
        &format!("--blink-settings=preferredColorScheme={night}"),
        "--dump-dom",
    ];
    let output =
        chromium(profile.path(), &arguments).arg(format!("file://{}", file.display())).output().unwrap();
    let page = String::from_utf8_lossy(&output.stdout);
    let (_, rest) = page.split_once("data-seen=\"").unwrap_or_else(|| {
        panic!("{page}\n{}", String::from_utf8_lossy(&output.stderr));
    });
    let (seen, _) = rest.split_once('"').unwrap();
    serde_json::from_str(&seen.replace("&quot;", "\"").replace("&amp;", "&")).unwrap()
}

/// A browser without a window, with a profile of its own.
fn chromium(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("chromium");
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
        ])
        .arg(format!("--user-data-dir={}", directory.join("profile").display()))
        .args(arguments)
        .stdin(Stdio::null());
    command
}
