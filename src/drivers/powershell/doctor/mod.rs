//! Examining the way to each server, before anyone plans: everything is read, and nothing is changed.

mod advice;
mod roles;

use std::{
    collections::{BTreeMap, BTreeSet},
    slice::from_ref,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use serde_json::json;

use self::advice::advice;
use super::{
    PowerShell,
    error::PowerShellError,
    request::Request,
    said::{LONGEST_WORD, one_line, optional_word},
    session::{Opened, Session, WindowsAccess},
    side::Side,
    side_by_side::side_by_side,
};
use crate::{
    model::{
        causes::with_causes,
        diagnosis::{Examination, Examined, ServerDiagnosis},
        time::{Span, Timestamp},
        version::{Release, ServerVersion},
    },
    wire::clixml,
};

/// What a server says of itself.
#[derive(Debug, Deserialize)]
struct About {
    #[serde(default, deserialize_with = "optional_word")]
    version: Option<String>,
    /// Its full name.
    #[serde(default, deserialize_with = "optional_word")]
    fqdn: Option<String>,
    /// The domain controller that answered.
    #[serde(default, deserialize_with = "optional_word")]
    domain_controller: Option<String>,
    certificates: u32,
    /// How many of them carry their serialized form.
    serialized: u32,
    /// How many of them say their services.
    with_services: u32,
}

impl About {
    fn version(&self) -> Option<ServerVersion> {
        self.version.as_deref().and_then(|text| text.parse().ok())
    }
}

#[derive(Deserialize)]
struct Visible {
    visible: BTreeMap<String, Vec<String>>,
}

/// What Windows shows, by its sections.
#[derive(Deserialize)]
struct Windows {
    sections: Vec<WindowsSection>,
}

#[derive(Deserialize)]
struct WindowsSection {
    name: String,
    clixml: Option<String>,
    error: Option<super::answer::Facts>,
}

impl WindowsSection {
    /// The name of the computer, of what its operating system says.
    fn computer(&self) -> Option<String> {
        let bytes = BASE64_STANDARD.decode(self.clixml.as_ref()?).ok()?;
        let document = clixml::read(&bytes).ok()?;
        let objects = document.roots().iter().flat_map(|root| document.items(root).unwrap_or(from_ref(root)));
        let mut names = objects.filter_map(|system| document.text(document.get(system, "CSName")?));
        names.next().map(|name| one_line(name, LONGEST_WORD))
    }
}

impl PowerShell {
    /// Examines every server, some side by side.
    pub(super) fn diagnoses(&self, now: &(dyn Fn() -> Timestamp + Sync)) -> Vec<ServerDiagnosis> {
        let sessions: Vec<&Session> = self.sessions.values().collect();
        let each = |session: &&Session| {
            let said = self.version(&session.endpoint.name);
            examine(session, said, now)
        };
        let (mut diagnoses, controllers): (Vec<_>, Vec<_>) =
            side_by_side(&sessions, each).into_iter().unzip();
        compare_controllers(&mut diagnoses, &controllers);
        diagnoses
    }
}

/// Examines one server. Beside what was found comes the domain controller that it asks.
fn examine(
    session: &Session,
    said: Option<ServerVersion>,
    now: &(dyn Fn() -> Timestamp + Sync),
) -> (ServerDiagnosis, Option<String>) {
    let endpoint = &session.endpoint;
    let mut examined = Vec::new();
    let before = now();
    let opened = session.opened(Side::Exchange);
    let mut about = None;
    let way = match &opened {
        Ok(opened) => {
            of_session(opened, before, now(), &mut examined);
            about = of_exchange(session, said, &mut examined);
            // What it is decides, and what the manifest says only where it does not say so itself.
            let version = about.as_ref().and_then(About::version).or(said);
            roles(session, version, &mut examined);
            opened.host.clone()
        }
        Err(error) => {
            examined.extend(unopened(error));
            endpoint.fqdn.to_string()
        }
    };
    windows(session, opened.is_ok(), now, &mut examined);
    if opened.is_ok() && !examined.iter().any(|one| one.examination == Examination::Clock) {
        let why = "no script runs there, and a session that certwright opens itself tells no time";
        examined.push(Examined::not_examined(Examination::Clock, why));
    }
    examined.sort_by_key(|examined| examined.examination);
    let diagnosis =
        ServerDiagnosis { server: endpoint.name.clone(), fqdn: endpoint.fqdn.clone(), way, examined };
    (diagnosis, about.and_then(|about| about.domain_controller))
}

/// What a session that was not opened tells: how far it came, and what to do.
fn unopened(error: &PowerShellError) -> Vec<Examined> {
    let found = with_causes(error);
    match error {
        PowerShellError::Unsuitable { .. } => vec![
            Examined::good(Examination::Reachability, "it answers"),
            Examined::bad(Examination::PowerShell, found).advised(advice(error)),
        ],
        PowerShellError::Answered(_) => vec![
            Examined::good(Examination::Reachability, "its PowerShell answers"),
            Examined::bad(Examination::ExchangeSession, found).advised(advice(error)),
        ],
        _ => vec![Examined::bad(Examination::Reachability, found).advised(advice(error))],
    }
}

/// What a session that was opened tells.
fn of_session(opened: &Opened, before: Timestamp, after: Timestamp, examined: &mut Vec<Examined>) {
    examined.push(Examined::good(Examination::Reachability, format!("{} answers", opened.host)));
    if let Some(hello) = &opened.hello {
        let found = format!(
            "PowerShell {}, {} bits, {}, on {}",
            hello.ps_version,
            hello.bits,
            hello.language_mode,
            hello.computer.as_deref().unwrap_or("a computer without a name")
        );
        examined.push(Examined::good(Examination::PowerShell, found));
        examined.push(clock(hello.utc, before, after));
    } else {
        let why = "none is needed: certwright calls the cmdlets itself";
        examined.push(Examined::good(Examination::PowerShell, why));
    }
    examined.push(Examined::good(Examination::ExchangeSession, "it was opened"));
    examined.push(if opened.answers_prompts {
        Examined::good(Examination::Prompts, "No can be answered when Exchange asks to replace the default SMTP certificate")
    } else {
        let found = "nobody can answer Exchange's questions: the default SMTP certificate is replaced, and put back after";
        Examined::warning(Examination::Prompts, found).advised(&opened.warnings)
    });
}

/// How far a clock is off. It was read between these two moments.
fn clock(theirs: Option<Timestamp>, before: Timestamp, after: Timestamp) -> Examined {
    let Some(theirs) = theirs else {
        return Examined::not_examined(Examination::Clock, "it does not say its time");
    };
    let off = if theirs < before {
        before.since(theirs)
    } else if theirs > after {
        theirs.since(after)
    } else {
        Span::seconds(0)
    };
    let found = format!("{} off from this computer's", off.rounded());
    if off > MOST_SKEW {
        Examined::bad(Examination::Clock, found)
            .advised(["set the clocks right: Kerberos refuses more than five minutes, and certificates are judged by them"])
    } else if off > LITTLE_SKEW {
        Examined::warning(Examination::Clock, found)
    } else {
        Examined::good(Examination::Clock, "it agrees with this computer's")
    }
}

/// What Exchange itself says.
fn of_exchange(
    session: &Session,
    said: Option<ServerVersion>,
    examined: &mut Vec<Examined>,
) -> Option<About> {
    let endpoint = &session.endpoint;
    let arguments = json!({
        "server": { "name": endpoint.name.as_str(), "fqdn": endpoint.fqdn.as_str() },
        "local_only": endpoint.edge,
    });
    let about = match session.call::<About>(&Request::look("session.about", arguments)) {
        Ok(good) => good.result,
        Err(error) => {
            let bad = Examined::bad(Examination::ExchangeVersion, with_causes(&error));
            examined.push(bad.advised(advice(&error)));
            return None;
        }
    };
    let version = about.version();
    if let Some(other) = about
        .fqdn
        .as_ref()
        .filter(|fqdn| !fqdn.is_empty() && !fqdn.eq_ignore_ascii_case(endpoint.fqdn.as_str()))
    {
        let found = format!("{} is {other}, and the manifest says {}", endpoint.name, endpoint.fqdn);
        examined.push(Examined::bad(Examination::Identity, found).advised([
            "correct `fqdn` of this server in the manifest: what was examined here may be another server's",
        ]));
    }
    examined.push(match version {
        None => Examined::warning(Examination::ExchangeVersion, "it does not say what it runs"),
        Some(version) if said.is_some_and(|said| said.release() != version.release()) => {
            let found = format!("{} ({version}), and the manifest says otherwise", version.release());
            Examined::bad(Examination::ExchangeVersion, found)
                .advised(["correct `version` of this server in the manifest"])
        }
        Some(version) if version.release() <= Release::Exchange2010 => {
            let found = format!(
                "{} ({version}): its own PowerShell is older than what this driver was written for",
                version.release()
            );
            Examined::warning(Examination::ExchangeVersion, found)
        }
        Some(version) => {
            Examined::good(Examination::ExchangeVersion, format!("{} ({version})", version.release()))
        }
    });
    examined.push(certificates(&about));
    examined.push(open_questions(&about, version));
    Some(about)
}

/// In which form certificates come (facts 2.5, question 6 of section 16).
fn certificates(about: &About) -> Examined {
    let About { certificates, serialized, with_services, .. } = about;
    if *certificates == 0 {
        return Examined::bad(Examination::Certificates, "it shows no certificate, and no server is without one").advised([
            "see that the account may read them, and that the Auth certificate has not expired: it signs what is sent",
        ]);
    }
    let count = format!("{certificates} certificates");
    if *serialized == *certificates {
        Examined::good(Examination::Certificates, format!("{count}, with their serialized form"))
    } else if *with_services == *certificates {
        Examined::good(
            Examination::Certificates,
            format!("{count}, with the properties that the server selects"),
        )
    } else {
        Examined::bad(
            Examination::Certificates,
            format!("{count}, as their bytes alone: their services are unknown"),
        )
        .advised(["please send us this report: what depends on services cannot be planned on such a server"])
    }
}

/// What nobody knows yet and this server can tell.
fn open_questions(about: &About, version: Option<ServerVersion>) -> Examined {
    if about.certificates == 0 {
        let why = "question 6 of docs/exchange-facts.md, section 16, is open: no certificate was shown";
        return Examined::not_examined(Examination::OpenQuestions, why);
    }
    let form = if about.serialized > 0 { "come" } else { "do not come" };
    let found = format!(
        "question 6 of docs/exchange-facts.md, section 16: serialized certificates {form} to a plain client"
    );
    let mut left: Vec<&str> = vec!["1", "2", "3", "7", "8", "10", "11"];
    if version.is_some_and(|version| version.release() >= Release::Exchange2019) {
        left.extend(["16", "17"]);
    }
    Examined::good(Examination::OpenQuestions, found).advised([format!(
        "outside production, questions {} can be settled on such a server",
        left.join(", ")
    )])
}

/// Whether the account has what is called.
fn roles(session: &Session, said: Option<ServerVersion>, examined: &mut Vec<Examined>) {
    match session.call::<Visible>(&Request::look("session.visible", json!({}))) {
        Ok(good) => examined.push(roles::compare(&good.result.visible, said, session.endpoint.edge)),
        Err(error) => {
            let found = format!("what the account may cannot be told: {}", with_causes(&error));
            examined.push(Examined::warning(Examination::Roles, found));
        }
    }
}

/// What Windows shows, by whatever way it is reached.
fn windows(
    session: &Session,
    exchange_is_open: bool,
    now: &(dyn Fn() -> Timestamp + Sync),
    examined: &mut Vec<Examined>,
) {
    let all = [Examination::Iis, Examination::CertificateStore, Examination::Services];
    let all_of =
        |make: &dyn Fn(Examination) -> Examined| all.iter().map(|each| make(*each)).collect::<Vec<_>>();
    let endpoint = &session.endpoint;
    match endpoint.windows {
        WindowsAccess::Same if !exchange_is_open => {
            examined.extend(all_of(&|each| Examined::not_examined(each, "there is no session")));
            return;
        }
        WindowsAccess::None => {
            let error = PowerShellError::NoWindows { server: endpoint.name.to_string() };
            examined.extend(all_of(&|each| {
                Examined::warning(each, "it is not reached: plans that need it are refused")
                    .advised(advice(&error))
            }));
            return;
        }
        WindowsAccess::Same | WindowsAccess::Other(_) | WindowsAccess::Through(_) => {}
    }
    let before = now();
    if let (WindowsAccess::Other(_) | WindowsAccess::Through(_), Ok(opened)) =
        (&endpoint.windows, session.opened(Side::Windows))
        && let Some(hello) = opened.hello
    {
        examined.push(clock(hello.utc, before, now()));
    }
    let arguments = json!({
        "server": { "name": endpoint.name.as_str(), "fqdn": endpoint.fqdn.as_str() },
        "edge": endpoint.edge,
    });
    let shown = match session.call::<Windows>(&Request::look("observe.windows", arguments)) {
        Ok(good) => good.result,
        Err(error) => {
            examined.extend(all_of(&|each| Examined::bad(each, with_causes(&error)).advised(advice(&error))));
            return;
        }
    };
    let of = |section: &str| {
        let name = format!("{}.{section}", endpoint.name);
        shown.sections.iter().find(|shown| shown.name == name)
    };
    // Windows cuts names of computers off after 15 characters.
    let own: String = endpoint.name.as_str().chars().take(15).collect();
    let computer = of("Win32_OperatingSystem").and_then(WindowsSection::computer);
    if let Some(other) = computer
        .filter(|name| !name.eq_ignore_ascii_case(&own) && !name.eq_ignore_ascii_case(endpoint.name.as_str()))
    {
        let found = format!("the computer that answers is {other}");
        examined.extend(all_of(&|each| {
            Examined::bad(each, found.clone())
                .advised(["see that `fqdn` of the manifest, and `windows`, lead to this server itself"])
        }));
        return;
    }
    for (examination, section) in [
        (Examination::Iis, "Get-WebBinding"),
        (Examination::CertificateStore, "certwright-roots"),
        (Examination::Services, "Win32_Service"),
    ] {
        let found = of(section);
        examined.push(match found.map(|shown| &shown.error) {
            Some(None) => Examined::good(examination, "it can be read"),
            Some(Some(facts)) => {
                let error = PowerShellError::Answered(Box::new(facts.clone().into()));
                Examined::bad(examination, error.to_string()).advised([
                    "the account has to be a local administrator of the server, and Windows remote management has to answer there",
                ])
            }
            None if examination == Examination::Iis && endpoint.edge => {
                Examined::not_examined(examination, "an Edge Transport server has no IIS")
            }
            None => Examined::bad(examination, "nothing was said about it").advised([
                "see that the name leads to this server itself: it answers, and says nothing of what was asked",
            ]),
        });
    }
}

/// Servers that ask several domain controllers may see what another has changed a little later (facts 12.7).
fn compare_controllers(diagnoses: &mut [ServerDiagnosis], controllers: &[Option<String>]) {
    let distinct: BTreeSet<String> = controllers.iter().flatten().map(|name| name.to_lowercase()).collect();
    for (diagnosis, controller) in diagnoses.iter_mut().zip(controllers) {
        let Some(controller) = controller else { continue };
        let examination = Examination::DomainController;
        diagnosis.examined.push(if distinct.len() > 1 {
            Examined::warning(examination, format!("it asks {controller}; others ask another one")).advised([
                "what is changed on one server is seen on the other when the directory has replicated; certwright looks again until it is there",
            ])
        } else {
            Examined::good(examination, format!("it asks {controller}"))
        });
        diagnosis.examined.sort_by_key(|examined| examined.examination);
    }
}

/// What Kerberos allows.
const MOST_SKEW: Span = Span::seconds(300);
const LITTLE_SKEW: Span = Span::seconds(30);
