//! The other end, played by this binary: it takes the place of PowerShell, and what it is sent in the place of the script
//! says what it shall be.

#![allow(clippy::print_stderr, reason = "it plays a program")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::Command,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use certwright::drivers::powershell::channel::PeerProgram;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{cmdlets, lab_script};

/// What the peer shall be.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// How it misbehaves.
    pub fault: String,
    /// The manifest's directory of the lab that its servers are.
    pub lab: Option<PathBuf>,
    /// In how many changes the server goes down once.
    pub falls: Option<u32>,
    /// A folder in which each peer leaves its process number.
    pub processes: Option<PathBuf>,
    /// A file with what goes wrong once, and at which change: `7 half a frame`.
    pub strike: Option<PathBuf>,
    /// Whether its clock is this computer's, and not one of tests.
    pub present: bool,
    /// A file that is there until the peer has died once at a change.
    pub dies_while: Option<PathBuf>,
}

/// How this binary is started as the peer.
pub fn program() -> PeerProgram {
    PeerProgram {
        program: std::env::current_exe().unwrap().into(),
        arguments: words().into_iter().map(Into::into).collect(),
        host: "the peer".into(),
        is_ssh: false,
    }
}

pub fn words() -> Vec<String> {
    ["as_the_peer", "--exact", "--ignored", "--nocapture"].map(str::to_owned).to_vec()
}

impl Part {
    pub fn misbehaving(fault: &str) -> Self {
        Self { fault: fault.into(), ..Self::default() }
    }

    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap()
    }

    /// Leaves the number of this process where it can be found.
    pub fn tell_process(&self) {
        if let Some(folder) = &self.processes {
            std::fs::write(folder.join(std::process::id().to_string()), "").unwrap();
        }
    }

    /// A server that goes down in the middle of a change: before it was done (0), or after and before it could be said (1).
    pub fn may_fall(&self, is_change: bool, id: &Json, at: u32) {
        if is_change && self.falls.is_some_and(|one_in| lot(id, at).is_multiple_of(u64::from(one_in))) {
            std::process::abort();
        }
    }

    /// What goes wrong at this change, if anything does.
    pub fn strikes(&self, is_change: bool) -> Option<String> {
        let file = self.strike.as_ref().filter(|file| is_change && file.exists())?;
        let text = std::fs::read_to_string(file).ok()?;
        let (left, what) = text.split_once(' ')?;
        let left: u32 = left.parse().unwrap();
        if left > 1 {
            std::fs::write(file, format!("{} {what}", left - 1)).unwrap();
            return None;
        }
        std::fs::remove_file(file).unwrap();
        Some(what.to_owned())
    }

    /// A server that goes down once, at this change, after it was done.
    pub fn may_die_while(&self, change: &str) {
        if let Some(file) = self.dies_while.as_ref().filter(|file| file.exists())
            && std::fs::read_to_string(file).unwrap() == change
        {
            std::fs::remove_file(file).unwrap();
            std::process::abort();
        }
    }
}

/// Plays until standard input ends.
pub fn play() {
    let mut input = BufReader::new(std::io::stdin());
    let mut head = String::new();
    if input.read_line(&mut head).unwrap() == 0 {
        return;
    }
    let mut body = vec![0; head.trim().parse().unwrap()];
    input.read_exact(&mut body).unwrap();
    // Behind a real sshd it is sent the script, and its environment says what it is to be.
    let part: Part = match std::env::var(cmdlets::PART) {
        Ok(part) => serde_json::from_str(&part).unwrap(),
        Err(_) => serde_json::from_slice(&body).unwrap(),
    };
    part.tell_process();
    let mut line = String::new();
    while input.read_line(&mut line).unwrap() > 0 {
        let request: Json = serde_json::from_str(&line).unwrap();
        answer(&part, &request);
        line.clear();
    }
    // The runner of tests would go on to print its summary.
    std::process::exit(0);
}

/// A number that differs from process to process and from request to request.
pub fn lot(id: &Json, at: u32) -> u64 {
    let mut hash = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&(std::process::id(), id.as_u64(), at), &mut hash);
    std::hash::Hasher::finish(&hash)
}

fn failed(request: &Json, kind: &str, mutated: &str) -> Json {
    json!({ "v": 1, "id": request["id"], "ok": false,
        "error": { "message": "it did not work", "kind": kind, "mutated": mutated, "cmdlet": "X" } })
}

/// A change at which something goes wrong.
fn struck(part: &Part, what: &str, request: &Json, frame: &dyn Fn(&Json) -> String) -> String {
    match what {
        "refused" => return frame(&failed(request, "other", "no")),
        "prompt" => return frame(&failed(request, "confirmation_required", "no")),
        "abort before" => std::process::abort(),
        // A service of a restart is stopped and does not start again.
        "stands still" if request["op"] == json!("service.restart") => {
            let lab = part.lab.as_ref().unwrap();
            let services = request["args"]["services"].as_array().unwrap().iter();
            let services: Vec<String> = services.map(|name| name.as_str().unwrap().to_owned()).collect();
            let server = request["args"]["server"]["name"].as_str().unwrap().parse().unwrap();
            cmdlets::set_standing(lab, &server, &services);
            return frame(&failed(request, "service_timeout", "unknown"));
        }
        "stands still" => {
            std::fs::write(part.strike.as_ref().unwrap(), "1 stands still").unwrap();
            return frame(&lab_script::answer(part, request));
        }
        _ => {}
    }
    let whole = frame(&lab_script::answer(part, request));
    match what {
        "abort after" => std::process::abort(),
        "doubt" => frame(&failed(request, "other", "unknown")),
        "no json" => frame(&json!("x")),
        "half a frame" => {
            let mut out = std::io::stdout();
            out.write_all(&whole.as_bytes()[..whole.len() / 2]).unwrap();
            out.flush().unwrap();
            std::process::exit(7);
        }
        // An answer without end.
        "flood" => {
            let mut out = std::io::stdout();
            out.write_all(whole.trim_end().as_bytes()).unwrap();
            while out.write_all(&vec![b'A'; 1 << 20]).is_ok() {}
            std::process::exit(0);
        }
        other => panic!("no such fault: {other}"),
    }
}

fn answer(part: &Part, request: &Json) {
    let mut out = std::io::stdout();
    let nonce = request["n"].as_str().unwrap();
    let frame = |answer: &Json| format!("\u{1e}{nonce} {}\n", BASE64_STANDARD.encode(answer.to_string()));
    let good = json!({ "v": 1, "id": request["id"], "ok": true, "result": { "echo": request["args"] } });
    let bytes = match part.fault.as_str() {
        "" if part.lab.is_some() => match part.strikes(lab_script::is_change(request)) {
            None => frame(&lab_script::answer(part, request)).into_bytes(),
            Some(what) => struck(part, &what, request, &frame).into_bytes(),
        },
        // Its services do not stop.
        "stuck" if request["op"] == json!("service.suspend") => frame(&failed(request, "service_timeout", "no")).into_bytes(),
        // Windows remote management does not let the account in.
        "windows refused" if request["op"] == json!("observe.windows") => {
            let server = request["args"]["server"]["name"].as_str().unwrap();
            let sections = ["Get-WebBinding", "certwright-roots", "Win32_Service"].map(|cmdlet| {
                json!({ "name": format!("{server}.{cmdlet}"), "error": { "message": "Access is denied.", "code": 5,
                    "cmdlet": "New-PSSession", "mutated": "no", "kind": null,
                    "types": ["System.Management.Automation.Remoting.PSRemotingTransportException"] } })
            });
            frame(&json!({ "v": 1, "id": request["id"], "ok": true, "result": { "sections": sections } })).into_bytes()
        }
        "stuck" | "windows refused" => frame(&lab_script::answer(part, request)).into_bytes(),
        // It answers as though another server had been asked.
        "for another" => {
            let answer = lab_script::answer(part, request).to_string().replace("\"EX01.Get-", "\"EX02.Get-");
            frame(&serde_json::from_str(&answer).unwrap()).into_bytes()
        }
        "" => frame(&good).into_bytes(),
        "unasked" => [frame(&good), frame(&good), frame(&good)].concat().into_bytes(),
        "noise" => format!("Welcome to EX01\r\nWARNING: \u{e9}\n{}", frame(&good)).into_bytes(),
        "bom" => format!("\u{feff}{}", frame(&good)).into_bytes(),
        "crlf" => frame(&good).replace('\n', "\r\n").into_bytes(),
        "flood" => {
            std::io::stderr().write_all(&vec![b'x'; 4 << 20]).unwrap();
            frame(&good).into_bytes()
        }
        "wrong nonce" => frame(&good).replace(nonce, "0000").into_bytes(),
        "no base64" => format!("\u{1e}{nonce} <<<>>>\n").into_bytes(),
        "no json" => format!("\u{1e}{nonce} {}\n", BASE64_STANDARD.encode("x")).into_bytes(),
        "another number" => {
            frame(&json!({ "v": 1, "id": 99, "ok": true, "result": {} })).into_bytes()
        }
        "an error" => frame(&json!({ "v": 1, "id": request["id"], "ok": false, "error": {
            "message": "\u{1b}[31mLe certificat est introuvable", "kind": "not_found", "mutated": "no", "cmdlet": "X" } }))
        .into_bytes(),
        "half a frame" => {
            let whole = frame(&good);
            out.write_all(&whole.as_bytes()[..whole.len() / 2]).unwrap();
            out.flush().unwrap();
            std::process::exit(7);
        }
        "ends" => {
            eprintln!("Method invocation is supported only on core types");
            std::process::exit(1);
        }
        "endless" => loop {
            if out.write_all(&vec![b'x'; 65536]).is_err() {
                std::process::exit(0);
            }
        },
        "too large" => {
            out.write_all(format!("\u{1e}{nonce} ").as_bytes()).unwrap();
            while out.write_all(&vec![b'A'; 1 << 20]).is_ok() {}
            std::process::exit(0);
        }
        "silent" => {
            // With a child of its own, which has to go with it.
            let mut child = Command::new("sleep").arg("600").spawn().unwrap();
            let file = request["args"]["pids"].as_str().unwrap();
            std::fs::write(file, format!("{} {}", std::process::id(), child.id())).unwrap();
            child.wait().unwrap();
            return;
        }
        other => panic!("no such fault: {other}"),
    };
    out.write_all(&bytes).unwrap();
    out.flush().unwrap();
}
