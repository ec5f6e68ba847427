//! Each folder of `tests/scenarios` is a story: a manifest and the organization it meets. The plan is compared with the
//! folder's snapshots, proved on paper, carried out on the lab, verified by handshakes, and then nothing may be left
//! to do. `acts.yaml` says what happens between a first plan and the next ones, `narrow.yaml` what the first ones are
//! narrowed to; where there is a file `handshakes`, services are met before a plan is made. A new case is a new folder;
//! `cargo insta review` accepts its snapshots.
//!
//! `plan.snap` is what people read. `steps.snap` holds the steps of all plans as data, so that a change of words does not
//! hide a change of what is done. The whole JSON is kept for the few of `WHOLE`; what each part of it looks like is in
//! `snapshots/scenarios__shapes.snap`, gathered from all of them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

#[path = "support/shapes.rs"]
mod shapes;
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
};

use certwright::{
    model::{
        action::{Action, CertRef},
        entry::Outcome,
        names::{CertificateName, DnsName, IssuerName, ServerName},
        organization::Observed,
        plan::{Change, ChangeKind, LeftBecause, Plan, Step},
        thumbprint::Thumbprint,
        time::Span,
        warning::{SelectionWarning, Warning},
    },
    pki::pem,
    plan::{Narrowing, Pass, PassReport},
    ports::driver::Observer,
    verify::row::Row,
    views::{Layout, View, human::Human, json::Json},
};
use serde::Deserialize;
use shapes::{Shapes, Variant};
use support::{Rig, folders};

/// The scenarios whose JSON is kept whole. Together they show every action, way back, kind of change, side effect and
/// reason to leave something; `scenarios` sees to it.
const WHOLE: &[&str] = &[
    "auth-expired",
    "edge-default-certificate-lost",
    "edge-default-certificate-undeclared",
    "edge-name-too-long",
    "edge-with-certificates-of-its-own",
    "extra-services-held",
    "friendly-names-only-differ",
    "hybrid-through-edge",
    "im-override-forgotten",
    "keyless-copy-in-the-way",
    "load-balancer-key-cannot-leave",
    "load-balancer-left-behind",
    "load-balancer-with-extended-protection",
    "look-alike-of-another-product",
    "more-removals-than-the-limit",
    "narrowed-key-cannot-follow",
    "narrowed-to-one-certificate",
    "narrowed-to-one-server",
    "private-key-missing",
    "relay-for-certain-clients",
    "renewal-in-eac-took-iis",
    "request-answered-with-another-key",
    "require-ssl-stays-off",
    "restarts-as-the-manifest-says",
    "same-issuer-and-subject",
    "same-issuer-and-subject-transport-stopped",
    "server-cannot-be-read",
    "unified-messaging-in-plain-mode",
];

/// The enums of which `WHOLE` shows every variant that any scenario has.
const SHOWN_WHOLE: &[&str] = &["Action", "Undo", "ChangeKind", "SideEffect", "LeftBecause", "LeftOutBecause"];

/// What happens between two plans, besides what the plans do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Act {
    /// A CA of the lab answers every request that waits, and leaves out some of the names that were asked for.
    Answer {
        authority: Option<IssuerName>,
        lifetime: Span,
        #[serde(default)]
        without: Vec<DnsName>,
        /// Addresses that it adds.
        #[serde(default)]
        with: Vec<std::net::IpAddr>,
    },
    /// Somebody puts a file of the folder where the manifest finds it.
    Put { file: String, at: String },
    /// Somebody runs the Hybrid Configuration Wizard.
    HybridWizard,
    /// Somebody makes the subscription of an Edge server anew.
    SubscribeEdge(ServerName),
    /// Time passes.
    Advance(Span),
    /// The plans to come are for everything.
    Widen,
}

/// `--server` and `--certificate`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Narrow {
    #[serde(default)]
    servers: BTreeSet<ServerName>,
    #[serde(default)]
    certificates: BTreeSet<CertificateName>,
}

#[test]
fn scenarios() {
    let seen = folders::each("scenarios", "manifest.yaml", |folder| {
        let mut rig = Rig::of_folder(folder);
        rig.narrowing = narrowing(folder);
        rig.handshakes = folder.join("handshakes").exists();
        let mut plan = rig.plan();
        let (by_passes, passes) = rig.passes();
        let verbs = by_pass(&by_passes, &passes);
        assert_eq!(plan, rig.plan(), "planning twice gives the same plan");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_snapshot_suffix("");
        settings.set_omit_expression(true);
        settings.remove_input_file();
        settings.remove_description();
        settings.bind(|| {
            insta::assert_snapshot!("plan", human(&plan));
            if is_whole(folder) {
                insta::assert_snapshot!("plan.json", json(&plan));
            }
        });
        let first = serde_json::to_value(&plan).unwrap();
        let mut steps = outline(&plan);
        for (index, act) in acts(folder).iter().enumerate() {
            carry_out(folder, &mut rig, &plan);
            happen(act, &mut rig);
            plan = rig.plan();
            write!(steps, "\nplan {}\n{}", index + 2, outline(&plan)).unwrap();
            // What an earlier part has issued is another certificate each time, and words show thumbprints.
            if !matches!(act, Act::Widen) {
                settings.bind(|| insta::assert_snapshot!(format!("plan-{}", index + 2), retold(&plan)));
            }
        }
        settings.bind(|| insta::assert_snapshot!("steps", steps));
        carry_out(folder, &mut rig, &plan);
        settled(folder, &mut rig, &plan);
        (first, is_whole(folder), verbs)
    });
    // Some of the scenarios show only some of the shapes.
    if folders::is_narrowed() {
        return;
    }
    let mut shapes = Shapes::of::<Plan>();
    let (mut shown, mut all) = (BTreeSet::<Variant>::new(), BTreeSet::<Variant>::new());
    let mut verbs = BTreeMap::<Pass, BTreeSet<&str>>::new();
    for (plan, is_whole, of_passes) in seen {
        let variants = shapes.look_at(&plan);
        if is_whole {
            shown.extend(variants.iter().cloned());
        }
        all.extend(variants);
        for (pass, added) in of_passes {
            verbs.entry(pass).or_default().extend(added);
        }
    }
    insta::assert_snapshot!("shapes", shapes.table());
    insta::assert_snapshot!("passes", table(&verbs));
    all.retain(|(name, _)| SHOWN_WHOLE.contains(&name.as_str()));
    let missing: Vec<_> = all.difference(&shown).collect();
    assert!(missing.is_empty(), "add a scenario with these to WHOLE: {missing:?}");
}

/// Each step and each warning is of one pass, and passes come in their order. Tells which pass adds which actions.
fn by_pass(plan: &Plan, passes: &[PassReport]) -> BTreeMap<Pass, BTreeSet<&'static str>> {
    assert!(passes.is_sorted_by(|one, next| one.pass < next.pass), "{passes:?}");
    let (mut steps, mut warnings) = (0, 0);
    let mut verbs = BTreeMap::<Pass, BTreeSet<&str>>::new();
    for report in passes {
        assert_eq!((steps, warnings), (report.steps.start, report.warnings.start), "{report:?}");
        (steps, warnings) = (report.steps.end, report.warnings.end);
        let added = report.steps_of(&plan.steps).iter().map(|step| step.action.verb());
        verbs.entry(report.pass).or_default().extend(added);
    }
    assert_eq!(steps, plan.steps.len());
    assert_eq!(warnings, plan.warnings.len());
    verbs
}

/// A line for each pass, with the actions that it adds in any scenario.
fn table(verbs: &BTreeMap<Pass, BTreeSet<&str>>) -> String {
    let line = |(pass, verbs): (&Pass, &BTreeSet<&str>)| {
        let verbs: Vec<&str> = verbs.iter().copied().collect();
        format!("{}: {}\n", <&str>::from(*pass), verbs.join(", "))
    };
    verbs.iter().map(line).collect()
}

/// The text of a plan after others: the successor may have been issued by them, and has another thumbprint each time.
fn retold(plan: &Plan) -> String {
    let phrase = "predecessor of ";
    let line = |line: &str| match line.split_once(phrase).and_then(|(a, b)| Some((a, b.split_once(' ')?.1))) {
        Some((before, after)) => format!("{before}{phrase}<issued> {after}"),
        None => line.to_owned(),
    };
    human(plan).split_inclusive('\n').map(line).collect()
}

fn is_whole(folder: &Path) -> bool {
    WHOLE.iter().any(|name| folder.ends_with(name))
}

fn narrowing(folder: &Path) -> Narrowing {
    let file = folder.join("narrow.yaml");
    let text = file.exists().then(|| std::fs::read_to_string(&file).unwrap());
    text.map_or_else(Narrowing::default, |text| {
        let Narrow { servers, certificates } = serde_yaml::from_str(&text).unwrap();
        Narrowing { servers, certificates }
    })
}

fn acts(folder: &Path) -> Vec<Act> {
    let file = folder.join("acts.yaml");
    let text = file.exists().then(|| std::fs::read_to_string(&file).unwrap());
    text.map(|text| serde_yaml::from_str(&text).unwrap()).unwrap_or_default()
}

fn happen(act: &Act, rig: &mut Rig) {
    match act {
        Act::Answer { authority, lifetime, without, with } => {
            let requests = rig.session.requests();
            let open = requests.open(rig.session.desired.request_files()).unwrap();
            assert!(!open.is_empty(), "there is nothing to answer");
            for (file, request) in open {
                let request = pem::request(&request).unwrap();
                let issuer = rig.session.desired.issuer_of(file);
                let mut answer = rig.lab.answer(&request, issuer, authority.as_ref(), *lifetime).unwrap();
                if !without.is_empty() || !with.is_empty() {
                    answer = support::with_other_names(&answer, &request, without, with);
                }
                requests.put_answer(file, &answer).unwrap();
            }
        }
        Act::Put { file, at } => {
            std::fs::create_dir_all(rig.base.join(at).parent().unwrap()).unwrap();
            std::fs::copy(rig.base.join(file), rig.base.join(at)).map(drop).unwrap();
        }
        Act::Widen => {
            let again = rig.plan();
            assert!(again.is_empty(), "the part is done: {}", human(&again));
            rig.narrowing = Narrowing::default();
        }
        Act::SubscribeEdge(edge) => rig.lab.subscribe_edge(edge).unwrap(),
        Act::HybridWizard => rig.lab.run_hybrid_wizard().unwrap(),
        Act::Advance(span) => rig.lab.set_clock(rig.lab.now().plus(*span)).unwrap(),
    }
    rig.reopen();
}

/// Applies the plan and looks at what has become of the organization.
fn carry_out(folder: &Path, rig: &mut Rig, plan: &Plan) {
    told_why(plan);
    told_of_removals(plan);
    let before = rig.observe();
    let report = rig.apply(plan);
    let wanted = if cannot(plan) {
        Outcome::Stopped
    } else if waits(plan) {
        Outcome::Waiting
    } else {
        Outcome::Converged
    };
    assert_eq!(report.outcome, wanted, "{}: {:#?}", folder.display(), report.steps);
    let gone: BTreeSet<_> =
        certificates(&before).difference(&certificates(&rig.observe())).cloned().collect();
    let removed: BTreeSet<_> = plan.steps.iter().flat_map(|step| removed(&step.action)).collect();
    assert!(gone.is_subset(&removed), "{}: {gone:?}", folder.display());
    for left in plan.left_alone.iter().filter(|left| left.why == LeftBecause::Unmanaged) {
        assert!(!gone.contains(&(left.server.clone(), left.certificate)), "an unmanaged certificate is gone");
    }
}

/// Nothing happens to a certificate without a reason.
fn told_why(plan: &Plan) {
    // What is blocked is told by the steps that cannot be done.
    let told = |change: &&Change| matches!(change.kind, ChangeKind::NoOp | ChangeKind::Blocked);
    let silent = plan.changes.iter().filter(|change| !told(change)).find(|change| change.reasons.is_empty());
    assert!(silent.is_none(), "{silent:#?}");
}

/// What goes for good is named at the head of the plan; services come off a certificate by removing it for a moment.
fn told_of_removals(plan: &Plan) {
    let imported: BTreeSet<_> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Import { server, certificate: CertRef::Known(thumbprint), .. } => {
                Some((server.clone(), *thumbprint))
            }
            _ => None,
        })
        .collect();
    let told: BTreeSet<_> = plan
        .changes
        .iter()
        .flat_map(|change| &change.removes)
        .flat_map(|own| own.servers.iter().map(|server| (server.clone(), own.certificate)))
        .collect();
    let goes: BTreeSet<_> = plan.steps.iter().flat_map(|step| removed(&step.action)).collect();
    let goes: BTreeSet<_> = goes.difference(&imported).cloned().collect();
    assert_eq!(told, goes);
}

/// When the last plan was carried out nothing is left to do, and clients get what the manifest says.
fn settled(folder: &Path, rig: &mut Rig, plan: &Plan) {
    if cannot(plan) || waits(plan) {
        return;
    }
    let again = rig.plan();
    assert!(again.is_empty(), "{}: {}", folder.display(), human(&again));
    let rows = rig.verify();
    // Where Exchange prefers another certificate the plan says so, and clients get that one.
    let outranked: BTreeSet<String> = again
        .warnings
        .iter()
        .flat_map(|warning| match warning {
            Warning::Selection(SelectionWarning::Outranked { connectors, .. }) => connectors.clone(),
            _ => Vec::new(),
        })
        .map(|connector| connector.to_string())
        .collect();
    let warned = |row: &Row| row.service.as_ref().is_some_and(|service| outranked.contains(service));
    let bad: Vec<_> = rows.iter().filter(|row| !row.is_good() && !warned(row)).collect();
    assert!(bad.is_empty(), "{}: {bad:#?}", folder.display());
}

fn cannot(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step.action, Action::CannotApply { .. }))
}

fn waits(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step.action, Action::Await { .. } | Action::Manual { .. }))
}

fn removed(action: &Action) -> Vec<(ServerName, Thumbprint)> {
    let known = |(server, certificate): (&ServerName, CertRef)| match certificate {
        CertRef::Known(thumbprint) => Some((server.clone(), thumbprint)),
        CertRef::FromStep(_) => None,
    };
    action.removals().into_iter().filter_map(known).collect()
}

fn certificates(observed: &Observed) -> BTreeSet<(ServerName, Thumbprint)> {
    let servers = observed.organization.servers.iter();
    let stores = servers.filter_map(|(name, server)| Some((name, server.certificates.known()?)));
    stores.flat_map(|(name, store)| store.0.keys().map(|thumbprint| (name.clone(), *thumbprint))).collect()
}

fn human(plan: &Plan) -> String {
    let (view, mut text) = (Human { layout: Layout { width: 80, colours: false } }, Vec::new());
    view.plan(plan, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// The steps as data: what is done, for which certificate, where, and after which others.
fn outline(plan: &Plan) -> String {
    let line = |step: &Step| {
        let action = serde_json::to_value(&step.action).unwrap();
        let place = ["server", "balancer"].into_iter().find_map(|field| action[field].as_str());
        let place = place.or_else(|| action["connector"]["receive"]["server"].as_str()).unwrap_or("contoso");
        let certificate = step.certificate.as_ref().map_or_else(|| "-".to_owned(), |id| id.name.to_string());
        let after: Vec<_> = step.after.iter().map(ToString::to_string).collect();
        let verb = action["do"].as_str().unwrap();
        format!("{:>3} {verb:<23} {place:<8} {certificate:<10} after {}", step.id, after.join(" "))
    };
    plan.steps
        .iter()
        .map(line)
        .map(|line| line.trim_end_matches("after ").trim_end().to_owned() + "\n")
        .collect()
}

fn json(plan: &Plan) -> String {
    let mut text = Vec::new();
    Json.plan(plan, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn no_scenario_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        for file in ["manifest.yaml", "lab.yaml", "plan.snap", "steps.snap"] {
            assert!(path.join(file).exists(), "{} lacks {file}", path.display());
        }
        assert_eq!(path.join("plan.json.snap").exists(), is_whole(&path), "WHOLE and {}", path.display());
        for (index, act) in acts(&path).iter().enumerate() {
            let told = path.join(format!("plan-{}.snap", index + 2)).exists();
            assert_ne!(told, matches!(act, Act::Widen), "act {} of {}", index + 1, path.display());
        }
    }
}
