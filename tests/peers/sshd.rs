//! A real sshd on loopback.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use certwright::drivers::powershell::channel::ssh::Ssh;

use crate::support::has_tool;

/// An sshd that is ended with the test.
pub struct Sshd {
    child: Child,
    directory: tempfile::TempDir,
    pub port: u16,
}

impl Sshd {
    /// Starts it; none where there is no sshd.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// The same with more lines in its configuration.
    pub fn start_with(more: &str) -> Option<Self> {
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
             PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n{more}\n",
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

    pub fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The way to a command over it.
    pub fn ssh(&self, command: Vec<String>) -> Ssh {
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
