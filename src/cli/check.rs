//! The arguments of `check`.

use std::path::PathBuf;

use clap::{Args, builder::PossibleValuesParser};

use crate::commands::{
    Outputs, ReportFile,
    check::{CHECK_FORMATS, CheckOptions, Day, Levels},
};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Manifests: files, or directories whose .yaml files are merged [default: .]
    paths: Vec<PathBuf>,
    /// Treat warnings as errors
    #[arg(long, alias = "strict")]
    warnings_as_errors: bool,
    /// Treat findings with this id as errors; can be given several times
    #[arg(long, value_name = "ID")]
    deny: Vec<String>,
    /// Do not report findings with this id, unless they are errors; can be given several times
    #[arg(long, value_name = "ID")]
    allow: Vec<String>,
    /// Accept the findings in this file until the date of each entry
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write a baseline that accepts what is found now
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// With --write-baseline: the last day of its entries [default: in 90 days]
    #[arg(long, value_name = "DATE", requires = "write_baseline")]
    until: Option<Day>,
    /// Read a file's text from standard input, for editors; the other files of PATH are read too, when PATH is given
    #[arg(long, requires = "stdin_filename")]
    stdin: bool,
    /// With --stdin: the name of that file
    #[arg(long, value_name = "FILE", requires = "stdin")]
    stdin_filename: Option<PathBuf>,
    /// Output format
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(CHECK_FORMATS.iter().map(|format| format.name)))]
    format: String,
    /// Also write the findings to a file: sarif=check.sarif; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<ReportFile>,
}

impl Check {
    pub(super) fn options(self) -> CheckOptions {
        let Self {
            paths,
            warnings_as_errors,
            deny,
            allow,
            baseline,
            write_baseline,
            until,
            stdin: _,
            stdin_filename,
            format,
            reports,
        } = self;
        let levels = Levels { deny, allow, warnings_as_errors };
        let outputs = Outputs { format, reports };
        CheckOptions { paths, stdin: stdin_filename, levels, baseline, write_baseline, until, outputs }
    }
}
