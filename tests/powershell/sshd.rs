//! A real sshd on loopback: its keys have to be known, and its user's too.

use std::{fs, io::Write, time::Duration};

use certwright::drivers::powershell::{
    PowerShellError,
    channel::{Channel, ssh::Ssh, stdio::StdioChannel},
};
use serde_json::{Value as Json, json};

use super::{
    channel::request,
    peers::{
        hostile::hostile,
        script::{self, Part},
        sshd::Sshd,
    },
};

const PATIENCE: Duration = Duration::from_secs(60);

fn peer_over(ssh: &Ssh, part: &Part) -> StdioChannel {
    let program = ssh.program(Duration::from_secs(20)).unwrap();
    StdioChannel::start(&program, &part.text()).unwrap()
}

fn peer_command() -> Vec<String> {
    let binary = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    [binary].into_iter().chain(script::words()).collect()
}

#[test]
fn it_moves_requests_as_a_local_program_does() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.ssh(peer_command());
    let mut channel = peer_over(&ssh, &Part::default());
    for (number, text) in hostile().into_iter().enumerate() {
        let answer = channel.exchange(number as u64, &request(json!({ "text": text })), PATIENCE).unwrap();
        let answer: Json = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["result"]["echo"]["text"], json!(text));
    }
    let mut channel = peer_over(&ssh, &Part::misbehaving("half a frame"));
    let ended = channel.exchange(1, &request(json!({})), PATIENCE);
    let is_dead =
        matches!(&ended, Err(PowerShellError::Died { status: Some(status), .. }) if status.code() == Some(7));
    assert!(is_dead, "the program's own exit code passes through: {ended:?}");
}

/// Blanks, percent signs and braces in the names of files are a part of their names.
#[test]
fn files_are_those_that_are_named() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.ssh(peer_command());
    let folder = sshd.at("my repo %h");
    fs::create_dir(&folder).unwrap();
    let (known, user) = (folder.join("known hosts"), folder.join("a key"));
    fs::copy(sshd.at("known"), &known).unwrap();
    fs::copy(sshd.at("user"), &user).unwrap();
    let named = Ssh { known_hosts: Some(known.clone()), identity: Some(user), ..ssh };
    peer_over(&named, &Part::default()).exchange(1, &request(json!({})), PATIENCE).unwrap();
    fs::write(&known, "").unwrap();
    let unknown = peer_over(&named, &Part::default()).exchange(1, &request(json!({})), PATIENCE);
    assert!(matches!(unknown, Err(PowerShellError::HostKeyUnknown { .. })), "{unknown:?}");
}

#[test]
fn unknown_changed_and_wrong_keys_are_refused() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.ssh(peer_command());
    let fails = |ssh: &Ssh| {
        peer_over(ssh, &Part::default())
            .exchange(1, &request(json!({})), PATIENCE)
            .expect_err("it is refused")
    };
    let nobody = sshd.at("nobody");
    fs::File::create(&nobody).unwrap();
    let unknown = fails(&Ssh { known_hosts: Some(nobody.clone()), ..ssh.clone() });
    assert!(matches!(unknown, PowerShellError::HostKeyUnknown { .. }), "{unknown:?}");
    // The stranger's key in the place of the host's.
    let key = fs::read_to_string(sshd.at("stranger.pub")).unwrap();
    fs::OpenOptions::new()
        .append(true)
        .open(&nobody)
        .unwrap()
        .write_all(format!("[127.0.0.1]:{} {key}", sshd.port).as_bytes())
        .unwrap();
    let changed = fails(&Ssh { known_hosts: Some(nobody), ..ssh.clone() });
    assert!(matches!(changed, PowerShellError::HostKeyChanged { .. }), "{changed:?}");
    let revoked = sshd.at("revoked");
    fs::write(&revoked, format!("@revoked * {}", fs::read_to_string(sshd.at("host.pub")).unwrap())).unwrap();
    let revoked = fails(&Ssh { known_hosts: Some(revoked), ..ssh.clone() });
    assert!(matches!(revoked, PowerShellError::HostKeyRevoked { .. }), "{revoked:?}");
    let stranger = fails(&Ssh { identity: Some(sshd.at("stranger")), ..ssh.clone() });
    assert!(matches!(stranger, PowerShellError::AuthenticationFailed { .. }), "{stranger:?}");
    let closed = fails(&Ssh { port: Some(1), ..ssh });
    assert!(matches!(closed, PowerShellError::Unreachable { .. }), "{closed:?}");
}
