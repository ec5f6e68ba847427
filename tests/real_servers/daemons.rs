//! Servers of the distribution, on loopback, with a port for each certificate.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::pki::Identity;
use certwright::model::endpoint::{Endpoint, Protocol};

/// A server that runs until the value is dropped.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
}

/// Where an identity is served.
pub(crate) struct Door<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) endpoint: Endpoint,
}

/// One door for each identity and protocol.
pub(crate) fn doors<'a>(identities: &'a [Identity], protocols: &[Protocol]) -> Vec<Door<'a>> {
    let mut doors = Vec::new();
    for identity in identities {
        for protocol in protocols {
            doors.push(Door { identity, endpoint: Endpoint::new(*protocol, free_port()) });
        }
    }
    doors
}

/// A port for a server that cannot be told to choose one itself. It is below those that the system gives to clients, and
/// no other test of this process gets it.
fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id().wrapping_mul(61).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        let port = 12_000 + u16::try_from(next % 20_000).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

impl Daemon {
    /// Starts it and waits until every door takes connections.
    fn start(mut command: Command, directory: &Path, doors: &[Door<'_>]) -> Self {
        use std::os::unix::process::CommandExt;
        let log = directory.join("daemon.log");
        let output = fs::File::create(&log).unwrap();
        command.env("OPENSSL_CONF", openssl_conf(directory)).current_dir(directory);
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output).process_group(0);
        let mut daemon = Self { child: command.spawn().unwrap(), log };
        for door in doors {
            daemon.wait_for(SocketAddr::from((Ipv4Addr::LOCALHOST, door.endpoint.port)));
        }
        daemon
    }

    fn wait_for(&mut self, address: SocketAddr) {
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "{ended:?}: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Its children are in its group.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// Lets old keys and versions through, which OpenSSL refuses by itself.
pub(crate) fn openssl_conf(directory: &Path) -> PathBuf {
    let path = directory.join("openssl.cnf");
    let text = "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = default\n[default]\n\
                MinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n";
    fs::write(&path, text).unwrap();
    path
}

pub(crate) fn nginx(directory: &Path, doors: &[Door<'_>], lines: &str) -> Daemon {
    let at = directory.display();
    let servers: String = doors
        .iter()
        .map(|door| {
            format!(
                "server {{ listen 127.0.0.1:{} ssl; ssl_certificate {}; ssl_certificate_key {}; {lines} }}\n",
                door.endpoint.port,
                door.identity.chain.display(),
                door.identity.key.display()
            )
        })
        .collect();
    nginx_of(directory, doors, &format!("{servers}# {at}\n"))
}

/// With these servers.
pub(crate) fn nginx_of(directory: &Path, doors: &[Door<'_>], servers: &str) -> Daemon {
    let at = directory.display();
    let configuration = directory.join("nginx.conf");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {at}/nginx-temp;\n"))
        .concat();
    fs::write(
        &configuration,
        format!(
            "daemon off; master_process off; pid {at}/nginx.pid; error_log stderr;\nevents {{}}\n\
             http {{ access_log off;\n{temporary}ssl_ciphers DEFAULT:@SECLEVEL=0;\n{servers}}}\n"
        ),
    )
    .unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(directory).arg("-c").arg(configuration);
    Daemon::start(command, directory, doors)
}

pub(crate) fn haproxy(directory: &Path, doors: &[Door<'_>]) -> Daemon {
    let binds: String = doors
        .iter()
        .map(|door| {
            format!("  bind 127.0.0.1:{} ssl crt {}\n", door.endpoint.port, door.identity.all.display())
        })
        .collect();
    let configuration = directory.join("haproxy.cfg");
    fs::write(
        &configuration,
        format!(
            "global\n  ssl-default-bind-ciphers DEFAULT:@SECLEVEL=0\ndefaults\n  mode http\n  timeout connect 5s\n\
             \x20 timeout client 5s\n  timeout server 5s\nfrontend tls\n{binds}  http-request return status 200\n"
        ),
    )
    .unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(configuration);
    Daemon::start(command, directory, doors)
}

/// Postfix's master process with a service for each door, its queue in the directory.
pub(crate) fn postfix(directory: &Path, doors: &[Door<'_>]) -> Daemon {
    let at = directory.display();
    for folder in
        ["queue/pid", "queue/private", "queue/public", "queue/active", "queue/incoming", "data", "etc"]
    {
        fs::create_dir_all(directory.join(folder)).unwrap();
    }
    let owned = ["queue/private", "queue/public", "queue/active", "queue/incoming", "data"];
    let chown = Command::new("chown").arg("postfix").args(owned).current_dir(directory).status().unwrap();
    assert!(chown.success());
    fs::write(
        directory.join("etc/main.cf"),
        format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\n\
             setgid_group = postdrop\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = localhost\n\
             mydestination =\nalias_maps =\nlocal_recipient_maps =\nsmtpd_tls_security_level = may\n\
             maillog_file = {at}/daemon.log\nmaillog_file_prefixes = {at}\nimport_environment = OPENSSL_CONF MAIL_CONFIG\n\
             smtpd_client_connection_count_limit = 0\nsmtpd_peername_lookup = no\n"
        ),
    )
    .unwrap();
    let services: String = doors
        .iter()
        .map(|door| {
            let wrapped =
                if door.endpoint.protocol == Protocol::Smtps { " -o smtpd_tls_wrappermode=yes" } else { "" };
            format!(
                "127.0.0.1:{} inet n - n - - smtpd -o smtpd_tls_chain_files={}{wrapped}\n",
                door.endpoint.port,
                door.identity.all.display()
            )
        })
        .collect();
    let others = "tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n\
                  proxymap unix - - n - - proxymap\nanvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\n";
    fs::write(directory.join("etc/master.cf"), format!("{services}{others}")).unwrap();
    let mut command = Command::new("/usr/lib/postfix/sbin/master");
    command.arg("-c").arg(directory.join("etc")).arg("-d").env("MAIL_CONFIG", directory.join("etc"));
    Daemon::start(command, directory, doors)
}

/// Exim, whose Debian package excludes that of Postfix: it is unpacked beside, not installed (`.ci/run`).
pub(crate) fn exim(program: &Path, directory: &Path, doors: &[Door<'_>]) -> Daemon {
    let at = directory.display();
    fs::create_dir_all(directory.join("spool")).unwrap();
    for door in doors {
        fs::copy(&door.identity.all, directory.join(format!("{}.pem", door.endpoint.port))).unwrap();
    }
    let list = |wanted: &dyn Fn(&Door<'_>) -> bool, before: &str| {
        let ports =
            doors.iter().filter(|door| wanted(door)).map(|door| format!("{before}{}", door.endpoint.port));
        ports.collect::<Vec<_>>()
    };
    let configuration = directory.join("exim.conf");
    fs::write(
        &configuration,
        format!(
            "exim_path = {}\nspool_directory = {at}/spool\nlog_file_path = {at}/%slog\npid_file_path = {at}/exim.pid\n\
             keep_environment =\nexim_user = root\nexim_group = root\nlocal_interfaces = <; {}\ntls_on_connect_ports = {}\n\
             tls_advertise_hosts = *\ntls_certificate = {at}/$received_port.pem\nhost_lookup =\n\
             acl_smtp_rcpt = nobody\nbegin acl\nnobody:\n  deny\n",
            program.display(),
            list(&|_| true, "[127.0.0.1]:").join(" ; "),
            list(&|door| door.endpoint.protocol == Protocol::Smtps, "").join(" : "),
        ),
    )
    .unwrap();
    let mut command = Command::new(program);
    command.arg("-bdf").arg("-C").arg(configuration);
    Daemon::start(command, directory, doors)
}

/// Dovecot with one identity for all of its doors.
pub(crate) fn dovecot(directory: &Path, doors: &[Door<'_>]) -> Daemon {
    let at = directory.display();
    let listener = |protocol: Protocol, name: &str| {
        let port = doors.iter().find(|door| door.endpoint.protocol == protocol).unwrap().endpoint.port;
        let ssl = if protocol.is_implicit() { "\n    ssl = yes" } else { "" };
        format!("  inet_listener {name} {{\n    address = 127.0.0.1\n    port = {port}{ssl}\n  }}\n")
    };
    let identity = doors[0].identity;
    let configuration = directory.join("dovecot.conf");
    fs::write(
        &configuration,
        format!(
            "base_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/daemon.log\nprotocols = imap pop3\n\
             ssl = yes\nssl_cert = <{}\nssl_key = <{}\nssl_min_protocol = TLSv1\nssl_cipher_list = DEFAULT:@SECLEVEL=0\n\
             passdb {{\n  driver = static\n  args = password=none\n}}\n\
             service imap-login {{\n  chroot =\n{}{}}}\nservice pop3-login {{\n  chroot =\n{}{}}}\n",
            identity.chain.display(),
            identity.key.display(),
            listener(Protocol::Imap, "imap"),
            listener(Protocol::Imaps, "imaps"),
            listener(Protocol::Pop, "pop3"),
            listener(Protocol::Pops, "pop3s"),
        ),
    )
    .unwrap();
    let mut command = Command::new("dovecot");
    command.arg("-F").arg("-c").arg(configuration);
    Daemon::start(command, directory, doors)
}

/// A directory that the users of the servers may look into.
pub(crate) fn open_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

const PATIENCE: Duration = Duration::from_secs(60);
