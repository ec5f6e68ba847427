//! What a channel makes of a peer that misbehaves: each time the right kind of error, and nothing left running.

use std::time::Duration;

use certwright::drivers::powershell::{
    PowerShellError, Request,
    channel::{
        Channel, PeerProgram,
        replay::{Recording, Replay},
        stdio::StdioChannel,
    },
};
use certwright::model::secret::Secret;
use serde_json::{Value as Json, json};

use super::peers::{
    hostile::hostile,
    script::{self, Part},
};

const LONG: Duration = Duration::from_secs(60);

fn start(part: &Part) -> StdioChannel {
    StdioChannel::start(&script::program(), &part.text()).unwrap()
}

pub(crate) fn request(arguments: Json) -> Request {
    Request { operation: "echo", arguments, secrets: Vec::new(), changes: true, what_if: false }
}

fn once(fault: &str, patience: Duration) -> Result<Json, PowerShellError> {
    let mut channel = start(&Part::misbehaving(fault));
    let answer = channel.exchange(1, &request(json!({ "x": "y" })), patience)?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

#[test]
fn what_is_printed_beside_the_answers_does_not_matter() {
    for fault in ["", "noise", "bom", "crlf", "flood"] {
        let answer = once(fault, LONG).unwrap_or_else(|error| panic!("{fault}: {error:?}"));
        assert_eq!(answer["result"]["echo"], json!({ "x": "y" }), "{fault}");
    }
}

#[test]
fn each_fault_ends_in_its_kind_of_error() {
    let short = Duration::from_millis(1500);
    let cases: [(&str, Duration, Is); 8] = [
        ("wrong nonce", short, |error| matches!(error, PowerShellError::Deadline { .. })),
        ("endless", short, |error| matches!(error, PowerShellError::Deadline { .. })),
        ("no base64", LONG, |error| matches!(error, PowerShellError::Protocol { .. })),
        ("too large", LONG, |error| matches!(error, PowerShellError::Protocol { .. })),
        (
            "half a frame",
            LONG,
            |error| matches!(error, PowerShellError::Died { status: Some(status), .. } if status.code() == Some(7)),
        ),
        (
            "ends",
            LONG,
            |error| matches!(error, PowerShellError::Unsuitable { what, .. } if what.contains("Constrained")),
        ),
        ("silent", short, |error| matches!(error, PowerShellError::Deadline { .. })),
        ("no json", LONG, |_| false),
    ];
    for (fault, patience, is) in cases {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let mut channel = start(&Part::misbehaving(fault));
        let result = channel.exchange(1, &request(json!({ "pids": pids })), patience);
        match result {
            // It came as a frame; that it is no JSON is for who reads it.
            Ok(answer) => assert_eq!((fault, answer.as_slice()), ("no json", b"x".as_slice())),
            Err(error) => {
                assert!(is(&error), "{fault}: {error:?}");
                assert!(!error.leaves_session(), "{fault}");
                // The session is over: another call does not wait for anything.
                assert!(channel.exchange(2, &request(json!({})), LONG).is_err(), "{fault}");
            }
        }
        if fault == "silent" {
            gone(&std::fs::read_to_string(&pids).unwrap());
        }
    }
}

type Is = fn(&PowerShellError) -> bool;

/// The peer and what it had started do not run any more.
fn gone(pids: &str) {
    for pid in pids.split(' ') {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // One that was killed and not yet waited for by whoever inherited it counts as gone.
        let state = stat.rsplit(')').next().unwrap_or_default().split_whitespace().next();
        assert!(matches!(state, None | Some("Z" | "X")), "{pid} runs: {stat}");
    }
}

/// What nobody has asked for is not taken for an answer, and nothing piles up.
#[test]
fn frames_that_nobody_asked_for_are_an_error() {
    let mut channel = start(&Part::misbehaving("unasked"));
    channel.exchange(1, &request(json!({})), LONG).unwrap();
    let second = channel.exchange(2, &request(json!({})), LONG);
    // The second answer is either there before anybody asks, or is one to another request.
    match second {
        Err(error) => assert!(matches!(error, PowerShellError::Protocol { .. }), "{error:?}"),
        Ok(answer) => {
            let answer: Json = serde_json::from_slice(&answer).unwrap();
            assert_eq!(answer["id"], 1);
        }
    }
}

fn shell(line: &str) -> PeerProgram {
    let arguments = ["-c", line].map(Into::into).to_vec();
    PeerProgram { program: "sh".into(), arguments, host: "the peer".into(), is_ssh: false }
}

/// A program that ends is not waited for any longer when something that it started keeps its output open; and that is ended too.
#[test]
fn a_program_that_is_gone_is_told_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let line = format!("sleep 600 & echo $! > {}; echo no route >&2; exit 3", pids.display());
    let mut channel = StdioChannel::start(&shell(&line), "").unwrap();
    let ended = channel.exchange(1, &request(json!({})), LONG).unwrap_err();
    let is_so = matches!(&ended, PowerShellError::Died { status: Some(status), said, .. }
        if status.code() == Some(3) && said.contains("no route"));
    assert!(is_so, "{ended:?}");
    gone(std::fs::read_to_string(&pids).unwrap().trim());
}

/// A wrapper that shows what it runs, a host that prints the line in its error.
#[test]
fn what_a_peer_says_last_shows_no_secret() {
    let line = "read -r length; head -c \"$length\" > /dev/null; read -r line; echo \"$line\" >&2; exit 1";
    let mut asked = request(json!({ "password": { "$secret": 0 } }));
    asked.secrets.push(Secret::new(b"hunter2\"secret".to_vec()));
    let mut channel = StdioChannel::start(&shell(line), "script").unwrap();
    let error = channel.exchange(1, &asked, LONG).unwrap_err();
    let PowerShellError::Died { said, .. } = &error else { panic!("{error:?}") };
    assert!(said.contains("\"op\":\"echo\"") && !said.contains("hunter2"), "{said}");
}

#[test]
fn a_program_that_is_not_there_is_said() {
    let mut program = script::program();
    program.program = "no-such-powershell".into();
    let result = StdioChannel::start(&program, "");
    assert!(matches!(result.err(), Some(PowerShellError::NotStarted { .. })));
}

#[test]
fn hostile_values_arrive_as_they_are() {
    let mut channel = start(&Part::default());
    for (number, text) in hostile().into_iter().enumerate() {
        let answer = channel.exchange(number as u64, &request(json!({ "text": text })), LONG).unwrap();
        let answer: Json = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["result"]["echo"]["text"], json!(text));
    }
}

#[test]
fn a_transcript_plays_again_and_holds_no_secret() {
    let mut written = Vec::new();
    let mut asked = request(json!({ "password": { "$secret": 0 }, "name": "mail" }));
    asked.secrets.push(Secret::new(b"correct horse".to_vec()));
    {
        let mut recording = Recording::of(Box::new(start(&Part::misbehaving("an error"))), &mut written);
        recording.exchange(1, &asked, LONG).unwrap();
        recording.exchange(2, &request(json!({})), LONG).unwrap();
    }
    let text = String::from_utf8(written).unwrap();
    assert!(!text.contains("horse"), "{text}");
    let mut replay = Replay::of_text("transcript", &text).unwrap();
    let answer: Json = serde_json::from_slice(&replay.exchange(7, &asked, LONG).unwrap()).unwrap();
    assert_eq!((&answer["id"], &answer["error"]["kind"]), (&json!(7), &json!("not_found")));
    let other = replay.exchange(8, &request(json!({ "name": "another" })), LONG);
    assert!(matches!(other, Err(PowerShellError::Transcript { .. })), "{other:?}");
}
