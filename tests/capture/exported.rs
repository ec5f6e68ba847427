//! Writes an organization down as the printed script would on its servers: the same files, and objects of the types,
//! properties and enums that were seen in captures of Exchange 2019.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::clixml::{self, Cell, Thing, directory_object, fqdn_of, of_directory, text};
use certwright::{
    model::{
        certificate::{Certificate, Der},
        connector::{AuthMechanism, ReceiveConnector, SendConnector, TlsAuthLevel, TransportRole},
        dn::TlsCertificateName,
        names::{ConnectorName, OverrideName, ServerName},
        organization::{ImOverride, Organization},
        server::{BindingStore, KeyProvider, MailPorts, Server, UmStartupMode},
        service::Services,
        thumbprint::Thumbprint,
        time::Timestamp,
        version::Role,
    },
    wire::exchange_certificate::{self, ExchangeCertificateBlob},
};

/// Writes every file of the script: a file for each cmdlet, of a server's cmdlets one for each server.
pub(crate) fn export(organization: &Organization, at: Timestamp, folder: &Path) {
    written(organization, at, &mut Out { each_server: true, things: BTreeMap::new() }, folder);
}

/// The same with one file for each cmdlet, as somebody asks all servers from one shell.
#[allow(dead_code, reason = "the fleets of benchmarks are written so")]
pub(crate) fn export_joined(organization: &Organization, at: Timestamp, folder: &Path) {
    written(organization, at, &mut Out { each_server: false, things: BTreeMap::new() }, folder);
}

/// The objects of each file, by its name.
struct Out {
    each_server: bool,
    things: BTreeMap<String, Vec<Thing>>,
}

impl Out {
    fn of_server(&mut self, name: &ServerName, cmdlet: &str, things: impl IntoIterator<Item = Thing>) {
        if self.each_server {
            return self.add(&format!("{name}.{cmdlet}"), things);
        }
        // The shell says of each object from which server it came.
        let mut told = things.into_iter().peekable();
        // Of which server it has nothing, a file of all servers cannot say.
        if told.peek().is_none() {
            return;
        }
        let told = told.map(|mut thing| {
            thing.extended.retain(|(property, _)| *property != "PSComputerName");
            thing.extended.push(("PSComputerName", text(name)));
            thing
        });
        self.add(cmdlet, told);
    }

    fn add(&mut self, file: &str, things: impl IntoIterator<Item = Thing>) {
        self.things.entry(file.to_owned()).or_default().extend(things);
    }
}

fn written(organization: &Organization, at: Timestamp, out: &mut Out, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    objects(organization, at, out);
    answers(out);
    for (name, things) in &out.things {
        clixml::write(folder, name, things);
    }
}

#[allow(clippy::too_many_lines, reason = "a file for each cmdlet, in their order")]
fn objects(organization: &Organization, at: Timestamp, out: &mut Out) {
    let info = Thing {
        types: vec!["System.Management.Automation.PSCustomObject".into(), "System.Object".into()],
        adapted: Vec::new(),
        extended: vec![("CapturedAt", text(at)), ("DateOrder", text("M/d/yyyy")), ("Computer", text("EX01"))],
    };
    out.add("certwright-capture", [info]);
    let Organization {
        servers,
        send_connectors,
        accepted_domains,
        hybrid,
        auth,
        federation,
        edge_subscriptions,
        im_overrides,
        dedicated_application,
        domain_security,
        balancers: _,
    } = organization;
    let site_of = |name: &ServerName| {
        let subscriptions = edge_subscriptions.known().into_iter().flatten();
        let mut own = subscriptions.filter(|subscription| subscription.site_servers.contains(name));
        own.next().and_then(|subscription| subscription.site.clone())
    };
    let listed: Vec<Thing> = servers
        .iter()
        .map(|(name, server)| {
            exchange_server(name, server, server.directory_site.known().cloned().or_else(|| site_of(name)))
        })
        .collect();
    out.add("Get-ExchangeServer", listed);
    if let Some(domains) = accepted_domains.known() {
        let things = domains.iter().map(|domain| {
            let properties = vec![
                (
                    "DomainName",
                    Cell::Thing("Microsoft.Exchange.Data.SmtpDomainWithSubdomains", domain.domain.clone()),
                ),
                ("Default", Cell::Bool(domain.default)),
                ("Name", text(&domain.name)),
            ];
            of_directory("AcceptedDomain", &domain.name, properties)
        });
        out.add("Get-AcceptedDomain", things);
    }
    if let Some(connectors) = send_connectors.known() {
        let things = connectors.iter().map(|(name, connector)| send_connector(name, connector));
        out.add("Get-SendConnector", things);
    }
    if let Some(domains) = domain_security.known() {
        let list = |domains: &[String]| {
            let domain = |domain: &String| Cell::Thing("Microsoft.Exchange.Data.SmtpDomain", domain.clone());
            Cell::List(domains.iter().map(domain).collect())
        };
        let properties = vec![
            ("TLSReceiveDomainSecureList", list(&domains.receive)),
            ("TLSSendDomainSecureList", list(&domains.send)),
        ];
        let thing = of_directory("TransportConfigContainer", "Transport Settings", properties);
        out.add("Get-TransportConfig", [thing]);
    }
    if let Some(hybrid) = hybrid.known() {
        let things = hybrid.iter().map(|hybrid| {
            let list = |servers: &[ServerName]| Cell::List(servers.iter().map(directory_object).collect());
            let properties = vec![
                ("TlsCertificateName", tls_name(hybrid.tls_certificate_name.as_ref())),
                ("ReceivingTransportServers", list(&hybrid.receiving_servers)),
                ("SendingTransportServers", list(&hybrid.sending_servers)),
                ("EdgeTransportServers", list(&hybrid.edge_servers)),
            ];
            of_directory("HybridConfiguration", "Hybrid Configuration", properties)
        });
        out.add("Get-HybridConfiguration", things);
    }
    if let Some(auth) = auth.known() {
        let things = auth.iter().map(|auth| {
            let thumbprint = |of: Option<_>| text(of.map_or(String::new(), |of: Thumbprint| of.to_string()));
            let properties = vec![
                ("CurrentCertificateThumbprint", thumbprint(auth.current)),
                ("PreviousCertificateThumbprint", thumbprint(auth.previous)),
                ("NextCertificateThumbprint", thumbprint(auth.next)),
                ("NextCertificateEffectiveDate", auth.next_effective.map_or(Cell::Null, Cell::Moment)),
            ];
            of_directory("AuthConfig", "Auth Configuration", properties)
        });
        out.add("Get-AuthConfig", things);
    }
    if let Some(federation) = federation.known() {
        let things = federation.iter().map(|trust| {
            let thumbprint = |of: Option<Thumbprint>| of.map_or(Cell::Null, text);
            let properties = vec![
                ("OrgPrivCertificate", thumbprint(trust.current)),
                ("OrgNextPrivCertificate", thumbprint(trust.next)),
            ];
            of_directory("FederationTrust", "Microsoft Federation Gateway", properties)
        });
        out.add("Get-FederationTrust", things);
    }
    if let Some(subscriptions) = edge_subscriptions.known() {
        let things = subscriptions.iter().map(|subscription| Thing {
            types: vec!["System.Management.Automation.PSCustomObject".into(), "System.Object".into()],
            adapted: Vec::new(),
            extended: vec![
                ("Name", text(&subscription.edge)),
                ("Site", text(site_path(subscription.site.as_ref().unwrap()))),
                ("CreateUtc", subscription.created.map_or(Cell::Null, Cell::Moment)),
                ("EdgeCertificate", subscription.edge_certificate.map_or(Cell::Null, text)),
            ],
        });
        out.add("Get-EdgeSubscription", things);
    }
    if let Some(overrides) = im_overrides.known() {
        out.add(
            "Get-SettingOverride",
            setting_overrides(overrides, dedicated_application.known() == Some(&true)),
        );
    }
    for (name, server) in servers {
        export_server(name, server, out);
    }
}

/// The list of the files whose cmdlets came to their end, as the script writes it last.
fn answers(out: &mut Out) {
    let stems: Vec<String> = out.things.keys().cloned().collect();
    let things = stems.iter().map(|stem| Thing {
        types: vec!["System.Management.Automation.PSCustomObject".into(), "System.Object".into()],
        adapted: Vec::new(),
        extended: vec![("File", text(stem)), ("State", text("done"))],
    });
    out.add("certwright-answers", things);
}

fn setting_overrides(overrides: &BTreeMap<OverrideName, ImOverride>, dedicated: bool) -> Vec<Thing> {
    let things = overrides.iter().map(|(name, setting)| {
        let thumbprint = setting.certificate.map(|own| text(format!("IMCertificateThumbprint={own}")));
        let server = text("IMServerName=skype01.contoso.com");
        let properties = vec![
            ("Name", text(name)),
            ("ComponentName", text("OwaServer")),
            ("SectionName", text("IMSettings")),
            ("Server", Cell::List(setting.servers.iter().map(text).collect())),
            ("Parameters", Cell::List([server].into_iter().chain(thumbprint).collect())),
        ];
        selected("Microsoft.Exchange.Data.Directory.SystemConfiguration.SettingOverride", properties)
    });
    let enabled = |name: &str, component: &str, section: &str| {
        selected(
            "Microsoft.Exchange.Data.Directory.SystemConfiguration.SettingOverride",
            vec![
                ("Name", text(name)),
                ("ComponentName", text(component)),
                ("SectionName", text(section)),
                ("Server", Cell::Null),
                ("Parameters", Cell::List(vec![text("Enabled=true")])),
            ],
        )
    };
    let another = enabled("EnableSigningVerification", "Data", "EnableSerializationDataSigning");
    let application =
        enabled("EnableExchangeHybrid3PAppFeature", "Global", "ExchangeOnpremAsThirdPartyAppId");
    things.chain([another]).chain(dedicated.then_some(application)).collect()
}

fn export_server(name: &ServerName, server: &Server, out: &mut Out) {
    let fqdn = server.fqdn.known().unwrap().to_string();
    if let (Some(store), Some(requests)) = (server.certificates.known(), server.requests.known()) {
        let stored = store.0.values().map(|stored| {
            let blob = ExchangeCertificateBlob {
                certificate: stored.certificate.der.clone(),
                friendly_name: stored.friendly_name.known().cloned(),
                has_private_key: stored.has_private_key,
                provider_type: stored.key_provider.known().map(|provider| match provider {
                    KeyProvider::Csp => 12,
                    KeyProvider::Ksp => 0,
                }),
                self_signed: stored.certificate.is_self_signed(),
                status: *stored.status.known().unwrap() as i32,
                root_ca_type: stored.root_type.known().map_or(5, |root| *root as i32),
                services: flags(stored.services.known().unwrap()),
                iis_services: Vec::new(),
                private_key_exportable: *stored.exportable.known().unwrap(),
                identity: Some(format!("{fqdn}\\{}", stored.certificate.thumbprint)),
            };
            certificate(&stored.certificate, &blob)
        });
        let pending = requests.iter().map(|request| {
            let blob = ExchangeCertificateBlob {
                certificate: request.certificate.der.clone(),
                friendly_name: request.friendly_name.known().cloned(),
                has_private_key: true,
                provider_type: Some(12),
                self_signed: true,
                status: 7,
                root_ca_type: 5,
                services: 0,
                iis_services: Vec::new(),
                private_key_exportable: *request.exportable.known().unwrap(),
                identity: Some(format!("{fqdn}\\{}", request.certificate.thumbprint)),
            };
            certificate(&request.certificate, &blob)
        });
        out.of_server(name, "Get-ExchangeCertificate", stored.chain(pending));
    }
    export_settings(name, server, out);
}

#[allow(clippy::too_many_lines, reason = "a file for each cmdlet, in their order")]
fn export_settings(name: &ServerName, server: &Server, out: &mut Out) {
    if let Some(connectors) = server.receive_connectors.known() {
        let things = connectors.iter().map(|(connector, value)| receive_connector(name, connector, value));
        out.of_server(name, "Get-ReceiveConnector", things);
    }
    for (cmdlet, kind, settings) in [
        ("Get-PopSettings", "Pop3AdConfiguration", &server.pop),
        ("Get-ImapSettings", "Imap4AdConfiguration", &server.imap),
    ] {
        if let Some(Some(settings)) = settings.known() {
            let name_of = settings.x509_certificate_name.as_ref().map_or(Cell::Null, text);
            let mut properties = vec![("Server", directory_object(name)), ("X509CertificateName", name_of)];
            if let Some(MailPorts { plain, tls }) = &settings.ports {
                let bindings = |ports: &BTreeSet<u16>| {
                    let of = |port| ["[::]", "0.0.0.0"].map(|address| text(format!("{address}:{port}")));
                    Cell::List(ports.iter().flat_map(of).collect())
                };
                properties.push(("UnencryptedOrTLSBindings", bindings(plain)));
                properties.push(("SSLBindings", bindings(tls)));
            }
            if !settings.external_names.is_empty() {
                let connections = settings.external_names.iter().map(|name| text(format!("{name}:993:SSL")));
                properties.push(("ExternalConnectionSettings", Cell::List(connections.collect())));
            }
            out.of_server(name, cmdlet, [of_directory(kind, &format!("{name}\\1"), properties)]);
        }
    }
    if let Some(internal) = server.internal_transport.known() {
        let thumbprint = internal.map_or(Cell::Null, text);
        let thing = selected(
            "Microsoft.Exchange.Data.Directory.Management.TransportServer",
            vec![("Name", text(name)), ("InternalTransportCertificateThumbprint", thumbprint)],
        );
        out.of_server(name, "Get-TransportService", [thing]);
    }
    if let Some(root) = server.online_root.known() {
        let policy = if root.fetched { Cell::Null } else { Cell::Number(1) };
        let properties = vec![
            ("DigiCertGlobalRootG2", Cell::Bool(root.present)),
            ("DisableRootAutoUpdate", policy),
            ("PSComputerName", text(name)),
        ];
        let thing = selected("System.Management.Automation.PSCustomObject", properties);
        out.of_server(name, "certwright-roots", [thing]);
    }
    if let Some(services) = server.services.known() {
        let things = services.iter().map(|(service, runs)| Thing {
            types: vec!["Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_Service".into()],
            adapted: Vec::new(),
            extended: vec![
                ("Name", text(service)),
                ("State", text(if *runs { "Running" } else { "Stopped" })),
                ("StartMode", text("Manual")),
            ],
        });
        out.of_server(name, "Win32_Service", things);
    }
    if let Some(programs) = server.other_programs.known() {
        let things = programs.iter().map(|(program, certificate)| Thing {
            types: vec!["System.Management.Automation.PSCustomObject".into(), "System.Object".into()],
            adapted: Vec::new(),
            extended: vec![("Program", text(program)), ("Thumbprint", text(certificate))],
        });
        out.of_server(name, "certwright-other-programs", things);
    }
    if let Some(authorities) = server.authorities.known() {
        let things = authorities.iter().map(|authority| Thing {
            types: vec!["System.Management.Automation.PSCustomObject".into(), "System.Object".into()],
            adapted: Vec::new(),
            extended: vec![("RawData", Cell::Bytes(authority.der.0.clone()))],
        });
        out.of_server(name, "certwright-authorities", things);
    }
    if let Some(web) = server.web.known() {
        let properties = vec![
            ("RequireSsl", Cell::Bool(web.require_ssl)),
            ("ExtendedProtection", Cell::Bool(web.extended_protection)),
            ("PSComputerName", text(name)),
        ];
        let thing = selected("System.Management.Automation.PSCustomObject", properties);
        out.of_server(name, "certwright-iis", [thing]);
    }
    if let Some(Some(peers)) = server.peers.known() {
        let things = peers.iter().map(|(peer, certificate)| Thing {
            types: vec!["System.Management.Automation.PSCustomObject".into(), "System.Object".into()],
            adapted: Vec::new(),
            extended: vec![
                ("Name", text(peer)),
                ("InternalTransportCertificateThumbprint", text(certificate)),
            ],
        });
        out.of_server(name, "certwright-edge-peers", things);
    }
    if let Some(copies) = server.connector_copies.known() {
        let things = copies.iter().map(|(connector, copy)| send_connector(connector, copy));
        out.of_server(name, "Get-SendConnector", things);
    }
    if let Some(Some(um)) = server.um.known() {
        for (cmdlet, kind, key, mode) in [
            ("Get-UMService", "Management.UMServer", "Name", um.service),
            (
                "Get-UMCallRouterSettings",
                "SystemConfiguration.SIPFEServerConfiguration",
                "Server",
                um.call_router,
            ),
        ] {
            let Some(mode) = mode else { continue };
            let number = match mode {
                UmStartupMode::Tcp => 0,
                UmStartupMode::Tls => 1,
                UmStartupMode::Dual => 2,
            };
            let mode = Cell::Enum("Microsoft.Exchange.Data.UMStartupMode", mode.to_string(), number);
            let thing = selected(
                &format!("Microsoft.Exchange.Data.Directory.{kind}"),
                vec![(key, text(name)), ("UMStartupMode", mode)],
            );
            out.of_server(name, cmdlet, [thing]);
        }
    }
    if let Some(sites) = server.sites.known().filter(|_| !server.is_edge()) {
        let things = sites.iter().map(|(site, hash)| {
            let address = site.address.clone().unwrap_or_else(|| "*".into());
            let host = site.host.as_ref().map(ToString::to_string).unwrap_or_default();
            let (flags, store) = match server.other_stores.get(site) {
                None => (0, "MY"),
                Some(BindingStore::Central) => (3, ""),
                Some(BindingStore::Named(name)) => (0, name.as_str()),
            };
            selected(
                "Microsoft.IIs.PowerShell.Framework.ConfigurationElement",
                vec![
                    ("protocol", text("https")),
                    ("sslFlags", Cell::Number(flags)),
                    ("bindingInformation", text(format!("{address}:{}:{host}", site.port))),
                    ("certificateHash", text(hash.map(|hash| hash.to_string()).unwrap_or_default())),
                    ("certificateStoreName", text(store)),
                    (
                        "ItemXPath",
                        text(format!(
                            "/system.applicationHost/sites/site[@name='{}' and @id='1']",
                            site.site
                        )),
                    ),
                ],
            )
        });
        out.of_server(name, "Get-WebBinding", things);
    }
    if let Some(system) = server.operating_system.known() {
        let thing = selected(
            "Microsoft.Management.Infrastructure.CimInstance",
            vec![("Caption", system.as_ref().map_or(Cell::Null, text)), ("CSName", text(name))],
        );
        out.of_server(name, "Win32_OperatingSystem", [thing]);
    }
}

fn selected(of: &str, properties: Vec<(&'static str, Cell)>) -> Thing {
    Thing {
        types: vec![format!("Selected.{of}"), "System.Object".into()],
        adapted: Vec::new(),
        extended: properties,
    }
}

fn certificate(certificate: &Certificate, blob: &ExchangeCertificateBlob) -> Thing {
    let Der(der) = &certificate.der;
    selected(
        "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate",
        vec![
            ("RawData", Cell::Bytes(der.clone())),
            ("SerializationData", Cell::Bytes(exchange_certificate::encode(blob))),
            ("Identity", blob.identity.as_ref().map_or(Cell::Null, text)),
        ],
    )
}

fn site_path(site: &str) -> String {
    format!("contoso.com/Configuration/Sites/{site}")
}

fn exchange_server(name: &ServerName, server: &Server, site: Option<String>) -> Thing {
    let roles = server.roles.known().unwrap();
    let bits = [
        (Role::Mailbox, 2),
        (Role::ClientAccess, 4),
        (Role::UnifiedMessaging, 16),
        (Role::HubTransport, 32),
        (Role::EdgeTransport, 64),
    ];
    let names: Vec<String> = roles.iter().map(ToString::to_string).collect();
    let number = bits.iter().filter(|(role, _)| roles.contains(role)).map(|(_, bit)| bit).sum();
    let version = server.version.known().unwrap().to_string();
    let parts: Vec<&str> = version.split('.').collect();
    let display = format!("Version {}.{} (Build {}.{})", parts[0], parts[1], parts[2], parts[3]);
    let mut thing = of_directory(
        "ExchangeServer",
        name.as_str(),
        vec![
            ("Name", text(name)),
            ("Fqdn", text(server.fqdn.known().unwrap())),
            ("AdminDisplayVersion", Cell::Thing("Microsoft.Exchange.Data.ServerVersion", display)),
            ("IsEdgeServer", Cell::Bool(server.is_edge())),
            ("Site", site.map_or(Cell::Null, |site| text(site_path(&site)))),
            (
                "ServerRole",
                Cell::Enum(
                    "Microsoft.Exchange.Data.Directory.SystemConfiguration.ServerRole",
                    names.join(", "),
                    number,
                ),
            ),
        ],
    );
    thing.types[0] = "Microsoft.Exchange.Data.Directory.Management.ExchangeServer".into();
    thing
}

fn send_connector(name: &ConnectorName, connector: &SendConnector) -> Thing {
    let SendConnector {
        source_servers,
        address_spaces,
        smart_hosts,
        fqdn,
        tls_certificate_name,
        require_tls,
        tls_auth_level,
        tls_domain,
        cloud_services_mail,
        domain_secure,
        enabled,
    } = connector;
    let level = |level: &TlsAuthLevel| {
        let number = match level {
            TlsAuthLevel::EncryptionOnly => 1,
            TlsAuthLevel::CertificateValidation => 2,
            TlsAuthLevel::DomainValidation => 3,
        };
        Cell::Enum("Microsoft.Exchange.Data.TlsAuthLevel", format!("{level:?}"), number)
    };
    let things = |kind: &'static str, texts: &[String]| {
        Cell::List(texts.iter().map(|text| Cell::Thing(kind, text.clone())).collect())
    };
    of_directory(
        "SmtpSendConnectorConfig",
        name.as_str(),
        vec![
            ("Name", text(name)),
            ("SourceTransportServers", Cell::List(source_servers.iter().map(directory_object).collect())),
            ("AddressSpaces", things("Microsoft.Exchange.Data.AddressSpace", address_spaces)),
            ("SmartHosts", things("Microsoft.Exchange.Data.SmartHost", smart_hosts)),
            ("Fqdn", fqdn.as_ref().map_or(Cell::Null, fqdn_of)),
            ("TlsCertificateName", tls_name(tls_certificate_name.as_ref())),
            ("RequireTLS", Cell::Bool(*require_tls)),
            ("TlsAuthLevel", tls_auth_level.as_ref().map_or(Cell::Null, level)),
            ("TlsDomain", tls_domain.as_ref().map_or(Cell::Null, text)),
            ("CloudServicesMailEnabled", Cell::Bool(*cloud_services_mail)),
            ("DomainSecureEnabled", Cell::Bool(*domain_secure)),
            ("Enabled", Cell::Bool(*enabled)),
        ],
    )
}

fn receive_connector(server: &ServerName, name: &ConnectorName, connector: &ReceiveConnector) -> Thing {
    let ReceiveConnector {
        role,
        bindings,
        fqdn,
        tls_certificate_name,
        auth,
        tls_domain_capabilities,
        require_tls,
        suppress_anonymous_tls,
        remote_ranges,
        domain_secure,
        enabled,
    } = connector;
    let everybody =
        ["::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "0.0.0.0-255.255.255.255"].map(str::to_owned);
    let ranges = if remote_ranges.is_empty() { &everybody } else { &**remote_ranges };
    let bits = |auth: &AuthMechanism| match auth {
        AuthMechanism::Tls => 1,
        AuthMechanism::Integrated => 2,
        AuthMechanism::BasicAuth => 4,
        AuthMechanism::BasicAuthRequireTls => 8,
        AuthMechanism::ExchangeServer => 16,
        AuthMechanism::ExternalAuthoritative => 32,
    };
    let role_number = match role {
        TransportRole::FrontendTransport => 16384,
        TransportRole::HubTransport => 32,
    };
    let names: Vec<String> = auth.iter().map(|auth| format!("{auth:?}")).collect();
    let things = |kind: &'static str, texts: &[String]| {
        Cell::List(texts.iter().map(|text| Cell::Thing(kind, text.clone())).collect())
    };
    of_directory(
        "ReceiveConnector",
        &format!("{server}\\{name}"),
        vec![
            ("Name", text(name)),
            ("Server", directory_object(server)),
            (
                "TransportRole",
                Cell::Enum(
                    "Microsoft.Exchange.Data.Directory.SystemConfiguration.ServerRole",
                    role.to_string(),
                    role_number,
                ),
            ),
            ("Bindings", things("Microsoft.Exchange.Data.IPBinding", bindings)),
            ("RemoteIPRanges", things("Microsoft.Exchange.Data.IPRange", ranges)),
            ("DomainSecureEnabled", Cell::Bool(*domain_secure)),
            ("Fqdn", fqdn.as_ref().map_or(Cell::Null, fqdn_of)),
            ("TlsCertificateName", tls_name(tls_certificate_name.as_ref())),
            (
                "AuthMechanism",
                Cell::Enum(
                    "Microsoft.Exchange.Data.Directory.SystemConfiguration.AuthMechanisms",
                    names.join(", "),
                    auth.iter().map(bits).sum(),
                ),
            ),
            (
                "TlsDomainCapabilities",
                things("Microsoft.Exchange.Data.SmtpReceiveDomainCapabilities", tls_domain_capabilities),
            ),
            ("RequireTLS", Cell::Bool(*require_tls)),
            ("SuppressXAnonymousTls", Cell::Bool(*suppress_anonymous_tls)),
            ("Enabled", Cell::Bool(*enabled)),
        ],
    )
}

pub(crate) fn tls_name(name: Option<&TlsCertificateName>) -> Cell {
    name.map_or(Cell::Null, |name| {
        Cell::Thing("Microsoft.Exchange.Data.SmtpX509Identifier", name.to_string())
    })
}

fn flags(services: &Services) -> i32 {
    i32::try_from(services.iter().map(|service| service.flag()).sum::<u32>()).unwrap()
}
