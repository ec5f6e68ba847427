//! The formats of commands that have no result.

use std::io;

use maud::html;

use super::{
    diagnostics::Reported, html as pages, human, json_error, markdown, no_result::NoResult, powershell,
    prometheus, results::ResultFormat,
};

/// The formats of commands that have no result. There is one of each name that any result has.
pub static FAILURE_FORMATS: &[ResultFormat<Reported<NoResult>>] = &[
    ResultFormat {
        name: "human",
        write: |layout, Reported { result, .. }, out| {
            let NoResult { summary, details, causes, hints, findings, .. } = result;
            let mistake = human::Mistake { summary, details, causes, hints, findings };
            out.write_all(human::mistake(layout, &mistake).as_bytes())
        },
    },
    ResultFormat {
        name: "json",
        write: |_, Reported { result, .. }, out| json_error::no_result(result, out),
    },
    ResultFormat {
        name: "markdown",
        write: |_, Reported { result, .. }, out| markdown::failure(result, out),
    },
    ResultFormat { name: "html", write: |_, Reported { result, .. }, out| page(result, out) },
    ResultFormat {
        name: "powershell",
        write: |_, Reported { result, .. }, out| powershell::no_plan(&result.in_one_line(), out),
    },
    ResultFormat { name: "prometheus", write: |_, _, out| out.write_all(prometheus::down().as_bytes()) },
    ResultFormat::SARIF,
    ResultFormat::JUNIT,
    ResultFormat::GITHUB,
    ResultFormat::GITLAB,
    ResultFormat::AZURE,
];

fn page(failure: &NoResult, out: &mut dyn io::Write) -> io::Result<()> {
    let body = html! {
        header {
            h1 { (failure.name()) small { "certwright " (failure.command) } }
            span.pill.wrong { "✗ no result" }
        }
        section {
            p { (pages::sentence(&failure.summary)) }
            @for finding in failure.told() {
                div.case.wrong {
                    h3 { b { (pages::sentence(&finding.message)) } " " span { (finding.id) } }
                    ul {
                        @if let Some(place) = &finding.place { li { (place.to_string()) } }
                        @if !finding.why.is_empty() { li { (finding.why) } }
                        @if let Some(hint) = &finding.hint { li { (pages::sentence(hint)) } }
                    }
                }
            }
        }
    };
    out.write_all(pages::whole(&failure.title(), &body).into_string().as_bytes())
}
