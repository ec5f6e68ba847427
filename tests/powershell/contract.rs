//! The contract of drivers, kept by the PowerShell driver: every folder of `tests/contract` is carried out over peers whose
//! servers are a lab's. What the driver asks travels as it would to a real server, and what it sees comes back as
//! PowerShell writes objects down.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use certwright::{
    drivers::{
        DriverHandle,
        lab::Lab,
        powershell::{Cancellation, PowerShell, ServerAccess, StdioChannel, Timeouts, WindowsAccess},
    },
    manifest::DriverSpec,
    model::{
        action::{CertificateRequest, DefaultSmtp, NamedConnector, ServerServices, ServiceGroup},
        bundle::{Answer, Bundle},
        certificate::Certificate,
        desired::Desired,
        diagnosis::{Examination, ExaminationResult},
        dn::TlsCertificateName,
        endpoint,
        fact::Fact,
        key::KeySpec,
        names::{ConnectorName, DnsName, FriendlyName, OverrideName, ServerName},
        organization::Observed,
        secret::Secret,
        server::UmStartupMode,
        service::{MailService, Restartable, Service, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    pki::{answer, pem, pfx},
    ports::balancer::Balancers,
    ports::{
        driver::{Driver, DriverError, NamedRemoval, Observer, Wanted},
        enrolment::NewRequest,
        evidence::Verified,
    },
    probe::Network,
    verify::{peers::Peers, row::Row, run},
};
use serde_json::{Value as Json, json};

use super::{
    exported,
    peer::{self, Part},
    support::{Rig, wall_clock},
};

#[test]
fn the_powershell_driver_keeps_the_contract() {
    let folders = sorted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract"));
    assert!(!folders.is_empty());
    for folder in folders {
        keep(&folder);
    }
}

/// The peer dies in the middle of a change: after it was done, before it could say so. The driver finds it done, or the
/// next run does; nothing is done twice and nothing is lost.
#[test]
fn a_peer_that_dies_at_each_change_loses_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/move-between-certificates");
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let manifest = text("1-all-mail.yaml")
        .replace("\"Exchange Back End:444\": transport", "\"Exchange Back End:444\": mail");
    for operation in
        ["certificate.import", "certificate.enable", "iis.bind", "service.restart", "setting.set"]
    {
        let mut rig = Rig::of_texts(&manifest, &text("lab.yaml"));
        let dies_while = rig.base.join("dies");
        fs::write(&dies_while, operation).unwrap();
        let mut runs = 0;
        loop {
            runs += 1;
            over_powershell(&mut rig, Some(&dies_while));
            let plan = rig.plan();
            if plan.is_empty() {
                break;
            }
            let driver = driver(&rig, Some(&dies_while));
            let _ = rig.apply_with(&plan, &driver);
            assert!(runs < 5, "{operation}: it does not come to an end: {:#?}", plan.steps);
        }
        assert!(!dies_while.exists(), "{operation} was never asked for");
        let rows = rig.verify();
        assert!(!rows.is_empty() && rows.iter().all(Row::is_good), "{operation}: {rows:#?}");
    }
}

/// A name that leads to another server, or a server that lies: nothing that it says counts.
#[test]
fn a_server_that_answers_for_another_is_not_believed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/renew-twice");
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let rig = Rig::of_texts(&text("1-first.yaml"), &text("lab.yaml"));
    let part = Part { lab: Some(lab_directory(&rig)), ..Part::misbehaving("for another") };
    let driver = driver_of(&rig.session.desired, &part);
    let ex01 = "EX01".parse::<ServerName>().unwrap();
    let seen = driver.driver.observe(Wanted::Servers(&[ex01.clone()].into()));
    let said = match seen {
        Err(DriverError::Unreachable { server, source }) => {
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

fn keep(folder: &Path) {
    let is_manifest = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "yaml") && !path.ends_with("lab.yaml")
    };
    let manifests: Vec<PathBuf> = sorted(folder).into_iter().filter(is_manifest).collect();
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    let mut rig = Rig::of_texts(&text(&manifests[0]), &text(&folder.join("lab.yaml")));
    for manifest in &manifests {
        let clock = manifest.with_extension("clock");
        if clock.exists() {
            rig.lab.set_clock(text(&clock).trim().parse().unwrap()).unwrap();
        }
        rig.change_manifest(&text(manifest));
        over_powershell(&mut rig, None);
        let plan = rig.plan();
        let report = rig.apply_with(&plan, &driver(&rig, None));
        let name = manifest.display();
        assert!(report.is_complete(), "{name}: {:#?}", report.steps);
        let again = rig.plan();
        assert!(again.is_empty(), "{name}: something is left to do: {:#?}", again.steps);
        let rows = rig.verify();
        assert!(!rows.is_empty() && rows.iter().all(Row::is_good), "{name}: {rows:#?}");
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Makes the session of a rig look through PowerShell.
pub(crate) fn over_powershell(rig: &mut Rig, dies_while: Option<&Path>) {
    rig.session.driver = DriverHandle::Acts(Box::new(driver(rig, dies_while)));
}

fn lab_directory(rig: &Rig) -> PathBuf {
    let DriverSpec::Lab(spec) = &rig.session.manifest.driver else { panic!("a rig has a lab") };
    rig.base.join(&spec.directory)
}

fn driver(rig: &Rig, dies_while: Option<&Path>) -> OverPowerShell {
    let lab = lab_directory(rig);
    let part = Part { lab: Some(lab), dies_while: dies_while.map(Path::to_owned), ..Part::default() };
    driver_of(&rig.session.desired, &part)
}

/// The driver over peers that play this part.
pub(crate) fn driver_of(desired: &Desired, part: &Part) -> OverPowerShell {
    let lab = part.lab.clone().unwrap();
    let servers = desired.servers.iter();
    let endpoints = servers.map(|(name, server)| {
        let script = part.text();
        ServerAccess {
            name: name.clone(),
            fqdn: server.fqdn.clone(),
            edge: server.edge,
            connect: Box::new(move || {
                let started = StdioChannel::start(&peer::program(), &script, Cancellation::default());
                Ok(Box::new(started?))
            }),
            windows: WindowsAccess::Same,
            credential: None,
            patience: Timeouts::default(),
        }
    });
    let driver = PowerShell::new(endpoints.collect(), BTreeMap::new());
    OverPowerShell { driver, lab: Lab::open(&lab, wall_clock()).unwrap() }
}

/// The driver with the lab's clock and addresses, which a lab alone has.
pub(crate) struct OverPowerShell {
    driver: PowerShell,
    lab: Lab,
}

impl Observer for OverPowerShell {
    fn now(&self) -> Timestamp {
        self.lab.now()
    }

    fn observe(&self, wanted: Wanted<'_>) -> Result<Observed, DriverError> {
        let mut observed = self.driver.observe(wanted)?;
        observed.at = self.lab.now();
        // A lab may have no accepted domain, which no organization is without.
        let is_of_labs = |note: &String| note.starts_with("Get-AcceptedDomain: it is empty");
        if observed.notes.iter().any(is_of_labs) {
            observed.notes.retain(|note| !is_of_labs(note));
            observed.organization.accepted_domains = Fact::Known(Vec::new());
        }
        assert_eq!(observed.notes, Vec::<String>::new());
        Ok(observed)
    }

    fn address(
        &self,
        server: &ServerName,
        fqdn: &DnsName,
        endpoint: endpoint::Endpoint,
    ) -> Result<String, DriverError> {
        self.lab.address(server, fqdn, endpoint)
    }

    fn own_roots(&self) -> Vec<Certificate> {
        self.lab.own_roots()
    }
}

macro_rules! pass_on {
    ($($verb:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Driver for OverPowerShell {
            fn needs_pauses(&self) -> bool {
                false
            }

            $(fn $verb(&self, $($argument: $type),*) -> Result<$result, DriverError> {
                self.driver.$verb($($argument),*)
            })*
        }
    };
}

pass_on! {
    create(server: &ServerName, request: &CertificateRequest) -> (Thumbprint, Timestamp);
    request(server: &ServerName, request: &CertificateRequest) -> NewRequest;
    complete(server: &ServerName, answer: &Answer, friendly_name: &FriendlyName) -> ();
    remove_request(server: &ServerName, request: Thumbprint) -> ();
    import(server: &ServerName, bundle: &Bundle, friendly_name: &FriendlyName, exportable: bool) -> ();
    export(server: &ServerName, certificate: Thumbprint, with_key: bool) -> Bundle;
    bind(server: &ServerName, certificate: Thumbprint, services: &Services, answer: DefaultSmtp) -> ();
    bind_site(server: &ServerName, site: &SiteBinding, certificate: Thumbprint) -> ();
    set_x509_certificate_name(server: &ServerName, service: MailService, name: Option<&DnsName>) -> ();
    set_um_startup_mode(server: &ServerName, call_router: bool, mode: UmStartupMode) -> ();
    repoint_receive(server: &ServerName, connector: &ConnectorName, to: Option<&TlsCertificateName>) -> ();
    repoint_send(connector: &ConnectorName, to: Option<&TlsCertificateName>) -> ();
    stage_auth(certificate: Thumbprint, effective: Option<Timestamp>) -> ();
    publish_auth() -> ();
    clear_previous_auth() -> ();
    repoint_hybrid(to: Option<&TlsCertificateName>) -> ();
    set_im_certificate(name: &OverrideName, certificate: Thumbprint, servers: &[ServerName]) -> ();
    restart(server: &ServerName, what: Restartable, services: &[String]) -> ();
    take_back(server: &ServerName, certificate: Thumbprint) -> ();
    remove_named(removal: &NamedRemoval<'_>, proofs: &[Arc<Verified>]) -> ();
    remove(server: &ServerName, certificate: Thumbprint, stopped: &[ServiceGroup], proof: &Verified) -> ();
}

/// What the peer answers.
pub(crate) fn answer(part: &Part, request: &Json) -> Json {
    let lab = Lab::open(part.lab.as_ref().unwrap(), wall_clock()).unwrap();
    let (operation, arguments) = (request["op"].as_str().unwrap(), &request["args"]);
    let id = &request["id"];
    let good = |result: Json| json!({ "v": 1, "id": id, "ok": true, "result": result });
    if request["what_if"] == json!(true) {
        let would = if is_there(&lab, operation, arguments) { json!([]) } else { json!([operation]) };
        return json!({ "v": 1, "id": id, "ok": true, "result": { "changed": false }, "would": would });
    }
    // A server that goes down in the middle of a change: before it was done, or after and before it could be said.
    let is_change = !operation.starts_with("session.") && !operation.starts_with("observe.");
    let falls = |at: u32| {
        is_change && part.falls.is_some_and(|one_in| peer::lot(id, at).is_multiple_of(u64::from(one_in)))
    };
    if falls(0) {
        std::process::abort();
    }
    let result = perform(&lab, operation, arguments);
    if falls(1) {
        std::process::abort();
    }
    if let Some(file) = part.dies_while.as_ref().filter(|file| file.exists())
        && fs::read_to_string(file).unwrap() == operation
    {
        fs::remove_file(file).unwrap();
        std::process::abort();
    }
    match result {
        Ok(result) => good(result),
        Err(error) => {
            let kind = if error.contains("already exists") {
                return good(json!({ "changed": false }));
            } else {
                "other"
            };
            json!({ "v": 1, "id": id, "ok": false,
                "error": { "message": error, "kind": kind, "mutated": "no", "cmdlet": operation } })
        }
    }
}

/// Whether the goal of a change is there.
fn is_there(lab: &Lab, operation: &str, arguments: &Json) -> bool {
    let observed = lab.observe(Wanted::Everything).unwrap();
    let of = |name: &str| arguments[name].as_str().unwrap().to_owned();
    let server = arguments["server"]["name"].as_str().map(|name| name.parse::<ServerName>().unwrap());
    let server = server.and_then(|name| observed.organization.servers.get(&name));
    match operation {
        "certificate.import" | "certificate.complete" => {
            server.unwrap().certificate(of("thumbprint").parse().unwrap()).is_some()
        }
        "certificate.remove" => server.unwrap().certificate(of("thumbprint").parse().unwrap()).is_none(),
        "iis.bind" => {
            let bound = server.unwrap().sites.known().unwrap().get(&site(arguments)).copied().flatten();
            bound == Some(of("thumbprint").parse().unwrap())
        }
        _ => false,
    }
}

fn site(arguments: &Json) -> SiteBinding {
    let text =
        |name: &str| Some(arguments[name].as_str().unwrap().to_owned()).filter(|text| !text.is_empty());
    SiteBinding {
        site: text("site").unwrap(),
        address: text("address"),
        port: u16::try_from(arguments["port"].as_u64().unwrap()).unwrap(),
        host: text("host").map(|host| host.parse().unwrap()),
    }
}

const OF_WINDOWS: [&str; 4] =
    ["Get-WebBinding", "Win32_OperatingSystem", "Win32_Service", "certwright-roots"];

/// A parameter of the call.
struct Call<'a>(&'a Json);

impl Call<'_> {
    fn get(&self, name: &str) -> Option<&Json> {
        let parameters = self.0["parameters"].as_array().unwrap();
        parameters
            .iter()
            .find(|parameter| parameter["name"] == json!(name))
            .map(|parameter| &parameter["value"])
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Json::as_str)
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(&self, name: &str) -> T {
        self.text(name).unwrap_or_else(|| panic!("no {name} in {}", self.0)).parse().unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        BASE64_STANDARD.decode(self.text(name).unwrap()).unwrap()
    }

    fn password(&self) -> Secret {
        Secret::new(self.text("Password").unwrap().as_bytes().to_vec())
    }

    fn request(&self) -> CertificateRequest {
        let names = self.get("DomainName").unwrap().as_array().unwrap();
        CertificateRequest {
            subject: self.parsed("SubjectName"),
            names: names.iter().map(|name| name.as_str().unwrap().parse().unwrap()).collect(),
            key: self
                .get("KeySize")
                .map_or(KeySpec::EcP256, |size| KeySpec::Rsa(u16::try_from(size.as_u64().unwrap()).unwrap())),
            exportable: self.get("PrivateKeyExportable") == Some(&json!(true)),
            friendly_name: self.parsed("FriendlyName"),
            lifetime: None,
        }
    }

    fn services(&self) -> Services {
        let text = self.text("Services").unwrap();
        text.split(", ").filter(|word| *word != "None").map(|word| word.parse::<Service>().unwrap()).collect()
    }
}

#[expect(clippy::too_many_lines, reason = "a table: an arm for each operation of the driver")]
fn perform(lab: &Lab, operation: &str, arguments: &Json) -> Result<Json, String> {
    let server = || arguments["server"]["name"].as_str().unwrap().parse::<ServerName>().unwrap();
    let thumbprint = || arguments["thumbprint"].as_str().unwrap().parse::<Thumbprint>().unwrap();
    let call = Call(&arguments["call"]);
    let said = |error: DriverError| {
        std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
    };
    let done = |result: Result<(), DriverError>| result.map(|()| json!({ "changed": true })).map_err(said);
    match operation {
        "session.hello" => {
            Ok(json!({ "ps_version": "5.1.20348.1", "language_mode": "FullLanguage", "bits": 64,
                "computer": "ADMIN01", "utc": wall_clock().to_string() }))
        }
        "session.open" => Ok(json!({ "answers_prompts": true })),
        "session.about" => {
            let observed = lab.observe(Wanted::Everything).unwrap();
            let seen = &observed.organization.servers[&server()];
            let count = seen.certificates.known().unwrap().0.len();
            let version = seen.version.known().map(ToString::to_string);
            Ok(json!({ "version": version, "domain_controller": "dc01.contoso.com",
                "certificates": count, "serialized": count, "with_services": count }))
        }
        "session.visible" => Ok(json!({ "visible": { "Get-ExchangeCertificate": ["Server"] } })),
        "observe.organization" => Ok(sections(lab, None, |_| true)),
        "observe.server" => Ok(sections(lab, Some(&server()), |cmdlet| !OF_WINDOWS.contains(&cmdlet))),
        "observe.windows" => Ok(sections(lab, Some(&server()), |cmdlet| OF_WINDOWS.contains(&cmdlet))),
        "iis.unused" => Ok(json!({ "changed": false })),
        "certificate.create" if call.get("GenerateRequest").is_some() => {
            let new = lab.request(&server(), &call.request()).map_err(said)?;
            let observed = lab.observe(Wanted::Everything).unwrap();
            let requests = observed.organization.servers[&server()].requests.known().unwrap();
            let stand_in =
                requests.iter().find(|request| request.certificate.thumbprint == new.thumbprint).unwrap();
            let der = BASE64_STANDARD.encode(&stand_in.certificate.der.0);
            Ok(json!({ "changed": true, "new": [der], "request": pem::of_request(&new.request) }))
        }
        "certificate.create" => {
            let (made, _) = lab.create(&server(), &call.request()).map_err(said)?;
            let bundle = lab.export(&server(), made, false).map_err(said)?;
            Ok(
                json!({ "changed": true, "new": [BASE64_STANDARD.encode(&bundle.certificate.der.0)], "request": null }),
            )
        }
        "certificate.complete" => {
            let answer = answer::read(&call.bytes("FileData")).unwrap();
            done(lab.complete(&server(), &answer, &call.parsed("FriendlyName")))
        }
        "certificate.import" => {
            let bundle =
                pfx::read(&call.bytes("FileData"), &call.password()).map_err(|error| error.to_string())?;
            let exportable = call.get("PrivateKeyExportable") == Some(&json!(true));
            done(lab.import(&server(), &bundle, &call.parsed("FriendlyName"), exportable))
        }
        "certificate.export" => {
            let with_key = !arguments["call"].is_null();
            let bundle = lab.export(&server(), thumbprint(), with_key).map_err(said)?;
            let file = with_key.then(|| {
                let file = pfx::write(&bundle, &call.password(), "x", pfx::Encryption::Readable).unwrap();
                BASE64_STANDARD.encode(file)
            });
            Ok(json!({ "certificate": BASE64_STANDARD.encode(&bundle.certificate.der.0), "pfx": file }))
        }
        "certificate.enable" => {
            let keeps = arguments["keep_default"] == json!(true);
            assert!(!keeps || call.get("Force").is_none(), "-Force would say yes");
            let answer = if keeps { DefaultSmtp::Keep } else { DefaultSmtp::Replace };
            done(lab.bind(&server(), thumbprint(), &call.services(), answer))
        }
        "certificate.remove" if arguments["is_request"] == json!(true) => {
            done(lab.remove_request(&server(), thumbprint()))
        }
        "certificate.remove" => {
            // The driver was shown the proof; the lab wants to be shown one too.
            let proof =
                run::verify(&[], &Peers::new(lab, &Balancers::new()), &Network::default(), None).unwrap();
            let stopped = arguments["while_stopped"].as_array().unwrap();
            let stopped: Vec<ServiceGroup> = stopped
                .iter()
                .map(|service| {
                    let service = service.as_str().unwrap().to_owned();
                    ServiceGroup { service: restartable(&service), services: vec![service] }
                })
                .collect();
            done(lab.remove(&server(), thumbprint(), &stopped, &proof))
        }
        "certificate.remove_named" => {
            let calls = |name: &str| arguments[name].as_array().unwrap().clone();
            let name = |call: &Json| Call(call).parsed::<ConnectorName>("Identity");
            let connectors: Vec<NamedConnector> = calls("name")
                .iter()
                .map(|call| NamedConnector {
                    connector: name(call),
                    name: Call(call).text("TlsCertificateName").unwrap().parse().unwrap(),
                })
                .collect();
            let place =
                |entry: &Json| entry["server"]["name"].as_str().unwrap().parse::<ServerName>().unwrap();
            let certificates = calls("removals")
                .iter()
                .map(|entry| (place(entry), entry["thumbprint"].as_str().unwrap().parse().unwrap()))
                .collect();
            let while_stopped: Vec<ServerServices> = calls("still")
                .iter()
                .map(|entry| {
                    let services = entry["services"].as_array().unwrap().iter();
                    let group = |service: &Json| {
                        let service = service.as_str().unwrap().to_owned();
                        ServiceGroup { service: restartable(&service), services: vec![service] }
                    };
                    ServerServices { server: place(entry), groups: services.map(group).collect() }
                })
                .collect();
            let while_stopped = while_stopped.as_slice();
            let removal = NamedRemoval { certificates, connectors: &connectors, while_stopped };
            done(lab.remove_named(&removal, &[]))
        }
        "setting.set" => set(lab, &call).map(|()| json!({ "changed": true })).map_err(said),
        "auth.stage" => {
            let at = call.text("NewCertificateEffectiveDate").map(|at| at.parse().unwrap());
            done(lab.stage_auth(thumbprint(), at))
        }
        "auth.publish" => done(lab.publish_auth()),
        "auth.clear" => done(lab.clear_previous_auth()),
        "override.set" => {
            let servers = arguments["refresh"].as_array().unwrap();
            let servers: Vec<ServerName> = servers.iter().map(|call| Call(call).parsed("Server")).collect();
            done(lab.set_im_certificate(&call.parsed("Identity"), thumbprint(), &servers))
        }
        "iis.bind" => done(lab.bind_site(&server(), &site(arguments), thumbprint())),
        "service.restart" => {
            let first = arguments["services"][0].as_str().unwrap();
            done(lab.restart(&server(), restartable(first), &[]))
        }
        other => Err(format!("no such operation: {other}")),
    }
}

fn set(lab: &Lab, call: &Call<'_>) -> Result<(), DriverError> {
    let server = || call.parsed::<ServerName>("Server");
    let tls_name = || call.text("TlsCertificateName").map(|name| name.parse::<TlsCertificateName>().unwrap());
    let x509_name = || call.text("X509CertificateName").map(|name| name.parse::<DnsName>().unwrap());
    let mode = || match call.text("UMStartupMode").unwrap() {
        "TCP" => UmStartupMode::Tcp,
        "TLS" => UmStartupMode::Tls,
        _ => UmStartupMode::Dual,
    };
    match call.0["name"].as_str().unwrap() {
        "Set-PopSettings" => lab.set_x509_certificate_name(&server(), MailService::Pop, x509_name().as_ref()),
        "Set-ImapSettings" => {
            lab.set_x509_certificate_name(&server(), MailService::Imap, x509_name().as_ref())
        }
        "Set-UMService" => lab.set_um_startup_mode(&call.parsed("Identity"), false, mode()),
        "Set-UMCallRouterSettings" => lab.set_um_startup_mode(&server(), true, mode()),
        "Set-SendConnector" => lab.repoint_send(&call.parsed("Identity"), tls_name().as_ref()),
        "Set-ReceiveConnector" => {
            let (server, name) = call.text("Identity").unwrap().split_once('\\').unwrap();
            let name: ConnectorName = name.parse().unwrap();
            lab.repoint_receive(&server.parse().unwrap(), &name, tls_name().as_ref())
        }
        "Set-HybridConfiguration" => lab.repoint_hybrid(tls_name().as_ref()),
        other => panic!("no such setting: {other}"),
    }
}

fn restartable(service: &str) -> Restartable {
    match service {
        "MSExchangeTransport" | "MSExchangeFrontEndTransport" => Restartable::Transport,
        "MSExchangePOP3" | "MSExchangePOP3BE" => Restartable::Pop,
        "MSExchangeIMAP4" | "MSExchangeIMAP4BE" => Restartable::Imap,
        "MSExchangeUM" => Restartable::Um,
        "MSExchangeUMCR" => Restartable::UmCallRouter,
        "MSExchangeServiceHost" => Restartable::ServiceHost,
        "WAS" | "W3SVC" => Restartable::Iis,
        _ => Restartable::WebApps,
    }
}

/// What is seen of a server or of the organization, as PowerShell writes it down.
fn sections(lab: &Lab, server: Option<&ServerName>, is_wanted: impl Fn(&str) -> bool) -> Json {
    let observed = lab.observe(Wanted::Everything).unwrap();
    let folder = tempfile::tempdir().unwrap();
    exported::export(&observed.organization, observed.at, folder.path());
    let mut found = Vec::new();
    for file in sorted(folder.path()) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let of = name.split_once('.').map(|(server, _)| server);
        let cmdlet = name.split_once('.').map_or(name.as_str(), |(_, cmdlet)| cmdlet);
        if of == server.map(ServerName::as_str) && is_wanted(cmdlet) {
            found.push(json!({ "name": name, "clixml": BASE64_STANDARD.encode(fs::read(&file).unwrap()) }));
        }
    }
    json!({ "sections": found })
}
