//! What keeps the contract: drivers, each with an organization that it acts on.

use std::sync::Arc;

use certwright::{
    drivers::{DriverHandle, lab::Lab, powershell::PowerShell},
    ports::driver::{Driver, Observer, Wanted},
};

use crate::{
    clauses, peers,
    peers::{
        engine,
        lab_driver::{LabEndpoint, OverPowerShell, Way},
        script::Part,
        sshd::Sshd,
    },
    sequences,
    support::{Rig, key_pool, wall_clock},
};

/// A driver, and an organization of EX01 alone, which clauses change.
pub(crate) trait Stage {
    /// Puts the organization back to where it began.
    fn reset(&mut self);

    fn driver(&self) -> &dyn Driver;
}

/// The lab of clauses.
const LAB: &str = "apiVersion: certwright.lab/v1\nclock: 2026-03-02T09:00:00Z\nkeys: keys\nacceptedDomains: [contoso.com]\n\
    servers:\n  EX01: { fqdn: ex01.contoso.com, version: 2019 CU14, installed: 2024-05-06T10:00:00Z }\n\
    sendConnectors:\n  Outbound: { sourceServers: [EX01] }\n";

/// A driver whose organization is a lab.
struct OverLab<D> {
    directory: tempfile::TempDir,
    driver: D,
    open: Box<dyn Fn(&Part) -> D>,
}

impl<D> OverLab<D> {
    fn set(open: impl Fn(&Part) -> D + 'static) -> Self {
        Self::with(LAB, open)
    }

    fn with(lab: &str, open: impl Fn(&Part) -> D + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("lab.yaml"), lab).unwrap();
        crate::support::copy_files(&key_pool(), &directory.path().join("keys"));
        let driver = open(&part(&directory));
        Self { directory, driver, open: Box::new(open) }
    }
}

fn part(directory: &tempfile::TempDir) -> Part {
    Part { lab: Some(directory.path().to_owned()), ..Part::default() }
}

impl<D: Driver> Stage for OverLab<D> {
    fn reset(&mut self) {
        Lab::open(self.directory.path(), wall_clock()).unwrap().reset().unwrap();
        self.driver = (self.open)(&part(&self.directory));
    }

    fn driver(&self) -> &dyn Driver {
        &self.driver
    }
}

/// The driver over a real engine, whose organization is that of the stand-ins.
struct OverEngine {
    engine: engine::Stage,
    driver: PowerShell,
}

impl Stage for OverEngine {
    fn reset(&mut self) {
        self.engine.reset();
    }

    fn driver(&self) -> &dyn Driver {
        &self.driver
    }
}

/// A rig whose driver is the PowerShell driver over its lab.
fn over(rig: &mut Rig, way: &Way) {
    let part = Part { lab: Some(rig.base.clone()), ..Part::default() };
    let driver = OverPowerShell::new(&rig.session.desired, &part, way);
    rig.session.driver = DriverHandle::Acts(Box::new(driver));
}

fn keeps_all(way: &Way) {
    let own = way.clone();
    clauses::all(&mut OverLab::set(move |part| OverPowerShell::of_one(part, &own)));
    sequences::all(&|rig| over(rig, way));
}

#[test]
fn the_lab() {
    clauses::all(&mut OverLab::set(|part| Lab::open(part.lab.as_ref().unwrap(), wall_clock()).unwrap()));
    sequences::all(&|_| ());
}

/// What has its port for itself and listens at one address only is met there.
#[test]
fn one_address_is_met_at_that_address() {
    let relays = "    receiveConnectors:\n      Relay EX01: { bindings: [\"192.0.2.10:2526\"] }\n      \
         Shared EX01: { bindings: [\"192.0.2.10:25\"] }\n    sites: [\"Monitoring:192.0.2.11:8443\"]\n";
    let lab = LAB.replace(
        "{ fqdn: ex01.contoso.com, version: 2019 CU14, installed: 2024-05-06T10:00:00Z }\n",
        &format!("\n    fqdn: ex01.contoso.com\n    version: 2019 CU14\n    installed: 2024-05-06T10:00:00Z\n{relays}"),
    );
    assert_ne!(lab, LAB);
    let stage = OverLab::with(&lab, |part| OverPowerShell::of_one(part, &Way::Here));
    let (ex01, fqdn) = ("EX01".parse().unwrap(), "ex01.contoso.com".parse().unwrap());
    let met = |endpoint: &str| stage.driver.driver.address(&ex01, &fqdn, endpoint.parse().unwrap()).unwrap();
    assert_eq!(met("smtp:2526"), "ex01.contoso.com:2526", "nobody has looked yet");
    stage.driver.driver.observe(Wanted::Everything).unwrap();
    assert_eq!(met("smtp:2526"), "192.0.2.10:2526");
    assert_eq!(met("https:8443"), "192.0.2.11:8443");
    assert_eq!(met("smtp:25"), "ex01.contoso.com:25", "Default Frontend answers there");
    assert_eq!(met("https:443"), "ex01.contoso.com:443");
}

#[test]
fn powershell_with_a_peer() {
    keeps_all(&Way::Here);
}

#[test]
fn powershell_with_a_peer_through_sshd() {
    let Some(sshd) = Sshd::start() else { return };
    keeps_all(&Way::Ssh(Arc::new(sshd)));
}

/// Exchange's cmdlets over WS-Management, Windows over a channel of its own.
#[test]
fn powershell_over_remoting() {
    let open = |part: &Part| {
        let endpoint = LabEndpoint::new(part).unwrap();
        OverPowerShell::of_one(part, &Way::Remoting(endpoint))
    };
    if peers::psrp::python().is_none() {
        return;
    }
    clauses::all(&mut OverLab::set(open));
    sequences::all(&|rig| {
        let part = Part { lab: Some(rig.base.clone()), ..Part::default() };
        over(rig, &Way::Remoting(LabEndpoint::new(&part).unwrap()));
    });
}

#[test]
fn powershell_with_a_real_engine() {
    let Some(engine) = engine::Stage::set() else { return };
    let driver = engine.driver();
    clauses::all(&mut OverEngine { engine, driver });
}

#[test]
fn powershell_with_a_real_engine_through_sshd() {
    let Some(engine) = engine::Stage::set() else { return };
    let Some(sshd) = Sshd::start() else { return };
    let driver = engine.driver_by(engine.through(&sshd));
    clauses::all(&mut OverEngine { engine, driver });
}
