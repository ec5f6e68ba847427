//! `certwright calendar --format ics`, read by another program.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;

#[test]
fn another_program_reads_the_calendar() {
    let Some(python) = support::named_file("CERTWRIGHT_FORMATS_PYTHON") else { return };
    let directory = support::example("contoso");
    let run = |format: &str| {
        let arguments = ["calendar", "--ahead", "900d", "--format", format];
        let output = support::certwright(&arguments, directory.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let ics = run("ics");
    assert_eq!(ics, run("ics"), "equal inputs, equal bytes");
    fs::write(directory.path().join("certificates.ics"), &ics).unwrap();
    let script = "import json, icalendar\n\
                  calendar = icalendar.Calendar.from_ical(open('certificates.ics', 'rb').read())\n\
                  errors = [str(error) for part in calendar.walk() for error in part.errors]\n\
                  events = [event for event in calendar.walk('VEVENT')]\n\
                  print(json.dumps({'errors': errors, 'uids': [str(event['UID']) for event in events],\n\
                  'days': [event['DTSTART'].dt.isoformat() for event in events],\n\
                  'told': [str(event['DESCRIPTION']) for event in events]}))";
    let output = Command::new(python).args(["-c", script]).current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["errors"], serde_json::json!([]));
    let calendar: Value = serde_json::from_slice(&run("json")).unwrap();
    let events = calendar["calendars"][0]["events"].as_array().unwrap();
    assert!(events.len() > 5, "{calendar:#}");
    assert_eq!(read["uids"].as_array().unwrap().len(), events.len());
    let mut uids: Vec<&str> =
        read["uids"].as_array().unwrap().iter().map(|uid| uid.as_str().unwrap()).collect();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), events.len(), "each entry has an id of its own");
    for (event, (day, told)) in
        events.iter().zip(read["days"].as_array().unwrap().iter().zip(read["told"].as_array().unwrap()))
    {
        assert_eq!(event["at"].as_str().unwrap()[..10], *day.as_str().unwrap());
        assert!(told.as_str().unwrap().starts_with(event["message"].as_str().unwrap()), "{told} {event}");
    }
}

/// A calendar that was written a day later is the same one: what is renewed again and again keeps its ids, though the days move.
#[test]
fn a_day_later_the_entries_are_the_same() {
    let directory = support::example("contoso");
    let uids = |now: &str| -> BTreeSet<String> {
        let arguments = ["calendar", "--now", now, "--until", "2028-01-01", "--format", "ics"];
        let output = support::certwright(&arguments, directory.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.starts_with("UID:")).map(str::to_owned).collect()
    };
    let (today, tomorrow) = (uids("2026-03-02"), uids("2026-03-03"));
    assert!(today.len() > 5, "{today:?}");
    // What comes last can be beyond the end of the calendar a day later.
    assert!(tomorrow.is_subset(&today) && tomorrow.len() + 1 >= today.len(), "{today:?} {tomorrow:?}");
}

/// The marks of the page's timeline say in plain text what they stand for.
#[test]
fn no_markup_is_in_an_attribute() {
    let directory = support::example("contoso");
    let arguments = ["calendar", "--until", "2029-12-31", "--format", "html"];
    let output = support::certwright(&arguments, directory.path()).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let titles: Vec<&str> =
        page.split("title=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(titles.iter().any(|title| title.contains("ends")), "{titles:?}");
    assert!(titles.iter().all(|title| !title.contains(['<', '`'])), "{titles:?}");
}

/// Behind the last day that X.509 can write there is none: an entry on it has no end of its own.
#[test]
fn the_last_day_of_all_ends_no_entry_before_it_begins() {
    let directory = support::example("contoso");
    for now in ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-30"] {
        let arguments = ["calendar", "--now", now, "--format", "ics"];
        let output = support::certwright(&arguments, directory.path()).output().unwrap();
        let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{now}: {said}");
        let day = |name: &str, entry: &str| -> Option<String> {
            entry.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
        };
        let entries: Vec<&str> = text.split("BEGIN:VEVENT").skip(1).collect();
        assert!(!entries.is_empty(), "{text}");
        for entry in entries {
            let begins = day("DTSTART;VALUE=DATE:", entry).unwrap();
            assert!(
                begins.len() == 8 && day("DTEND;VALUE=DATE:", entry).is_none_or(|ends| ends > begins),
                "{entry}"
            );
        }
    }
}
