//! A real sshd on loopback: its keys have to be known, and its user's too.

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use certwright::drivers::powershell::{
    PowerShellError,
    channel::{Cancellation, Channel, ssh::Ssh, stdio::StdioChannel},
};
use serde_json::{Value as Json, json};

use super::{
    channel::{hostile, request},
    peer::{self, Part},
    support::has_tool,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// An sshd that is ended with the test.
pub(crate) struct Sshd {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
}

impl Sshd {
    /// Starts it; none where there is no sshd.
    pub(crate) fn start() -> Option<Self> {
        let place =
            ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].into_iter().find(|place| Path::new(place).exists());
        let Some(place) = place else {
            // Says that it is missing, or fails where nothing may be.
            assert!(!has_tool("sshd"));
            return None;
        };
        if !(has_tool("ssh") && has_tool("ssh-keygen")) {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for key in ["host", "user", "stranger"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(at(key))
                .stdin(Stdio::null())
                .status();
            assert!(made.unwrap().success());
        }
        fs::copy(at("user.pub"), at("authorized")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
             PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n",
            at("host").display(),
            at("authorized").display()
        );
        fs::write(at("sshd_config"), config).unwrap();
        // Where it separates its privileges, as its package's unit makes it. Only root can, and only root needs to.
        let _ = fs::create_dir_all("/run/sshd");
        let child = Command::new(place)
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(at("log")).unwrap())
            .spawn()
            .unwrap();
        let sshd = Self { child, directory, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                let key = fs::read_to_string(sshd.at("host.pub")).unwrap();
                fs::write(sshd.at("known"), format!("[127.0.0.1]:{port} {key}")).unwrap();
                return Some(sshd);
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("sshd does not listen: {}", fs::read_to_string(sshd.at("log")).unwrap());
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The way to a command over it.
    pub(crate) fn ssh(&self, command: Vec<String>) -> Ssh {
        Ssh {
            host: "127.0.0.1".into(),
            user: None,
            port: Some(self.port),
            identity: Some(self.at("user")),
            known_hosts: Some(self.at("known")),
            command,
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn peer_over(ssh: &Ssh, part: &Part) -> StdioChannel {
    let program = ssh.program(Duration::from_secs(20)).unwrap();
    StdioChannel::start(&program, &part.text(), Cancellation::default()).unwrap()
}

fn peer_command() -> Vec<String> {
    let binary = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    [binary].into_iter().chain(peer::words()).collect()
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
    let stranger = fails(&Ssh { identity: Some(sshd.at("stranger")), ..ssh.clone() });
    assert!(matches!(stranger, PowerShellError::AuthenticationFailed { .. }), "{stranger:?}");
    let closed = fails(&Ssh { port: Some(1), ..ssh });
    assert!(matches!(closed, PowerShellError::Unreachable { .. }), "{closed:?}");
}
