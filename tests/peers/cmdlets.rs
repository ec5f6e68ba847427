//! Exchange's cmdlets, carried out by a lab: what they take, put out and refuse.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{BufRead, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use certwright::{
    drivers::{lab::Lab, powershell::script},
    exchange::refusal::{Refusal, Why},
    model::{
        action::{CertificateRequest, DefaultSmtp, ServiceGroup},
        certificate::Certificate,
        dn::TlsCertificateName,
        key::KeySpec,
        names::{ConnectorName, DnsName, ServerName},
        secret::Secret,
        server::UmStartupMode,
        service::{MailService, Service, Services},
        thumbprint::Thumbprint,
    },
    pki::{answer, pem, pfx},
    ports::{
        FoundDrained,
        balancer::Balancers,
        driver::{Driver, DriverError, Observer, Wanted},
    },
    probe::Network,
    verify::{peers::Peers, run},
};
use serde_json::{Value as Json, json};

use super::{base64, restartable, script::Part, shown};
use crate::support::wall_clock;

/// The call of a cmdlet.
pub struct Call<'a>(pub &'a Json);

impl Call<'_> {
    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub fn get(&self, name: &str) -> Option<&Json> {
        let parameters = self.0["parameters"].as_array().unwrap();
        parameters
            .iter()
            .find(|parameter| parameter["name"] == json!(name))
            .map(|parameter| &parameter["value"])
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Json::as_str)
    }

    pub fn parsed<T: FromStr<Err: std::fmt::Debug>>(&self, name: &str) -> T {
        self.text(name).unwrap_or_else(|| panic!("no {name} in {}", self.0)).parse().unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        BASE64_STANDARD.decode(self.text(name).unwrap()).unwrap()
    }

    fn password(&self) -> Secret {
        Secret::new(self.text("Password").unwrap().as_bytes().to_vec())
    }

    fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| *value != json!(false))
    }

    fn request(&self) -> CertificateRequest {
        let names = self.get("DomainName").unwrap().as_array().unwrap();
        CertificateRequest {
            subject: self.parsed("SubjectName"),
            names: names.iter().map(|name| name.as_str().unwrap().parse().unwrap()).collect(),
            key: self
                .get("KeySize")
                .map_or(KeySpec::EcP256, |size| KeySpec::Rsa(u16::try_from(size.as_u64().unwrap()).unwrap())),
            exportable: self.is_set("PrivateKeyExportable"),
            friendly_name: self.parsed("FriendlyName"),
            lifetime: None,
        }
    }

    fn services(&self) -> Services {
        let text = self.text("Services").unwrap();
        text.split(", ").filter(|word| *word != "None").map(|word| word.parse::<Service>().unwrap()).collect()
    }
}

/// What a cmdlet puts out.
#[derive(Default)]
pub struct Output {
    /// Objects, as a file of CLIXML.
    pub objects: Option<Vec<u8>>,
    /// Only those of them that have this name.
    pub only: Option<String>,
    /// A text.
    pub text: Option<String>,
    /// The bytes of a file.
    pub file: Option<Vec<u8>>,
    /// The parameters of a cmdlet.
    pub parameters: Option<Vec<Json>>,
    /// The certificate, or a request's stand-in, that was made.
    pub made: Option<Certificate>,
}

/// Why a cmdlet did not do what it was asked.
pub enum No {
    /// Exchange refuses it.
    Refused(Why),
    /// There is no such cmdlet.
    UnknownCmdlet,
    /// It has to ask first whether the default SMTP certificate stays.
    Asks,
    /// It is not what it was when it was looked at.
    Changed,
    /// Anything else.
    Other(String),
}

impl From<DriverError> for No {
    fn from(error: DriverError) -> Self {
        match error {
            DriverError::Refused(Refusal { why, .. }) => Self::Refused(why),
            error => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                Self::Other(format!("{error}: {}", source.unwrap_or_default()))
            }
        }
    }
}

/// Carries out a cmdlet. `answer` is what was answered when it asked.
#[allow(clippy::too_many_lines, reason = "a table: an arm for each cmdlet")]
pub fn run(lab: &Lab, call: &Call<'_>, answer: Option<DefaultSmtp>) -> Result<Output, No> {
    let server = || call.parsed::<ServerName>("Server");
    let thumbprint = || call.parsed::<Thumbprint>("Thumbprint");
    match call.name() {
        "New-ExchangeCertificate" if call.is_set("GenerateRequest") => {
            let new = lab.request(&server(), &call.request())?;
            let observed = lab.observe(Wanted::Store(&server())).unwrap();
            let requests = observed.organization.servers[&server()].requests.known().unwrap();
            let own = requests.iter().find(|request| request.certificate.thumbprint == new.thumbprint);
            let (made, text) = (Some(own.unwrap().certificate.clone()), Some(pem::of_request(&new.request)));
            Ok(Output { text, made, ..Output::default() })
        }
        "New-ExchangeCertificate" => {
            let (made, _) = lab.create(&server(), &call.request())?;
            let made = Some(lab.export(&server(), made, false)?.certificate);
            Ok(Output { made, ..Output::default() })
        }
        "Start-EdgeSynchronization" => {
            lab.synchronize_edge(&server())?;
            Ok(Output::default())
        }
        "Import-ExchangeCertificate" if call.text("Password").is_some() => {
            let read = pfx::read(&call.bytes("FileData"), &call.password());
            let bundle = read.map_err(|error| No::Other(error.to_string()))?;
            let exportable = call.is_set("PrivateKeyExportable");
            lab.import(&server(), &bundle, &call.parsed("FriendlyName"), exportable)?;
            Ok(Output::default())
        }
        "Import-ExchangeCertificate" => {
            let answer = answer::read(&call.bytes("FileData")).unwrap();
            lab.complete(&server(), &answer, &call.parsed("FriendlyName"))?;
            Ok(Output::default())
        }
        "Export-ExchangeCertificate" => {
            let bundle = lab.export(&server(), thumbprint(), true)?;
            let file = pfx::to_travel(&bundle, &call.password(), "x", pfx::Encryption::Readable).unwrap();
            Ok(Output { file: Some(file), ..Output::default() })
        }
        "Enable-ExchangeCertificate" => {
            let services = call.services();
            let forced = call.is_set("Force").then_some(DefaultSmtp::Replace);
            let answer = match answer.or(forced) {
                None if services.contains(&Service::Smtp) => return Err(No::Asks),
                answer => answer.unwrap_or(DefaultSmtp::Keep),
            };
            lab.bind(&server(), thumbprint(), &services, answer)?;
            Ok(Output::default())
        }
        "Remove-ExchangeCertificate" => {
            let (server, thumbprint) = (server(), thumbprint());
            let observed = lab.observe(Wanted::Store(&server)).unwrap();
            let requests = observed.organization.servers[&server].requests.known().unwrap();
            if requests.iter().any(|request| request.certificate.thumbprint == thumbprint) {
                lab.remove_request(&server, thumbprint)?;
            } else {
                remove(lab, &server, thumbprint, &standing(lab.path(), &server))?;
            }
            Ok(Output::default())
        }
        "Set-AuthConfig" if call.is_set("PublishCertificate") => Ok(lab.publish_auth().map(done)?),
        "Set-AuthConfig" if call.is_set("ClearPreviousCertificate") => {
            Ok(lab.clear_previous_auth().map(done)?)
        }
        "Set-AuthConfig" => {
            // Without a date of its own it is the present moment, which is not the lab's.
            let at = call.text("NewCertificateEffectiveDate").filter(|_| !call.is_set("Force"));
            let at = at.map(|at| at.parse().unwrap());
            Ok(lab.stage_auth(call.parsed("NewCertificateThumbprint"), at).map(done)?)
        }
        "Get-Command" => {
            let parameters = granted()[call.text("Name").unwrap()].as_array().cloned();
            let parameters = Some(parameters.ok_or(No::UnknownCmdlet)?);
            Ok(Output { parameters, ..Output::default() })
        }
        "Set-SettingOverride" => {
            let entries = call.get("Parameters").unwrap().as_array().unwrap();
            let entry =
                entries.iter().find_map(|entry| entry.as_str()?.strip_prefix("IMCertificateThumbprint="));
            let thumbprint = entry.unwrap().parse().unwrap();
            Ok(lab.set_im_certificate(&call.parsed("Identity"), thumbprint, &[]).map(done)?)
        }
        "Set-ServerComponentState" => {
            let own = Component::of(lab.path(), &call.parsed("Identity"));
            own.set(call.text("State").unwrap());
            Ok(Output::default())
        }
        "Get-ServerComponentState" => {
            let state = Component::of(lab.path(), &call.parsed("Identity")).state();
            Ok(Output { objects: Some(clixml(&[&[("State", &state)]])), ..Output::default() })
        }
        "Redirect-Message" => {
            let own = Component::of(lab.path(), &server());
            if own.state() != "Draining" {
                return Err(No::Other("the queues fill again while transport is active".into()));
            }
            lab.drain_transport(&server(), &call.parsed("Target"), FoundDrained::Own)?;
            own.set(EMPTIED);
            Ok(Output::default())
        }
        "Get-Queue" => {
            let waiting = if Component::of(lab.path(), &server()).is_empty() { "0" } else { "3" };
            let delivered = [
                ("Identity", "EX01\\4"),
                ("DeliveryType", "SmtpDeliveryToMailbox"),
                ("MessageCount", waiting),
            ];
            let kept = [
                ("Identity", "EX01\\Shadow\\1"),
                ("DeliveryType", "ShadowRedundancy"),
                ("MessageCount", "7"),
            ];
            Ok(Output { objects: Some(clixml(&[&delivered, &kept])), ..Output::default() })
        }
        name if name.starts_with("Set-") => Ok(set(lab, call).map(done)?),
        name if name.starts_with("Get-") => get(lab, call),
        _ => Err(No::UnknownCmdlet),
    }
}

fn done((): ()) -> Output {
    Output::default()
}

/// The component of a server that takes and delivers messages.
struct Component(PathBuf);

/// It drains, and its queues are empty.
const EMPTIED: &str = "Draining, and emptied";

impl Component {
    fn of(lab: &Path, server: &ServerName) -> Self {
        Self(lab.join(format!("component-{server}")))
    }

    fn set(&self, state: &str) {
        fs::write(&self.0, state).unwrap();
    }

    fn written(&self) -> String {
        fs::read_to_string(&self.0).unwrap_or_else(|_| "Active".into())
    }

    fn state(&self) -> String {
        self.written().split(',').next().unwrap().to_owned()
    }

    fn is_empty(&self) -> bool {
        self.written() == EMPTIED
    }
}

/// A list of objects with these properties, as a file of CLIXML.
fn clixml(objects: &[&[(&str, &str)]]) -> Vec<u8> {
    let mut xml = String::from(
        "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj RefId=\"0\">\
         <TN RefId=\"0\"><T>System.Object[]</T><T>System.Array</T><T>System.Object</T></TN><LST>",
    );
    for (number, properties) in objects.iter().enumerate() {
        xml += &format!("<Obj RefId=\"{}\"><MS>", number + 1);
        for (name, text) in *properties {
            xml += &format!("<S N=\"{name}\">{text}</S>");
        }
        xml += "</MS></Obj>";
    }
    (xml + "</LST></Obj></Objs>").into_bytes()
}

/// Removes a certificate while these services stand still.
pub fn remove(
    lab: &Lab,
    server: &ServerName,
    thumbprint: Thumbprint,
    stopped: &[String],
) -> Result<(), DriverError> {
    // The driver was shown the proof; the lab wants to be shown one too.
    let proof = run::verify(&[], &Peers::new(lab, &Balancers::new()), &Network::default(), None).unwrap();
    let group =
        |service: &String| ServiceGroup { service: restartable(service), services: vec![service.clone()] };
    let stopped: Vec<ServiceGroup> = stopped.iter().map(group).collect();
    lab.remove(server, thumbprint, &stopped, &proof)
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
    match call.name() {
        "Set-PopSettings" => lab.set_x509_certificate_name(&server(), MailService::Pop, x509_name().as_ref()),
        "Set-ImapSettings" => {
            lab.set_x509_certificate_name(&server(), MailService::Imap, x509_name().as_ref())
        }
        "Set-UMService" | "Set-UMServer" => lab.set_um_startup_mode(&call.parsed("Identity"), false, mode()),
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

fn get(lab: &Lab, call: &Call<'_>) -> Result<Output, No> {
    let (name, identity) = (call.name(), call.text("Identity"));
    let (server, only) = match (call.text("Server"), identity.and_then(|text| text.split_once('\\'))) {
        (Some(server), _) => (Some(server), None),
        (None, Some((server, own))) => (Some(server), Some(own)),
        (None, None) => (None, identity),
    };
    let mut shown = shown_now(lab);
    let servers = lab.listed_servers().unwrap_or_default();
    let is_server = |text: &&str| servers.iter().any(|server| server.as_str().eq_ignore_ascii_case(text));
    let (server, only) = match only {
        Some(text) if server.is_none() && is_server(&text) && name != "Get-ExchangeServer" => {
            (Some(text), None)
        }
        only => (server, only),
    };
    let file = server.map_or_else(|| name.to_owned(), |server| format!("{server}.{name}"));
    // Newer versions call it a service, and none has both; the newest have no Unified Messaging.
    let is_of_some = name.starts_with("Get-ClientAccess") || name.starts_with("Get-UM");
    let is_known = !is_of_some || shown.contains_key(&file);
    let only = only.map(str::to_owned);
    if is_known {
        Ok(Output { objects: shown.remove(&file), only, ..Output::default() })
    } else {
        Err(No::UnknownCmdlet)
    }
}

type Shown = std::collections::BTreeMap<String, Vec<u8>>;

/// What a lab shows, made anew when its files have changed.
fn shown_now(lab: &Lab) -> Shown {
    static LAST: std::sync::Mutex<Option<(u64, Shown)>> = std::sync::Mutex::new(None);
    let mut hasher = DefaultHasher::new();
    lab.now().hash(&mut hasher);
    for folder in ["state", "state/servers"] {
        let mut files: Vec<PathBuf> =
            fs::read_dir(lab.path().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        for file in files {
            // A file that is just being replaced.
            (fs::read(&file).ok(), file).hash(&mut hasher);
        }
    }
    let key = hasher.finish();
    let mut last = LAST.lock().unwrap();
    match &*last {
        Some((of, shown)) if *of == key => shown.clone(),
        _ => last.insert((key, shown(lab))).1.clone(),
    }
}

/// Where it stands which services of a server stand still.
fn standing_file(lab: &Path, server: &ServerName) -> PathBuf {
    lab.join(format!("standing-{server}"))
}

/// The services of a server that stand still.
pub fn standing(lab: &Path, server: &ServerName) -> Vec<String> {
    let text = fs::read_to_string(standing_file(lab, server)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Stops services of a server, or starts them all.
pub fn set_standing(lab: &Path, server: &ServerName, services: &[String]) {
    if services.is_empty() {
        let _ = fs::remove_file(standing_file(lab, server));
    } else {
        fs::write(standing_file(lab, server), services.join("\n")).unwrap();
    }
}

/// Answers the calls that come as lines on standard input, until it ends. What this process is comes in its environment.
pub fn serve() {
    let Some(part) = std::env::var_os(PART) else { return };
    let part: Part = serde_json::from_str(part.to_str().unwrap()).unwrap();
    part.tell_process();
    let mut number = 0;
    for line in std::io::stdin().lock().lines() {
        number += 1;
        let asked: Json = serde_json::from_str(&line.unwrap()).unwrap();
        let lab = Lab::open(part.lab.as_ref().unwrap(), wall_clock()).unwrap();
        let call = Call(&asked);
        let is_change = !call.name().starts_with("Get-");
        part.may_fall(is_change, &json!(number), 0);
        let strike = part.strikes(is_change);
        let before = ["abort before", "refused", "prompt", "cut before", "expired before"];
        if let Some(what) = strike.as_deref().filter(|what| before.contains(what)) {
            if what == "abort before" {
                std::process::abort();
            }
            say(&json!({ "fault": what, "error": "it did not work" }));
            continue;
        }
        let answer = match asked["answer"].as_str() {
            None => None,
            Some("&No") => Some(DefaultSmtp::Keep),
            Some(_) => Some(DefaultSmtp::Replace),
        };
        let mut answer = match run(&lab, &call, answer) {
            Ok(Output { objects, only, text, file, parameters, made: _ }) => json!({
                "parameters": parameters,
                "objects": objects.map(|bytes| base64(&bytes)), "only": only, "text": text,
                "file": file.map(|bytes| base64(&bytes)),
            }),
            Err(No::Asks) => json!({ "asks": true }),
            Err(No::Refused(why @ (Why::NoSuchConnector(_) | Why::NoSuchOverride(_)))) => {
                json!({ "missing": why.to_string() })
            }
            Err(No::Refused(why)) => json!({ "error": why.to_string() }),
            Err(No::UnknownCmdlet) => json!({ "no_cmdlet": true }),
            Err(No::Changed) => json!({ "error": "somebody has changed it" }),
            Err(No::Other(message)) => json!({ "error": message }),
        };
        part.may_fall(is_change, &json!(number), 1);
        part.may_die_while(call.name());
        if let Some(what) = strike {
            if what == "abort after" {
                std::process::abort();
            }
            answer["fault"] = json!(what);
        }
        say(&answer);
    }
    // The runner of tests would go on to print its summary.
    std::process::exit(0);
}

fn say(answer: &Json) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n\u{1e}{answer}").unwrap();
    out.flush().unwrap();
}

/// Every cmdlet of the driver script's table with its parameters, as an account sees them that may all of it.
pub fn granted() -> Json {
    let script = script::text();
    let table = script.split_once("$Allowed = @{").unwrap().1.split_once("\n}").unwrap().0;
    let mut granted = serde_json::Map::new();
    let mut last = String::new();
    for line in table.lines() {
        let words: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
        let (names, parameters) = if line.contains('=') { words.split_at(1) } else { words.split_at(0) };
        last = names.first().map_or(last, |name| (*name).to_owned());
        let entry = granted.entry(last.clone()).or_insert_with(|| json!([]));
        entry.as_array_mut().unwrap().extend(parameters.iter().map(|name| json!(name)));
    }
    granted.into()
}

/// The variable with what the process is to be.
pub const PART: &str = "CERTWRIGHT_TEST_PART";
