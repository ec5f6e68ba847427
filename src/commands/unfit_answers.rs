//! Files that lie where a CA's answer is looked for and do not count, and answers that lie elsewhere: each as a sentence.

use crate::{
    issuers::csr::{Lying, RequestFiles},
    model::{
        action::{Action, CertRef, Condition, StepId},
        entry::StepOutput,
        plan::Step,
    },
};

/// What there is to say about the answers that these steps wait for. `made` has what the steps before have left.
pub(super) fn told<'a>(
    requests: &RequestFiles,
    waiting: impl Iterator<Item = &'a Step>,
    made: &dyn Fn(StepId) -> Option<StepOutput>,
) -> Vec<String> {
    let mut told = Vec::new();
    for step in waiting {
        let Action::Await { until: Condition::Answer { file, request, public_key, .. } } = &step.action
        else {
            continue;
        };
        let of_step = || match request {
            CertRef::FromStep(step) => match made(*step) {
                Some(StepOutput::Request { public_key, .. }) => Some(public_key),
                _ => None,
            },
            CertRef::Known(_) => None,
        };
        let Some(wanted) = public_key.clone().or_else(of_step) else { continue };
        for Lying { file: lying, holds } in requests.in_place(file) {
            match holds {
                Ok(own) if own.public_key == wanted => {}
                Ok(own) => told.push(format!(
                    "{lying} is there, but has another key ({}, until {}): put the answer to {file}.csr in its place",
                    own.subject,
                    own.not_after.date()
                )),
                Err(why) => told.push(format!("{lying} is there, but cannot be read: {why}")),
            }
        }
        let answers = requests.beside(file).into_iter();
        let answers = answers.filter(|own| own.holds.as_ref().is_ok_and(|own| own.public_key == wanted));
        told.extend(answers.map(|own| {
            format!("{} is the answer to {file}.csr: save it as {file}.cer, where it is looked for", own.file)
        }));
    }
    told
}
