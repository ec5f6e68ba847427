//! Faults as data: a lab that fails as `lab.yaml` says. What has failed how often is kept with the lab's state, so that a
//! run that is killed and goes on meets the next fault and not the same one again.

use std::{path::PathBuf, sync::Mutex};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Lab, files};
use crate::{
    model::{action::ConnectorRef, dn::TlsCertificateName, names::ServerName},
    ports::driver::{Driver, DriverError},
};

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The verb that fails; every verb, when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// The server on which it fails; every server, when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// How often it succeeds first.
    #[serde(default)]
    pub after: u32,
    /// How often it fails then.
    #[serde(default = "Fault::once")]
    pub times: u32,
    /// How it fails.
    pub how: How,
}

/// A verb of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// Seeing the organization.
    Observe,
    /// `New-ExchangeCertificate`.
    Create,
    /// `New-ExchangeCertificate -GenerateRequest`.
    Request,
    /// `Import-ExchangeCertificate` of an answer.
    Complete,
    /// `Remove-ExchangeCertificate` of a request.
    RemoveRequest,
    /// `Import-ExchangeCertificate`.
    Import,
    /// `Export-ExchangeCertificate`.
    Export,
    /// `Enable-ExchangeCertificate`.
    Bind,
    /// A binding of IIS.
    BindSite,
    /// `Set-PopSettings`, `Set-ImapSettings`.
    SetName,
    /// `Set-UMService`, `Set-UMCallRouterSettings`.
    SetUmStartupMode,
    /// `Set-ReceiveConnector`, `Set-SendConnector`.
    Repoint,
    /// `Set-SettingOverride`.
    SetOverride,
    /// `Set-AuthConfig`.
    SetAuth,
    /// `Restart-Service`.
    Restart,
    /// `Remove-ExchangeCertificate`.
    Remove,
}

/// How a verb fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// With an error, before anything changed.
    Before,
    /// It is done in part, of what has several parts, and the answer is lost.
    During,
    /// It is done, and the answer is lost.
    After,
    /// The server does not answer; nothing changed. What is to be observed there is unknown.
    Unreachable,
    /// It reports success and does nothing: a restart after which an endpoint serves the old certificate still.
    Ignored,
    /// It reports success, and the effect comes three calls later, as with Active Directory's replication. Of `repoint`
    /// only; other verbs act on one server and have no such delay.
    Late,
    /// The program is killed before anything changed.
    KilledBefore,
    /// The program is killed when it is done.
    KilledAfter,
}

impl Fault {
    fn once() -> u32 {
        1
    }
}

/// A lab with faults.
pub struct FaultyLab {
    pub(super) lab: Lab,
    faults: Vec<Fault>,
    file: PathBuf,
    met: Mutex<()>,
}

/// What the faults have come to; kept with the lab's state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Met {
    /// How often each fault's verb was called.
    calls: Vec<u32>,
    late: Vec<Late>,
}

/// An effect that is still to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Late {
    calls_left: u32,
    connector: ConnectorRef,
    to: Option<TlsCertificateName>,
}

impl FaultyLab {
    /// This lab with the faults of its `lab.yaml`.
    pub fn new(lab: Lab, faults: Vec<Fault>) -> Self {
        let file = lab.directory.faults_file();
        Self { lab, faults, file, met: Mutex::new(()) }
    }

    /// Does a verb as the faults have it.
    pub(super) fn meet<T>(
        &self,
        verb: Verb,
        server: Option<&ServerName>,
        act: impl FnOnce() -> Result<T, DriverError>,
    ) -> Result<T, DriverError> {
        let what = || format!("{verb:?}{}", server.map_or(String::new(), |server| format!(" on {server}")));
        match self.fault(verb, server)? {
            None | Some(How::Ignored | How::Late) => act(),
            Some(How::Before) => Err(DriverError::failed(what(), "a fault of the lab: nothing was done")),
            Some(How::During | How::After) => {
                act()?;
                Err(DriverError::OutcomeUnknown { operation: what(), source: "a fault of the lab".into() })
            }
            Some(How::Unreachable) => match server {
                Some(server) => Err(unreachable(server)),
                None => Err(DriverError::failed(what(), "a fault of the lab: no answer")),
            },
            Some(How::KilledBefore) => std::process::abort(),
            Some(How::KilledAfter) => {
                act()?;
                std::process::abort()
            }
        }
    }

    /// The same for a verb that has nothing to return and can therefore pretend.
    pub(super) fn meet_or_ignore(
        &self,
        verb: Verb,
        server: Option<&ServerName>,
        act: impl FnOnce() -> Result<(), DriverError>,
    ) -> Result<(), DriverError> {
        let mut ignored = false;
        if let Some(How::Ignored) = self.peek(verb, server)? {
            ignored = true;
        }
        self.meet(verb, server, || if ignored { Ok(()) } else { act() })
    }

    /// The fault that this call meets, and the note that it was called.
    pub(super) fn fault(&self, verb: Verb, server: Option<&ServerName>) -> Result<Option<How>, DriverError> {
        let _turn = self.met.lock().expect("no panic holds it");
        let mut met = self.read()?;
        let how = self.strike(&mut met, verb, server);
        let due: Vec<Late> = {
            for late in &mut met.late {
                late.calls_left = late.calls_left.saturating_sub(1);
            }
            let (due, left) = met.late.drain(..).partition(|late| late.calls_left == 0);
            met.late = left;
            due
        };
        self.write(&met)?;
        for Late { connector, to, calls_left: _ } in due {
            self.repoint(&connector, to.as_ref())?;
        }
        Ok(how)
    }

    pub(super) fn peek(&self, verb: Verb, server: Option<&ServerName>) -> Result<Option<How>, DriverError> {
        let _turn = self.met.lock().expect("no panic holds it");
        Ok(self.strike(&mut self.read()?, verb, server))
    }

    fn strike(&self, met: &mut Met, verb: Verb, server: Option<&ServerName>) -> Option<How> {
        met.calls.resize(self.faults.len(), 0);
        let mut struck = None;
        for (fault, calls) in self.faults.iter().zip(&mut met.calls) {
            let here = fault.server.as_ref().is_none_or(|wanted| Some(wanted) == server);
            if here && fault.verb.is_none_or(|wanted| wanted == verb) {
                let hit = *calls >= fault.after && *calls - fault.after < fault.times;
                *calls = calls.saturating_add(1);
                if hit && struck.is_none() {
                    struck = Some(fault.how);
                }
            }
        }
        struck
    }

    pub(super) fn repoint_late(
        &self,
        connector: ConnectorRef,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError> {
        let server = match &connector {
            ConnectorRef::Send { .. } | ConnectorRef::Hybrid {} => None,
            ConnectorRef::Receive { server, .. } => Some(server.clone()),
        };
        if let Some(How::Late) = self.peek(Verb::Repoint, server.as_ref())? {
            self.meet(Verb::Repoint, server.as_ref(), || Ok(()))?;
            let _turn = self.met.lock().expect("no panic holds it");
            let mut met = self.read()?;
            met.late.push(Late { calls_left: CALLS_LATE, connector, to: to.cloned() });
            return self.write(&met);
        }
        self.meet_or_ignore(Verb::Repoint, server.as_ref(), || {
            self.supersede(&connector)?;
            self.repoint(&connector, to)
        })
    }

    /// What was written before and has not arrived yet does not come any more: of two writes of one attribute, Active
    /// Directory keeps the later one everywhere (MS-DRSR, AttributeStamp: the version decides, then the time).
    fn supersede(&self, connector: &ConnectorRef) -> Result<(), DriverError> {
        let _turn = self.met.lock().expect("no panic holds it");
        let mut met = self.read()?;
        met.late.retain(|late| late.connector != *connector);
        self.write(&met)
    }

    fn repoint(&self, connector: &ConnectorRef, to: Option<&TlsCertificateName>) -> Result<(), DriverError> {
        match connector {
            ConnectorRef::Send { name } => self.lab.repoint_send(name, to),
            ConnectorRef::Hybrid {} => self.lab.repoint_hybrid(to),
            ConnectorRef::Receive { server, name } => self.lab.repoint_receive(server, name, to),
        }
    }

    fn read(&self) -> Result<Met, DriverError> {
        if !self.file.exists() {
            return Ok(Met::default());
        }
        files::read_json(&self.file).map_err(|error| super::failed("reading the lab's faults", error))
    }

    fn write(&self, met: &Met) -> Result<(), DriverError> {
        files::write_json(&self.file, met).map_err(|error| super::failed("noting the lab's faults", error))
    }
}

fn unreachable(server: &ServerName) -> DriverError {
    DriverError::Unreachable { server: server.clone(), source: "a fault of the lab".into() }
}

/// How many calls a late effect comes after.
const CALLS_LATE: u32 = 3;
