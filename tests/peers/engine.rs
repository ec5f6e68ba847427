//! A real engine of PowerShell, where one is on PATH: Exchange is another PowerShell, reached as a remote runspace in
//! no-language mode, with stand-ins for its cmdlets and for those of Windows.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use super::sshd::Sshd;
use certwright::drivers::powershell::{
    PowerShell, ServerAccess, StdioChannel, Timeouts, WindowsAccess, channel::PeerProgram, script,
};

/// Long enough for a machine that is busy; nothing is measured.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The engine, and the state of its stand-ins.
pub struct Stage {
    pub engine: &'static str,
    directory: tempfile::TempDir,
}

impl Stage {
    /// Sets the stage; none where there is no engine, which is said.
    pub fn set() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
        let Some(engine) = ["powershell.exe", "pwsh"].into_iter().find(is_there) else {
            let name = std::thread::current().name().unwrap_or("a test").to_owned();
            let said =
                format!("\nSKIPPED: {name} needs `pwsh` or `powershell.exe`, which is not installed\n");
            std::io::stderr().write_all(said.as_bytes()).unwrap();
            return None;
        };
        let stage = Self { engine, directory: tempfile::tempdir().unwrap() };
        stage.powershell(&format!(
            "{START} | Export-Clixml -Depth 6 -LiteralPath '{}'",
            stage.beginning().display()
        ));
        stage.reset();
        Some(stage)
    }

    fn beginning(&self) -> PathBuf {
        self.directory.path().join("beginning.xml")
    }

    /// Puts the stand-ins back to where they began.
    pub fn reset(&self) {
        fs::copy(self.beginning(), self.state()).unwrap();
    }

    pub fn state(&self) -> PathBuf {
        self.directory.path().join("state.xml")
    }

    /// The driver script with the stand-ins in place of Exchange and Windows.
    pub fn script(&self) -> String {
        let (main, definitions) = script::PARTS.split_last().unwrap();
        self.with_stand_ins(&format!("{}\n@STAND-INS@\n{main}", definitions.join("\n")))
    }

    /// A script with the stand-ins in their place.
    pub fn with_stand_ins(&self, script: &str) -> String {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/standin.ps1");
        let standins = fs::read_to_string(place).unwrap();
        let standins = standins.replace("@STATE@", &self.state().display().to_string());
        let standins = standins.replace("@ENGINE@", self.engine);
        script.replace("@STAND-INS@", &standins)
    }

    pub fn local(&self) -> PeerProgram {
        PeerProgram {
            program: self.engine.into(),
            arguments: script::arguments().into_iter().map(Into::into).collect(),
            host: "this computer".into(),
            is_ssh: false,
        }
    }

    pub fn channel(&self) -> StdioChannel {
        StdioChannel::start(&self.local(), &self.script()).unwrap()
    }

    /// The way to the engine through an sshd.
    pub fn through(&self, sshd: &Sshd) -> PeerProgram {
        let command = [self.engine.to_owned()].into_iter().chain(script::encoded_arguments()).collect();
        sshd.ssh(command).program(Duration::from_secs(20)).unwrap()
    }

    pub fn driver(&self) -> PowerShell {
        self.driver_by(self.local())
    }

    /// The driver whose script runs in this program.
    pub fn driver_by(&self, program: PeerProgram) -> PowerShell {
        Self::driver_of(program, self.script())
    }

    /// The driver with another script.
    pub fn driver_of(program: PeerProgram, script: String) -> PowerShell {
        let endpoint = ServerAccess {
            name: "EX01".parse().unwrap(),
            fqdn: "ex01.contoso.com".parse().unwrap(),
            edge: false,
            connect: Box::new(move || Ok(Box::new(StdioChannel::start(&program, &script)?))),
            windows: WindowsAccess::Same,
            credential: None,
            patience: Timeouts { opening: PATIENCE, request: PATIENCE },
        };
        PowerShell::new(vec![endpoint], std::collections::BTreeMap::new())
    }

    /// What a line of PowerShell prints.
    pub fn powershell(&self, line: &str) -> String {
        let output = Command::new(self.engine)
            .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", line])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Something of the stand-ins' state.
    pub fn ask(&self, what: &str) -> String {
        self.powershell(&format!("$state = Import-Clixml -LiteralPath '{}'; {what}", self.state().display()))
    }

    pub fn change(&self, how: &str) {
        let state = self.state().display().to_string();
        self.powershell(&format!(
            "$state = Import-Clixml -LiteralPath '{state}'; {how}; $state | Export-Clixml -Depth 6 -LiteralPath '{state}'"
        ));
    }
}

const START: &str = "New-Object PSObject -Property @{ Certificates = @(); Default = ''; Pop = ''; Trouble = ''; Log = @(); \
    Component = 'Active'; Drained = ''; Queued = 3; Programs = @('', '', ''); Keyless = @(); Roots = @(); \
    Auth = (New-Object PSObject -Property @{ CurrentCertificateThumbprint = ''; NextCertificateThumbprint = ''; \
    PreviousCertificateThumbprint = ''; NextCertificateEffectiveDate = $null }); \
    SendConnectors = @((New-Object PSObject -Property @{ Name = 'Outbound'; Identity = 'Outbound'; \
    TlsCertificateName = $null; Enabled = $true })); \
    Bindings = @((New-Object PSObject -Property @{ Site = 'Default Web Site'; Information = '*:443:'; Store = 'My'; Kept = ''; Hash = '' }), \
    (New-Object PSObject -Property @{ Site = 'Default Web Site'; Information = '*:443:mon.contoso.com'; Store = 'My'; Kept = ''; Hash = 'ABABABABABABABABABABABABABABABABABABABAB' })); \
    Services = @((New-Object PSObject -Property @{ Name = 'MSExchangePOP3'; Status = 'Running' }), \
    (New-Object PSObject -Property @{ Name = 'MSExchangePOP3BE'; Status = 'Stopped' })) }";
