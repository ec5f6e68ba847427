//! What the faults of a lab have come to: how often each was met, and which effects are still to come. It is kept with the
//! lab's state, because each command is a process of its own.

use std::{path::PathBuf, sync::Mutex};

use serde::{Deserialize, Serialize};

use crate::{
    drivers::lab::{
        failed,
        faults::{Fault, How, Verb},
        files,
    },
    model::{action::ConnectorRef, dn::TlsCertificateName, names::ServerName},
    ports::driver::DriverError,
};

/// The faults of a lab, and the file that says what they have come to.
pub(super) struct FaultRecord {
    faults: Vec<Fault>,
    file: PathBuf,
    /// One call after the other.
    turn: Mutex<()>,
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
pub(super) struct Late {
    pub(super) calls_left: u32,
    pub(super) connector: ConnectorRef,
    pub(super) to: Option<TlsCertificateName>,
}

impl FaultRecord {
    /// These faults, noted in this file.
    pub(super) const fn new(faults: Vec<Fault>, file: PathBuf) -> Self {
        Self { faults, file, turn: Mutex::new(()) }
    }

    /// The fault that this call meets, and the effects that are due with it. The call is noted.
    pub(super) fn call(
        &self,
        verb: Verb,
        server: Option<&ServerName>,
    ) -> Result<(Option<How>, Vec<Late>), DriverError> {
        let _turn = self.turn.lock().expect("no panic holds it");
        let mut met = self.read()?;
        let how = self.strike(&mut met, verb, server);
        for late in &mut met.late {
            late.calls_left = late.calls_left.saturating_sub(1);
        }
        let (due, left) = met.late.drain(..).partition(|late| late.calls_left == 0);
        met.late = left;
        self.write(&met)?;
        Ok((how, due))
    }

    /// The fault that the next call of this kind would meet.
    pub(super) fn peek(&self, verb: Verb, server: Option<&ServerName>) -> Result<Option<How>, DriverError> {
        let _turn = self.turn.lock().expect("no panic holds it");
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

    /// Has a connector name this only some calls later.
    pub(super) fn delay(
        &self,
        connector: ConnectorRef,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError> {
        let _turn = self.turn.lock().expect("no panic holds it");
        let mut met = self.read()?;
        met.late.push(Late { calls_left: CALLS_LATE, connector, to: to.cloned() });
        self.write(&met)
    }

    /// What was written before and has not arrived yet does not come any more: of two writes of one attribute, Active
    /// Directory keeps the later one everywhere (MS-DRSR, AttributeStamp: the version decides, then the time).
    pub(super) fn supersede(&self, connector: &ConnectorRef) -> Result<(), DriverError> {
        let _turn = self.turn.lock().expect("no panic holds it");
        let mut met = self.read()?;
        met.late.retain(|late| late.connector != *connector);
        self.write(&met)
    }

    fn read(&self) -> Result<Met, DriverError> {
        if !self.file.exists() {
            return Ok(Met::default());
        }
        files::read_json(&self.file).map_err(|error| failed("reading the lab's faults", error))
    }

    fn write(&self, met: &Met) -> Result<(), DriverError> {
        files::write_json(&self.file, met).map_err(|error| failed("noting the lab's faults", error))
    }
}

/// How many calls a late effect comes after.
const CALLS_LATE: u32 = 3;
