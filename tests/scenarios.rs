//! Each folder of `tests/scenarios` is a story: a manifest and the organization it meets. The plan is compared with the
//! folder's snapshots, proved on paper, carried out on the lab, verified by handshakes, and then nothing may be left
//! to do. `acts.yaml` says what happens between a first plan and the next ones, `narrow.yaml` what the first ones are
//! narrowed to; where there is a file `handshakes`, services are met before a plan is made. A new case is a new folder; `cargo insta review` accepts its snapshots.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{collections::BTreeSet, path::Path};

use certwright::{
    model::{
        action::Action,
        entry::Outcome,
        names::{CertificateName, DnsName, IssuerName, ServerName},
        organization::Observed,
        plan::{LeftBecause, Plan, Step},
        thumbprint::Thumbprint,
        time::Span,
    },
    pki::pem,
    plan::Narrowing,
    ports::driver::Observer,
    views::{Layout, View, human::Human, json::Json},
};
use serde::Deserialize;
use support::Rig;

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
    insta::glob!("scenarios/*/manifest.yaml", |path| {
        let folder = path.parent().unwrap();
        let mut rig = Rig::of_folder(folder);
        rig.narrowing = narrowing(folder);
        rig.handshakes = folder.join("handshakes").exists();
        let mut plan = rig.plan();
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
            insta::assert_snapshot!("plan.json", json(&plan));
        });
        for (index, act) in acts(folder).iter().enumerate() {
            carry_out(folder, &mut rig, &plan);
            happen(act, &mut rig);
            plan = rig.plan();
            let seen = if matches!(act, Act::Widen) { outline(&plan) } else { human(&plan) };
            settings.bind(|| insta::assert_snapshot!(format!("plan-{}", index + 2), seen));
        }
        carry_out(folder, &mut rig, &plan);
        settled(folder, &mut rig, &plan);
    });
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
        Act::Answer { authority, lifetime, without } => {
            let requests = rig.session.requests();
            let open = requests.open(rig.session.desired.request_files()).unwrap();
            assert!(!open.is_empty(), "there is nothing to answer");
            for (file, request) in open {
                let request = pem::request(&request).unwrap();
                let mut answer = rig.lab.answer(&request, authority.as_ref(), *lifetime).unwrap();
                if !without.is_empty() {
                    answer = support::without_names(&answer, &request, without);
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
    let removed: BTreeSet<_> = plan.steps.iter().filter_map(|step| removed(&step.action)).collect();
    assert!(gone.is_subset(&removed), "{}: {gone:?}", folder.display());
    for left in plan.left_alone.iter().filter(|left| left.why == LeftBecause::Unmanaged) {
        assert!(!gone.contains(&(left.server.clone(), left.certificate)), "an unmanaged certificate is gone");
    }
}

/// When the last plan was carried out nothing is left to do, and clients get what the manifest says.
fn settled(folder: &Path, rig: &mut Rig, plan: &Plan) {
    if cannot(plan) || waits(plan) {
        return;
    }
    let again = rig.plan();
    assert!(again.is_empty(), "{}: {}", folder.display(), human(&again));
    let rows = rig.verify();
    let bad: Vec<_> = rows.iter().filter(|row| !row.is_good()).collect();
    assert!(bad.is_empty(), "{}: {bad:#?}", folder.display());
}

fn cannot(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step.action, Action::CannotApply { .. }))
}

fn waits(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step.action, Action::Await { .. } | Action::Manual { .. }))
}

fn removed(action: &Action) -> Option<(ServerName, Thumbprint)> {
    match action {
        Action::Remove {
            server, certificate: certwright::model::action::CertRef::Known(thumbprint), ..
        } => Some((server.clone(), *thumbprint)),
        _ => None,
    }
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

/// The steps without thumbprints: what an earlier part has issued is another certificate each time.
fn outline(plan: &Plan) -> String {
    let line = |step: &Step| {
        let place = step.action.server().map_or("contoso".to_owned(), ToString::to_string);
        let id = step.certificate.as_ref().map_or(String::new(), |id| format!(" {}", id.name));
        format!("{:>3} {place}: {}{id}\n", step.id, step.action.verb())
    };
    plan.steps.iter().map(line).collect()
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
        for file in ["manifest.yaml", "lab.yaml", "plan.snap", "plan.json.snap"] {
            assert!(path.join(file).exists(), "{} lacks {file}", path.display());
        }
    }
}
