//! The arguments of `init`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{
    commands::{
        self, CommandError, Exit, Terminal,
        init::{FirstDriver, FirstIssuer, InitOptions, NamedServer, Pipeline},
    },
    model::names::{DnsName, OrganizationName},
};

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Where the files go
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// The organization's name [default: ask]
    #[arg(long, value_name = "NAME")]
    organization: Option<OrganizationName>,
    /// A server by its full name, or as EX01=ex01.contoso.com; can be given several times [default: ask]
    #[arg(long = "server", value_name = "FQDN")]
    servers: Vec<NamedServer>,
    /// A name that clients use; can be given several times [default: ask]
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<DnsName>,
    /// Who issues the certificate that clients see
    #[arg(long, value_enum, default_value_t = Issuer::PublicCa)]
    issuer: Issuer,
    /// How the servers are reached
    #[arg(long, value_enum, default_value_t = Driver::Capture)]
    driver: Driver,
    /// Also write a pipeline
    #[arg(long, value_enum)]
    pipeline: Option<Forge>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Issuer {
    /// A public CA, by a request
    PublicCa,
    /// A CA of your own, by a request
    PrivateCa,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Driver {
    /// A capture: nothing can be changed
    Capture,
    /// Windows PowerShell on this computer
    Powershell,
    /// A simulated organization, to try things out
    Lab,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Forge {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// Azure Pipelines
    Azure,
}

impl Init {
    pub(super) fn run(self, terminal: Terminal) -> Result<Exit, CommandError> {
        let Self { directory, organization, servers, names, issuer, driver, pipeline } = self;
        let issuer = match issuer {
            Issuer::PublicCa => FirstIssuer::PublicCa,
            Issuer::PrivateCa => FirstIssuer::PrivateCa,
        };
        let driver = match driver {
            Driver::Capture => FirstDriver::Capture,
            Driver::Powershell => FirstDriver::Powershell,
            Driver::Lab => FirstDriver::Lab,
        };
        let pipeline = pipeline.map(|forge| match forge {
            Forge::Github => Pipeline::Github,
            Forge::Gitlab => Pipeline::Gitlab,
            Forge::Azure => Pipeline::Azure,
        });
        let options = InitOptions { directory, organization, servers, names, issuer, driver, pipeline };
        commands::init::run(&options, terminal)
    }
}
