//! Servers that fall, and servers that lie.

use std::{fs, path::Path};

use certwright::{
    drivers::DriverHandle,
    model::{
        action::ServiceGroup,
        diagnosis::{Examination, ExaminationResult},
        names::ServerName,
        service::Restartable,
    },
    ports::{
        balancer::Balancers,
        driver::{Driver, DriverError, Observer, Wanted},
    },
    probe::Network,
    verify::{peers::Peers, row::Row, run},
};

use super::{
    peers::{
        lab_driver::{LabEndpoint, OverPowerShell, Way},
        made, psrp,
        script::Part,
    },
    support::Rig,
};

fn contract(folder: &str) -> impl Fn(&str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract").join(folder);
    move |name| fs::read_to_string(folder.join(name)).unwrap()
}

/// A server goes down in the middle of a change: after it was done, before it could say so. The driver finds it done, or
/// the next run does; nothing is done twice and nothing is lost.
#[test]
fn a_server_that_goes_down_at_each_change_loses_nothing() {
    for change in ["certificate.import", "certificate.enable", "iis.bind", "service.restart", "setting.set"] {
        falls_once(change, &|_| Way::Here);
    }
}

#[test]
fn the_same_over_remoting() {
    if psrp::python().is_none() {
        return;
    }
    for change in ["Import-ExchangeCertificate", "Enable-ExchangeCertificate", "Set-ReceiveConnector"] {
        falls_once(change, &|part| Way::Remoting(LabEndpoint::new(part).unwrap()));
    }
}

fn falls_once(change: &str, way: &dyn Fn(&Part) -> Way) {
    let text = contract("move-between-certificates");
    let manifest = text("1-all-mail.yaml")
        .replace("\"Exchange Back End:444\": transport", "\"Exchange Back End:444\": mail");
    let mut rig = Rig::of_texts(&manifest, &text("lab.yaml"));
    let dies_while = rig.base.join("dies");
    fs::write(&dies_while, change).unwrap();
    let part = Part { lab: Some(rig.base.clone()), dies_while: Some(dies_while.clone()), ..Part::default() };
    let way = way(&part);
    let mut runs = 0;
    loop {
        runs += 1;
        let driver = OverPowerShell::new(&rig.session.desired, &part, &way);
        rig.session.driver = DriverHandle::Acts(Box::new(driver));
        let plan = rig.plan();
        if plan.is_empty() {
            break;
        }
        let _ = rig.apply_with(&plan, rig.session.driver.acting().unwrap());
        assert!(runs < 5, "{change}: it does not come to an end: {:#?}", plan.steps);
    }
    assert!(!dies_while.exists(), "{change} was never asked for");
    let rows = rig.verify();
    assert!(!rows.is_empty() && rows.iter().all(Row::is_good), "{change}: {rows:#?}");
}

/// A name that leads to another server, or a server that lies: nothing that it says counts.
#[test]
fn a_server_that_answers_for_another_is_not_believed() {
    let text = contract("renew-twice");
    let rig = Rig::of_texts(&text("1-first.yaml"), &text("lab.yaml"));
    let part = Part { lab: Some(rig.base.clone()), ..Part::misbehaving("for another") };
    let driver = OverPowerShell::new(&rig.session.desired, &part, &Way::Here);
    let ex01 = "EX01".parse::<ServerName>().unwrap();
    let seen = driver.driver.observe(Wanted::Servers(&[ex01.clone()].into()));
    let said = match seen {
        Err(DriverError::Unreachable { server, source, .. }) => {
            assert_eq!(server, ex01);
            source.to_string()
        }
        other => panic!("{other:?}"),
    };
    assert!(said.contains("answered for another server: EX02.Get-"), "{said}");
    let diagnoses = driver.driver.examine().unwrap();
    let examined = |examination: Examination| {
        diagnoses[0].examined.iter().find(|examined| examined.examination == examination).unwrap()
    };
    assert_eq!(examined(Examination::Reachability).result, ExaminationResult::Good);
    assert_eq!(
        examined(Examination::Clock).result,
        ExaminationResult::Bad,
        "the peer's clock is that of the lab"
    );
    assert!(!examined(Examination::Clock).advice.is_empty());
    assert_eq!(examined(Examination::Roles).result, ExaminationResult::Bad, "it sees one cmdlet only");
}

/// Services that do not stop: what they wait for is not removed, and that is known.
#[test]
fn services_that_do_not_stop_keep_their_certificate() {
    if psrp::python().is_none() {
        return;
    }
    let text = contract("renew-twice");
    let rig = Rig::of_texts(&text("1-first.yaml"), &text("lab.yaml"));
    let part = Part { lab: Some(rig.base.clone()), ..Part::misbehaving("stuck") };
    let endpoint = LabEndpoint::new(&part).unwrap();
    let driver = OverPowerShell::new(&rig.session.desired, &part, &Way::Remoting(endpoint));
    let (ex01, bundle) = ("EX01".parse::<ServerName>().unwrap(), made("mail.contoso.com"));
    driver.import(&ex01, &bundle, &"mail".parse().unwrap(), true).unwrap();
    let services = vec!["MSExchangePOP3".to_owned()];
    let pop = ServiceGroup { service: Restartable::Pop, services };
    let proof = run::verify(&[], &Peers::new(&driver, &Balancers::new()), &Network::default(), None).unwrap();
    let removed = driver.remove(&ex01, bundle.certificate.thumbprint, &[pop], &proof);
    assert!(matches!(removed, Err(DriverError::Failed { .. })), "{removed:?}");
    let seen = driver.observe(Wanted::Store(&ex01)).unwrap();
    assert!(seen.organization.servers[&ex01].certificate(bundle.certificate.thumbprint).is_some());
}
