//! The commands of each step (facts 1, 3, 6.2, 11.1).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::human::ports,
    certificates::{asked_for, in_this_folder, issued_by_hand, making},
    text::{list, quoted},
};
use crate::model::{
    action::{
        Action, BundleSource, CertRef, ConnectorRef, DefaultSmtp, Expectation, ServiceGroup, StepId, TlsName,
    },
    names::{OverrideName, ServerName},
    organization::Organization,
    plan::{Plan, Step},
    service::{self, MailService, Restartable, Service, Services},
    site::SiteBinding,
    version::Release,
};

/// A line of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// For the reader.
    Comment(String),
    /// For PowerShell.
    Command(String),
}

/// What the commands of a plan depend on.
pub(super) struct Commands<'a> {
    plan: &'a Plan,
    releases: BTreeMap<&'a ServerName, Release>,
    /// Edge servers, which answer to nobody but themselves (facts 10).
    edges: BTreeSet<&'a ServerName>,
    /// The server on which each certificate that a step makes can be found first.
    homes: BTreeMap<StepId, &'a ServerName>,
}

impl<'a> Commands<'a> {
    pub(super) fn new(plan: &'a Plan, organization: &'a Organization) -> Self {
        let releases = organization.servers.iter();
        let releases =
            releases.filter_map(|(name, server)| Some((name, server.version.known()?.release()))).collect();
        let edges = organization.servers.iter().filter(|(_, server)| server.is_edge());
        let edges = edges.map(|(name, _)| name).collect();
        let mut homes = BTreeMap::new();
        for step in &plan.steps {
            let made = match &step.action {
                Action::Create { server, .. } => Some((step.id, server)),
                Action::Import { server, certificate: CertRef::FromStep(made), .. }
                | Action::Complete { server, certificate: CertRef::FromStep(made), .. } => {
                    Some((*made, server))
                }
                _ => None,
            };
            if let Some((made, server)) = made {
                homes.entry(made).or_insert(server);
            }
        }
        Self { plan, releases, edges, homes }
    }

    /// The lines of a step.
    #[expect(clippy::too_many_lines, reason = "an arm for each action")]
    pub(super) fn of(&self, step: &Step) -> Vec<Line> {
        match &step.action {
            Action::Issue { request, .. } => issued_by_hand(step.id, request),
            Action::Request { server, request, file } => self.request(server, request, file),
            Action::Await { until } => vec![pause(&format!("Go on when this is there: {until}"))],
            Action::Complete {
                server,
                certificate,
                file,
                answer: _,
                friendly_name,
                enable,
                default_smtp,
            } => {
                let answer = format!("{file}.cer");
                let import = format!(
                    "Import-ExchangeCertificate{} {} -FriendlyName {}",
                    self.on(server),
                    self.bytes_of(server, &in_this_folder(&answer)),
                    quoted(friendly_name.as_str())
                );
                let mut lines = vec![making(*certificate, &import)];
                lines.extend(self.enable(server, *certificate, enable, *default_smtp));
                lines
            }
            Action::RemoveRequest { server, request } => vec![self.remove(server, *request)],
            Action::Create { server, request, enable, default_smtp } => {
                let mut lines: Vec<Line> = answer(enable, *default_smtp).into_iter().collect();
                let create = format!(
                    "New-ExchangeCertificate{} {} -Services {}",
                    self.on(server),
                    asked_for(request),
                    if enable.is_empty() { "None".into() } else { services(enable) }
                );
                lines.push(making(CertRef::FromStep(step.id), &create));
                lines
            }
            Action::Import { server, certificate, from, friendly_name, exportable, enable, default_smtp } => {
                let mut lines: Vec<Line> = self.bundle(*certificate, from).into_iter().collect();
                let (bytes, password) = match from {
                    BundleSource::Issued(issued) => {
                        (self.bytes_of(server, &format!("$pfx{issued}")), format!("$password{issued}"))
                    }
                    BundleSource::Server(_) => ("-FileData $exported.FileData".into(), "$password".into()),
                    BundleSource::Backup { .. } => (self.bytes_of(server, "$backup"), "$password".into()),
                };
                let import = format!(
                    "Import-ExchangeCertificate{} {bytes} -Password {password} -FriendlyName {} \
                     -PrivateKeyExportable ${exportable}",
                    self.on(server),
                    quoted(friendly_name.as_str())
                );
                lines.push(making(*certificate, &import));
                lines.extend(self.enable(server, *certificate, enable, *default_smtp));
                lines
            }
            Action::Bind { server, certificate, services, default_smtp } => {
                self.enable(server, *certificate, services, *default_smtp)
            }
            Action::BindSite { server, site, certificate } => vec![bind_site(server, site, *certificate)],
            Action::SetX509CertificateName { server, service, name } => {
                let cmdlet = match service {
                    MailService::Pop => "Set-PopSettings",
                    MailService::Imap => "Set-ImapSettings",
                };
                let name = name.as_ref().map_or("$null".into(), |name| quoted(name.as_str()));
                vec![Line::Command(format!("{cmdlet}{} -X509CertificateName {name}", self.on(server)))]
            }
            Action::SetUmStartupMode { server, call_router: true, mode } => vec![Line::Command(format!(
                "Set-UMCallRouterSettings -Server {} -UMStartupMode {mode}",
                quoted(server.as_str())
            ))],
            Action::SetUmStartupMode { server, call_router: false, mode } => {
                // The cmdlet was renamed with the roles of 2013.
                let old = self.release(server).is_some_and(|release| !release.has_back_end());
                let cmdlet = if old { "Set-UMServer" } else { "Set-UMService" };
                vec![Line::Command(format!(
                    "{cmdlet} -Identity {} -UMStartupMode {mode}",
                    quoted(server.as_str())
                ))]
            }
            Action::SetInternalTransport { server, certificate } => {
                let smtp = Services::from([Service::Smtp]);
                self.enable(server, *certificate, &smtp, DefaultSmtp::Replace)
            }
            Action::Repoint { connector, to } => self.repoint(step, connector, to.as_ref()),
            Action::SetImCertificate { name, certificate, servers } => {
                set_im_certificate(name, *certificate, servers)
            }
            Action::Restart { server, what, services } => vec![self.restart(server, *what, services)],
            Action::Verify { server, expect } => met(server.as_str(), expect),
            Action::BackUp { server, certificate, with_key } => {
                vec![Line::Command(self.back_up(server, *certificate, *with_key))]
            }
            Action::StageAuth { certificate, effective } => {
                let when = match effective {
                    Some(at) => {
                        format!("-NewCertificateEffectiveDate ([datetime]{})", quoted(&at.to_string()))
                    }
                    None => "-NewCertificateEffectiveDate (Get-Date) -Force".into(),
                };
                let certificate = reference(*certificate);
                vec![Line::Command(format!("Set-AuthConfig -NewCertificateThumbprint {certificate} {when}"))]
            }
            Action::PublishAuth { .. } => vec![Line::Command("Set-AuthConfig -PublishCertificate".into())],
            Action::ClearPreviousAuth {} => {
                vec![Line::Command("Set-AuthConfig -ClearPreviousCertificate".into())]
            }
            Action::Remove { server, certificate, while_stopped } => {
                let stop =
                    while_stopped.iter().map(|group| self.control(server, "Stop-Service -Force", group));
                let start = while_stopped.iter().map(|group| self.control(server, "Start-Service", group));
                stop.chain([self.remove(server, *certificate)]).chain(start).collect()
            }
            Action::Install { balancer, certificate, .. } => {
                vec![pause(&format!(
                    "Install {certificate} with its chain and key on {balancer}, and reload it"
                ))]
            }
            Action::VerifyBalancer { balancer, expect } => met(balancer.as_str(), expect),
            Action::Manual { what, until, .. } => vec![pause(&format!("{what}. Done when: {until}"))],
            Action::CannotApply { .. } => vec![Line::Comment("Nothing here does it.".into())],
        }
    }

    fn enable(
        &self,
        server: &ServerName,
        certificate: CertRef,
        enable: &Services,
        default_smtp: DefaultSmtp,
    ) -> Vec<Line> {
        if enable.is_empty() {
            return Vec::new();
        }
        let mut lines: Vec<Line> = answer(enable, default_smtp).into_iter().collect();
        lines.push(Line::Command(format!(
            "Enable-ExchangeCertificate{} -Thumbprint {} -Services {}",
            self.on(server),
            reference(certificate),
            services(enable)
        )));
        lines
    }

    /// The name that a connector has is made of the certificate's own texts (facts 6.3).
    fn repoint(&self, step: &Step, connector: &ConnectorRef, to: Option<&TlsName>) -> Vec<Line> {
        let command = match connector {
            ConnectorRef::Send { name } => format!("Set-SendConnector -Identity {}", quoted(name.as_str())),
            ConnectorRef::Receive { server, name } => {
                format!("Set-ReceiveConnector -Identity {}", quoted(&format!("{server}\\{name}")))
            }
            ConnectorRef::Hybrid {} => "Set-HybridConfiguration".into(),
        };
        let set = |name: &str| Line::Command(format!("{command} -TlsCertificateName {name}"));
        match to {
            None => vec![set("$null")],
            Some(TlsName::Exactly(name)) => vec![set(&quoted(&name.to_string()))],
            Some(TlsName::Of(certificate)) => {
                let home = match (connector, certificate) {
                    (ConnectorRef::Receive { server, .. }, _) => Some(server),
                    (ConnectorRef::Send { .. } | ConnectorRef::Hybrid {}, CertRef::FromStep(made)) => {
                        self.homes.get(made).copied()
                    }
                    (ConnectorRef::Send { .. } | ConnectorRef::Hybrid {}, CertRef::Known(_)) => {
                        self.first_server(step)
                    }
                };
                let on = home.map_or(String::new(), |server| self.on(server));
                let get = format!("$x = Get-ExchangeCertificate{on} -Thumbprint {}", reference(*certificate));
                vec![Line::Command(get), set("\"<I>$($x.Issuer)<S>$($x.Subject)\"")]
            }
        }
    }

    fn first_server(&self, step: &Step) -> Option<&'a ServerName> {
        let id = step.certificate.as_ref()?;
        self.plan.changes.iter().find(|change| change.certificate == *id)?.servers.first()
    }

    /// `Restart-Service` returns when the services run again, and `-PassThru` shows that they do; `-Force` takes along what
    /// depends on them. It would start one that is stopped, as POP and IMAP are until somebody wants them, so that only
    /// those which run are given to it. Web applications are pools of IIS.
    fn restart(&self, server: &ServerName, what: Restartable, services: &[String]) -> Line {
        let restart = match what {
            Restartable::WebApps => format!(
                "Import-Module WebAdministration; {} | ForEach-Object {{ Restart-WebAppPool -Name $_ }}",
                list(services)
            ),
            Restartable::Iis
            | Restartable::Transport
            | Restartable::ServiceHost
            | Restartable::Pop
            | Restartable::Imap
            | Restartable::Um
            | Restartable::UmCallRouter => format!(
                "Get-Service -Name {} | Where-Object {{ $_.Status -eq 'Running' }} | Restart-Service -Force -PassThru",
                list(services)
            ),
        };
        if self.is_local_only(server) {
            return Line::Command(restart);
        }
        Line::Command(format!("Invoke-Command -ComputerName {} {{ {restart} }}", quoted(server.as_str())))
    }

    /// Stops or starts what has loaded a certificate that goes.
    fn control(&self, server: &ServerName, cmdlet: &str, group: &ServiceGroup) -> Line {
        let control = format!("{cmdlet} -Name {}", list(&group.services));
        if self.is_local_only(server) {
            return Line::Command(control);
        }
        Line::Command(format!("Invoke-Command -ComputerName {} {{ {control} }}", quoted(server.as_str())))
    }

    fn remove(&self, server: &ServerName, certificate: CertRef) -> Line {
        let certificate = reference(certificate);
        Line::Command(format!("Remove-ExchangeCertificate{} -Thumbprint {certificate}", self.on(server)))
    }

    /// The server for a cmdlet; nothing for Exchange 2007 and for Edge servers, whose cmdlets know their own machine only.
    pub(super) fn on(&self, server: &ServerName) -> String {
        if self.is_local_only(server) {
            String::new()
        } else {
            format!(" -Server {}", quoted(server.as_str()))
        }
    }

    /// Whether its cmdlets have to be run on the server itself.
    pub(super) fn is_local_only(&self, server: &ServerName) -> bool {
        self.edges.contains(server)
            || self.release(server).is_some_and(|release| !release.has_remote_cmdlets())
    }

    pub(super) fn release(&self, server: &ServerName) -> Option<Release> {
        self.releases.get(server).copied()
    }
}

pub(super) fn reference(certificate: CertRef) -> String {
    match certificate {
        CertRef::Known(thumbprint) => quoted(&thumbprint.to_string()),
        CertRef::FromStep(step) => format!("$certificate{step}"),
    }
}

fn services(services: &Services) -> String {
    service::list(services).replace(' ', "")
}

/// The question comes up wherever SMTP is among the services (facts 3.2).
fn answer(services: &Services, default_smtp: DefaultSmtp) -> Option<Line> {
    let answer = match default_smtp {
        DefaultSmtp::Keep => "No",
        DefaultSmtp::Replace => "Yes",
    };
    let asks = services.contains(&Service::Smtp);
    asks.then(|| {
        Line::Comment(format!(
            "When it asks to overwrite the default SMTP certificate, the answer is {answer}."
        ))
    })
}

fn bind_site(server: &ServerName, site: &SiteBinding, certificate: CertRef) -> Line {
    let SiteBinding { site, address, port, host } = site;
    let address =
        address.as_ref().map_or(String::new(), |address| format!(" -IPAddress {}", quoted(address)));
    let host = host.as_ref().map_or(String::new(), |host| format!(" -HostHeader {}", quoted(host.as_str())));
    Line::Command(format!(
        "Invoke-Command -ComputerName {} -ArgumentList {} {{ param($thumbprint) Import-Module WebAdministration; \
         (Get-WebBinding -Name {} -Protocol https -Port {port}{address}{host}).AddSslCertificate($thumbprint, 'My') }}",
        quoted(server.as_str()),
        reference(certificate),
        quoted(site)
    ))
}

/// `Set-SettingOverride` takes all parameters at once: those that are not about the certificate are repeated (facts 11.1).
fn set_im_certificate(name: &OverrideName, certificate: CertRef, servers: &[ServerName]) -> Vec<Line> {
    let name = quoted(name.as_str());
    let mut lines = vec![
        Line::Command(format!(
            "$parameters = @((Get-SettingOverride -Identity {name}).Parameters | Where-Object {{ $_ -notlike \
             'IMCertificateThumbprint=*' }})"
        )),
        Line::Command(format!("$parameters += 'IMCertificateThumbprint=' + {}", reference(certificate))),
        Line::Command(format!(
            "Set-SettingOverride -Identity {name} -Parameters $parameters -Reason 'The certificate of IIS was renewed'"
        )),
    ];
    lines.extend(servers.iter().map(|server| {
        Line::Command(format!(
            "$null = Get-ExchangeDiagnosticInfo -Server {} -Process Microsoft.Exchange.Directory.TopologyService \
             -Component VariantConfiguration -Argument Refresh",
            quoted(server.as_str())
        ))
    }));
    lines
}

/// What is seen at each endpoint has to be seen by somebody.
fn met(host: &str, expect: &[Expectation]) -> Vec<Line> {
    let mut by_certificate: BTreeMap<CertRef, Vec<Expectation>> = BTreeMap::new();
    for expectation in expect {
        by_certificate.entry(expectation.certificate).or_default().push(expectation.clone());
    }
    let shown = by_certificate
        .iter()
        .map(|(certificate, expect)| Line::Comment(format!("{certificate} at {}", ports(expect))));
    let mut lines: Vec<Line> = shown.collect();
    if let Some(Expectation { endpoint, name, .. }) = expect.first() {
        let name = name.as_ref().map_or(String::new(), |name| format!(" --name {name}"));
        let scheme = endpoint.protocol.scheme();
        lines.push(Line::Comment(format!(
            "for example: certwright verify --endpoint {scheme}://{host}:{}{name}",
            endpoint.port
        )));
        lines.push(pause(&format!("Every endpoint of {host} has to show that")));
    }
    lines
}

fn pause(text: &str) -> Line {
    Line::Command(format!("$null = Read-Host {}", quoted(&format!("{text}; then Enter"))))
}
