//! The command line: words in, a command and its exit code out. The doc comments here are the help text.

mod check;
mod common;
mod completions;
mod examples;
mod init;
mod lab;
mod plan;
mod probe_args;
mod run;
mod shell;
mod status;
mod usage;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand, builder::PossibleValuesParser};

use self::{
    common::{DisplayArgs, ManifestPath, Output},
    lab::Lab,
    run::{HandshakeArgs, Part, Run, State},
};
use crate::{
    commands::{self, CommandError, Display, Exit, Terminal, apply::RunOptions},
    model::{
        names::{DnsName, ServerName},
        time::Timestamp,
    },
    schemas,
};

/// Keeps the TLS certificates of a Microsoft Exchange organization in the state that is declared in Git.
#[derive(Debug, Parser)]
#[command(bin_name = "certwright", version, long_version = LONG_VERSION, after_help = examples::EXIT_CODES, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    display: DisplayArgs,
    #[command(subcommand)]
    command: Command,
}

// Of the arguments only those are made that the words ask for. A doc comment on a struct of arguments would then take the place
// of the command's own.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Checks manifests offline
    #[command(after_help = examples::CHECK)]
    Check(Box<check::Check>),
    /// Shows what the servers have, or saves it as an observation
    #[command(after_help = examples::OBSERVE)]
    Observe {
        /// The manifest: a file, or a directory whose .yaml files are merged [default: .; with --capture: none]
        path: Option<PathBuf>,
        /// Read this capture instead of the servers: a folder, a zip file, or one file
        #[arg(long, value_name = "DIR")]
        capture: Option<PathBuf>,
        /// The organization, by the name of its forest, where the capture holds several
        #[arg(long, value_name = "FOREST", requires = "capture")]
        organization: Option<String>,
        /// Count days from this moment instead of now
        #[arg(long, value_name = "MOMENT")]
        at: Option<Timestamp>,
        /// Print the read-only PowerShell script that captures an organization
        #[arg(long, conflicts_with_all = ["capture", "out"])]
        print_script: bool,
        /// With --print-script: the script for an Edge Transport server
        #[arg(long, requires = "print_script")]
        edge: bool,
        /// Save the observation in this file
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
    /// Shows the steps that bring the servers to what the manifest declares
    #[command(after_help = examples::PLAN)]
    Plan(Box<plan::Plan>),
    /// Shows a saved plan, even if it is stale, edited, or made by a newer certwright
    #[command(after_help = examples::SHOW)]
    Show(plan::Show),
    /// Carries out a plan: made from a manifest, or saved before
    #[command(after_help = examples::APPLY)]
    Apply {
        /// A manifest, a directory of manifests, or a saved plan
        #[arg(default_value = ".", value_name = "PATH|PLAN")]
        path: PathBuf,
        /// With a saved plan: where its manifest is now
        #[arg(long, value_name = "PATH")]
        manifest: Option<PathBuf>,
        /// Change up to COUNT servers in parallel, instead of the manifest's `limits.serversAtOnce`
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=MOST_AT_ONCE))]
        parallelism: Option<u32>,
        /// Give up an unfinished run, and plan again from what the servers have now
        #[arg(long)]
        abandon: bool,
        #[command(flatten)]
        part: Part,
        #[command(flatten)]
        met: HandshakeArgs,
        #[command(flatten)]
        run: Run,
    },
    /// Rolls back a run, newest step first
    #[command(after_help = examples::ROLLBACK)]
    Rollback {
        /// The run, as `certwright history` names it [default: the newest]
        #[arg(value_name = "RUN")]
        run_name: Option<String>,
        /// The manifest: a file, or a directory whose .yaml files are merged
        #[arg(long, value_name = "PATH", default_value = ".")]
        manifest: PathBuf,
        /// Also restore certificates with compromised keys
        #[arg(long)]
        give_back_compromised: bool,
        #[command(flatten)]
        run: Run,
    },
    /// Lists runs, or shows one: every step with times, reasons and evidence
    #[command(after_help = examples::HISTORY)]
    History {
        /// The run, as the list names it [default: list all runs]
        #[arg(value_name = "RUN")]
        run_name: Option<String>,
        /// The manifest whose runs to list
        #[arg(long, value_name = "PATH", default_value = ".")]
        manifest: PathBuf,
        #[command(flatten)]
        state: State,
        #[command(flatten)]
        output: Output,
    },
    /// Checks with TLS handshakes what every endpoint serves
    #[command(after_help = examples::VERIFY)]
    Verify(Box<probe_args::Verify>),
    /// Reports differences from the manifest, once or repeatedly; changes nothing
    #[command(after_help = examples::DRIFT)]
    Drift(Box<probe_args::Drift>),
    /// Checks the connection to every server: what works, what does not, and what to do; changes nothing
    #[command(after_help = examples::DOCTOR)]
    Doctor {
        #[command(flatten)]
        manifest: ManifestPath,
        #[command(flatten)]
        output: Output,
    },
    /// Shows how long each certificate lasts, where it is used, and what comes next
    #[command(after_help = examples::STATUS)]
    Status(status::Status),
    /// Shows what is due on which day: by `apply`, and by people
    #[command(after_help = examples::CALENDAR)]
    Calendar(status::Calendar),
    /// Rehearses a manifest until a day: what it costs in renewals, restarts and work by hand
    #[command(after_help = examples::REHEARSE)]
    Rehearse(status::Rehearse),
    /// Explains a finding, a reason or a term of a plan, or which certificate SMTP selects
    #[command(args_conflicts_with_subcommands = true, after_help = examples::EXPLAIN)]
    Explain {
        #[command(subcommand)]
        question: Option<Explain>,
        /// An id of `check` and `plan`: `wildcard-on-pop-or-imap`, `namesNotCovered`; or a message, an event or an error number:
        /// 12014, "takes precedence", -2146893016. Without it everything is listed
        #[arg(value_name = "ID|TEXT", allow_negative_numbers = true)]
        words: Vec<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Formats manifests: fields in order, two spaces for each level; comments and anchors stay
    #[command(after_help = examples::FMT)]
    Fmt {
        /// Manifests: files, or directories [default: .]
        paths: Vec<PathBuf>,
        /// Write nothing; exit with 3 if a file is not formatted
        #[arg(long)]
        check: bool,
        /// Show what changes
        #[arg(long)]
        diff: bool,
        /// Read standard input and write standard output, for editors
        #[arg(long, conflicts_with_all = ["paths", "check", "diff"])]
        stdin: bool,
    },
    /// Writes a first manifest, with what belongs beside it; overwrites nothing
    #[command(after_help = examples::INIT)]
    Init(init::Init),
    /// Writes a manifest for the organization in a capture
    #[command(after_help = examples::IMPORT)]
    Import {
        /// The capture: a folder, or one file
        capture: PathBuf,
        /// Save the manifest in this file instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The organization, by the name of its forest, where the capture holds several
        #[arg(long, value_name = "FOREST")]
        organization: Option<String>,
        /// Judge dates as of this time instead of now
        #[arg(long, value_name = "MOMENT")]
        at: Option<Timestamp>,
    },
    /// The simulated organization of a manifest
    #[command(subcommand, after_help = examples::LAB)]
    Lab(Lab),
    /// Prints completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(shell::Completions),
    /// Prints the manual page, or writes those of all commands
    #[command(after_help = examples::MAN)]
    Man(shell::Man),
    /// Prints the JSON schema of a file format
    #[command(after_help = examples::SCHEMA)]
    Schema {
        /// Which format
        #[arg(default_value = "manifest", value_parser = PossibleValuesParser::new(schemas::ALL.iter().map(|schema| schema.name)))]
        kind: String,
    },
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Explain {
    /// Shows which certificate a server's SMTP presents, with each step of the selection
    #[command(after_help = examples::EXPLAIN_SMTP)]
    Smtp {
        /// The manifest: a file, or a directory whose .yaml files are merged [default: .; with --capture: none]
        path: Option<PathBuf>,
        /// The server
        #[arg(long, value_name = "NAME")]
        server: ServerName,
        /// The receive connector, by its name or as `FrontendTransport:25`, or the send connector; without it all receive
        /// connectors of the server
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
        /// The name to select a certificate for
        #[arg(long, value_name = "NAME", conflicts_with = "connector")]
        fqdn: Option<DnsName>,
        /// Read this capture instead of the servers: a folder, a zip file, or one file, as `observe --out` saves it
        #[arg(long, value_name = "DIR", visible_alias = "observed")]
        capture: Option<PathBuf>,
        /// Judge certificates by this moment instead of now
        #[arg(long, value_name = "MOMENT")]
        at: Option<Timestamp>,
        #[command(flatten)]
        output: Output,
    },
}

/// Runs the program with these arguments.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if completions::answer(&arguments) {
        return ExitCode::SUCCESS;
    }
    let for_programs = asks_for_json(&arguments);
    let colours = common::colours(&arguments);
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let error = usage::advised(error);
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let terminal = Terminal::showing(&Display { colours, ..Display::default() });
            if error.use_stderr() {
                let terminal = terminal.for_programs(for_programs);
                if for_programs {
                    terminal.complain(&usage::told(&error));
                    return ExitCode::from(exit as u8);
                }
                if terminal.say_in_lines(&usage::plain(&error.render().to_string())) {
                    return ExitCode::from(exit as u8);
                }
            }
            let text = error.render();
            let (painted, plain) = (usage::plain(&text.ansi().to_string()), usage::plain(&text.to_string()));
            terminal.show_painted(&painted, &plain, error.use_stderr());
            return ExitCode::from(exit as u8);
        }
    };
    let terminal = Terminal::showing(&cli.display.into()).for_programs(for_programs);
    let ended = dispatch(cli.command, terminal);
    commands::rest_if_ending();
    let exit = ended.unwrap_or_else(|error| {
        terminal.complain(&error);
        error.exit
    });
    ExitCode::from(exit as u8)
}

/// Whether the output is asked for in JSON; errors are written so too then.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let is_json = |format: &str| format == "json" || format == "jsonl";
    let words = || arguments.iter().filter_map(|argument| argument.to_str());
    words().any(|word| word.strip_prefix("--format=").is_some_and(is_json))
        || words().zip(words().skip(1)).any(|(option, value)| option == "--format" && is_json(value))
}

/// More servers no organization has.
const MOST_AT_ONCE: i64 = 10_000;

/// The version, and what was built: the commit is known to whoever builds a release and says it.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("CERTWRIGHT_COMMIT"),
    "\ntarget: ",
    env!("CERTWRIGHT_TARGET"),
    "\nbuilt with: ",
    env!("CERTWRIGHT_RUSTC"),
    "\nPowerShell driver: SHA-256 ",
    env!("CERTWRIGHT_DRIVER_SHA256"),
);

/// The whole command line. Parsing builds of it only what the words mean.
fn all_of_it() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

fn dispatch(command: Command, terminal: Terminal) -> Result<Exit, CommandError> {
    match command {
        Command::Check(check) => commands::check::run(&check.options(), terminal),
        Command::Observe { print_script: true, edge, .. } => commands::observe::print_script(edge, terminal),
        Command::Observe { path, capture, organization, at, out, output, print_script: _, edge: _ } => {
            let look = commands::observe::ObserveOptions {
                manifest: path.as_deref(),
                capture: capture.as_deref(),
                organization: organization.as_deref(),
                at,
                save: out.as_deref(),
            };
            commands::observe::run(&look, output.name(), terminal)
        }
        Command::Plan(plan) => plan.run(terminal),
        Command::Show(show) => show.run(terminal),
        Command::Apply { path, manifest, parallelism, abandon, part, met, run } => {
            let only = part.named();
            let options =
                RunOptions { parallelism, abandon, only, handshakes: met.handshakes, ..run.options() };
            commands::apply::run(&path, manifest.as_deref(), options, terminal)
        }
        Command::Rollback { run_name, manifest, give_back_compromised, run } => {
            let options = RunOptions { give_back_compromised, ..run.options() };
            commands::rollback::run(&manifest, run_name.as_deref(), options, terminal)
        }
        Command::History { run_name, manifest, state, output } => {
            let (run, place) = (run_name.as_deref(), state.place.as_deref());
            commands::history::run(&manifest, run, place, output.name(), terminal)
        }
        Command::Rehearse(rehearse) => rehearse.run(terminal),
        Command::Status(status) => status.run(terminal),
        Command::Calendar(calendar) => calendar.run(terminal),
        Command::Verify(verify) => {
            let (path, options) = verify.options();
            commands::verify::run(&path, &options, terminal)
        }
        Command::Drift(drift) => {
            let (path, options) = drift.options();
            commands::drift::run(&path, &options, terminal)
        }
        Command::Doctor { manifest, output } => {
            commands::doctor::run(&manifest.path, output.name(), terminal)
        }
        Command::Explain { question: None, words, output } => {
            commands::explain::run(&words, output.name(), terminal)
        }
        Command::Explain {
            question: Some(Explain::Smtp { path, server, connector, fqdn, capture, at, output }),
            ..
        } => {
            let question = commands::explain::smtp::SmtpQuestion {
                manifest: path.as_deref(),
                capture: capture.as_deref(),
                at,
                server: &server,
                connector: connector.as_deref(),
                fqdn: fqdn.as_ref(),
            };
            commands::explain::smtp::run(&question, output.name(), terminal)
        }
        Command::Import { capture, out, organization, at } => {
            commands::import::run(&capture, organization.as_deref(), out.as_deref(), at, terminal)
        }
        Command::Fmt { paths, check, diff, stdin } => {
            let options = commands::fmt::FmtOptions { paths, check, diff, stdin };
            commands::fmt::run(&options, terminal)
        }
        Command::Init(init) => init.run(terminal),
        Command::Completions(completions) => completions.run(all_of_it(), terminal),
        Command::Man(man) => man.run(all_of_it(), terminal),
        Command::Lab(lab) => lab.run(terminal),
        Command::Schema { kind } => commands::schema::run(&kind, terminal),
    }
}
