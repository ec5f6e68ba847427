//! The cmdlets on a lab: Exchange's rules on the state, and real keys and certificates beside it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Lab, auth,
    change::{into_driver_error, organization_of, reads_modern, refused, through_pfx},
    directory::OrganizationState,
    failed,
    files::LabError,
    intermediates, overrides,
    seed::Prompts,
};
use crate::{
    exchange::{edge, refusal::Why, verbs},
    model::{
        action::{CertificateRequest, DefaultSmtp, ServiceGroup},
        bundle::{Answer, Bundle},
        dn::TlsCertificateName,
        fact::Fact,
        names::{ConnectorName, DnsName, FriendlyName, OverrideName, ServerName},
        server::{
            CertificateStatus, KeyProvider, PendingRequest, RootType, StoredCertificate, UmStartupMode,
        },
        service::{MailService, Restartable, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    pki::{
        keys,
        mint::{self, CertificateContent},
        pfx,
    },
    ports::{
        FoundDrained,
        driver::{Driver, DriverError, NamedRemoval, Observer, Wanted},
        enrolment::NewRequest,
        evidence::Verified,
    },
};

impl Driver for Lab {
    fn needs_pauses(&self) -> bool {
        false
    }

    fn create(
        &self,
        server: &ServerName,
        request: &CertificateRequest,
    ) -> Result<(Thumbprint, Timestamp), DriverError> {
        let doing = || format!("New-ExchangeCertificate on {server}");
        let key = self.keys.make(request.key).map_err(|error| failed(doing(), error))?;
        let result = self.change(server, &doing(), |organization, _| {
            let state = organization.servers.get(server).and_then(|server| server.version.known());
            let years = state.map_or(5, |version| version.release().self_signed_years());
            let content = CertificateContent {
                subject: &request.subject,
                names: &request.names,
                not_before: self.now,
                not_after: self.now.plus_years(years),
            };
            let certificate = mint::self_signed(&content, &key).map_err(LabError::key)?;
            let (thumbprint, not_after) = (certificate.thumbprint, certificate.not_after);
            self.directory.write_key(server, thumbprint, &keys::to_pkcs8(&key))?;
            verbs::store(
                organization,
                server,
                StoredCertificate {
                    certificate,
                    has_private_key: true,
                    key_provider: Fact::Known(KeyProvider::Csp),
                    exportable: Fact::Known(request.exportable),
                    friendly_name: Fact::Known(request.friendly_name.to_string()),
                    services: Fact::Known(Services::new()),
                    // Setup puts its certificate into the root store, New-ExchangeCertificate does not (facts 4.1).
                    root_type: Fact::Known(RootType::None),
                    status: Fact::Known(CertificateStatus::Valid),
                },
            )?;
            Ok((thumbprint, not_after))
        })?;
        self.note_keys()?;
        Ok(result)
    }

    fn request(&self, server: &ServerName, request: &CertificateRequest) -> Result<NewRequest, DriverError> {
        let doing = || format!("New-ExchangeCertificate -GenerateRequest on {server}");
        let key = self.keys.make(request.key).map_err(|error| failed(doing(), error))?;
        let result = self.change(server, &doing(), |organization, _| {
            let content = CertificateContent {
                subject: &request.subject,
                names: &request.names,
                not_before: self.now,
                not_after: self.now.plus_years(1),
            };
            let stand_in = mint::self_signed(&content, &key).map_err(LabError::key)?;
            let der = mint::request(&request.subject, &request.names, &key).map_err(LabError::key)?;
            let new = NewRequest {
                thumbprint: stand_in.thumbprint,
                public_key: stand_in.public_key.clone(),
                request: der,
            };
            self.directory.write_key(server, new.thumbprint, &keys::to_pkcs8(&key))?;
            let pending = PendingRequest {
                certificate: stand_in,
                friendly_name: Fact::Known(request.friendly_name.to_string()),
                exportable: Fact::Known(request.exportable),
            };
            verbs::request(organization, server, pending)?;
            Ok(new)
        })?;
        self.note_keys()?;
        Ok(result)
    }

    fn complete(
        &self,
        server: &ServerName,
        answer: &Answer,
        friendly_name: &FriendlyName,
    ) -> Result<(), DriverError> {
        let thumbprint = answer.certificate.thumbprint;
        let doing = format!("Import-ExchangeCertificate of {} on {server}", thumbprint.short());
        let request = self.change(server, &doing, |organization, _| {
            let certificate = answer.certificate.clone();
            let pending = verbs::complete(organization, server, certificate, friendly_name)?;
            let request =
                pending.ok_or_else(|| refused(server, Why::NoRequest(thumbprint)))?.certificate.thumbprint;
            self.directory.add_intermediates(server, &answer.chain)?;
            self.directory.write_key(server, thumbprint, &self.directory.key(server, request)?)?;
            Ok(request)
        })?;
        self.directory.forget_key(server, request);
        Ok(())
    }

    fn remove_request(&self, server: &ServerName, request: Thumbprint) -> Result<(), DriverError> {
        let doing = format!("Remove-ExchangeCertificate of request {} on {server}", request.short());
        self.change(server, &doing, |organization, _| {
            Ok(verbs::remove_request(organization, server, request)?)
        })?;
        self.directory.forget_key(server, request);
        Ok(())
    }

    fn import(
        &self,
        server: &ServerName,
        bundle: &Bundle,
        friendly_name: &FriendlyName,
        exportable: bool,
    ) -> Result<(), DriverError> {
        let doing = format!("Import-ExchangeCertificate on {server}");
        // As on a real server, what travels is a PFX under a password of its own.
        let state = self.directory.server(server).map_err(|error| into_driver_error(doing.clone(), error))?;
        let version = state.server.version.known().copied();
        let encryption = pfx::Encryption::for_server(version);
        let travelled = through_pfx(bundle, friendly_name.as_str(), encryption)
            .map_err(|error| failed(doing.clone(), error))?;
        let provider = self
            .provider_of(bundle.certificate.thumbprint)
            .map_err(|error| into_driver_error(doing.clone(), error))?;
        self.change(server, &doing, |organization, _| {
            if travelled.encryption == pfx::Encryption::Modern && !version.is_some_and(reads_modern) {
                return Err(refused(server, Why::NotImportable));
            }
            let travelled = travelled.bundle;
            let thumbprint = travelled.certificate.thumbprint;
            let key = travelled.key.as_ref().ok_or_else(|| refused(server, Why::NotImportable))?;
            let stored = StoredCertificate {
                certificate: travelled.certificate.clone(),
                has_private_key: true,
                key_provider: Fact::Known(provider),
                exportable: Fact::Known(exportable),
                friendly_name: Fact::Known(friendly_name.to_string()),
                services: Fact::Known(Services::new()),
                root_type: Fact::Known(intermediates::root_type(&state.server, &travelled.certificate)),
                status: Fact::Known(CertificateStatus::Valid),
            };
            verbs::store(organization, server, stored)?;
            self.directory.add_intermediates(server, &travelled.chain)?;
            self.directory.write_key(server, thumbprint, key)
        })
    }

    fn export(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        with_key: bool,
    ) -> Result<Bundle, DriverError> {
        let doing = || format!("Export-ExchangeCertificate of {} on {server}", certificate.short());
        let read = || -> Result<Bundle, LabError> {
            let state = self.directory.server(server)?;
            let organization = organization_of(server, &state, &self.directory.organization()?);
            let not_found = || refused(server, Why::NotFound(certificate));
            let stored = state.server.certificate(certificate).ok_or_else(not_found)?;
            let key = if with_key {
                verbs::check_export(&organization, server, certificate, self.now)?;
                // A key that is gone is found out when somebody wants it.
                let key = self.directory.key(server, certificate);
                Some(key.map_err(|_| refused(server, Why::NotExportable))?)
            } else {
                None
            };
            let chain = self.directory.chain_above(server, &stored.certificate)?;
            Ok(Bundle { certificate: stored.certificate.clone(), chain, key })
        };
        let bundle = read().map_err(|error| into_driver_error(doing(), error))?;
        if with_key {
            let travelled = through_pfx(&bundle, "export", pfx::Encryption::Readable);
            travelled.map(|travelled| travelled.bundle).map_err(|error| failed(doing(), error))
        } else {
            Ok(bundle)
        }
    }

    fn bind(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        services: &Services,
        default_smtp: DefaultSmtp,
    ) -> Result<(), DriverError> {
        self.change(server, &format!("Enable-ExchangeCertificate on {server}"), |organization, _| {
            let answer = match self.prompts {
                Prompts::Answer => default_smtp,
                Prompts::Force => DefaultSmtp::Replace,
            };
            verbs::enable(organization, server, certificate, services, answer)?;
            Ok(())
        })
    }

    fn bind_site(
        &self,
        server: &ServerName,
        site: &SiteBinding,
        certificate: Thumbprint,
    ) -> Result<(), DriverError> {
        self.change(server, &format!("setting {site} on {server}"), |organization, _| {
            Ok(verbs::bind_site(organization, server, site, Some(certificate))?)
        })
    }

    fn set_x509_certificate_name(
        &self,
        server: &ServerName,
        service: MailService,
        name: Option<&DnsName>,
    ) -> Result<(), DriverError> {
        self.change(
            server,
            &format!("setting X509CertificateName of {service} on {server}"),
            |organization, _| Ok(verbs::set_x509_certificate_name(organization, server, service, name)?),
        )
    }

    fn set_um_startup_mode(
        &self,
        server: &ServerName,
        call_router: bool,
        mode: UmStartupMode,
    ) -> Result<(), DriverError> {
        self.change(server, &format!("setting UMStartupMode on {server}"), |organization, _| {
            Ok(verbs::set_um_startup_mode(organization, server, call_router, mode)?)
        })
    }

    fn repoint_receive(
        &self,
        server: &ServerName,
        connector: &ConnectorName,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError> {
        self.change(server, &format!("Set-ReceiveConnector {connector} on {server}"), |organization, _| {
            Ok(verbs::repoint_receive(organization, server, connector, to.cloned())?)
        })
    }

    fn repoint_send(
        &self,
        connector: &ConnectorName,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError> {
        let change = |state: &mut OrganizationState| {
            let mut organization = state.clone().with(BTreeMap::new());
            verbs::repoint_send(&mut organization, connector, to.cloned())?;
            state.send_connectors = organization.send_connectors.known().cloned().unwrap_or_default();
            Ok(())
        };
        let changed = self.directory.change_organization(change);
        changed.map_err(|error| into_driver_error(format!("Set-SendConnector {connector}"), error))
    }

    fn repoint_hybrid(&self, to: Option<&TlsCertificateName>) -> Result<(), DriverError> {
        let change = |state: &mut OrganizationState| {
            let mut organization = state.clone().with(BTreeMap::new());
            verbs::repoint_hybrid(&mut organization, to.cloned())?;
            state.hybrid = organization.hybrid.known().cloned().flatten();
            Ok(())
        };
        let changed = self.directory.change_organization(change);
        changed.map_err(|error| into_driver_error("Set-HybridConfiguration".into(), error))
    }

    fn set_im_certificate(
        &self,
        name: &OverrideName,
        certificate: Thumbprint,
        _: &[ServerName],
    ) -> Result<(), DriverError> {
        let set = overrides::override_im_certificate(&self.directory, name, certificate);
        set.map_err(|error| into_driver_error(format!("Set-SettingOverride {name}"), error))
    }

    fn restart(&self, server: &ServerName, what: Restartable, _: &[String]) -> Result<(), DriverError> {
        let doing = format!("restarting {what} on {server}");
        let restarted = self.directory.change_server(server, |state, _| {
            state.loaded.restart(&state.server, what, self.now);
            Ok(())
        });
        let restarted = restarted.and_then(|()| match what {
            Restartable::ServiceHost => auth::service_host_started(&self.directory, self.now),
            Restartable::Transport
            | Restartable::Pop
            | Restartable::Imap
            | Restartable::MailboxTransport
            | Restartable::Um
            | Restartable::UmCallRouter
            | Restartable::Iis
            | Restartable::WebApps => Ok(()),
        });
        restarted.map_err(|error| into_driver_error(doing, error))
    }

    fn start(&self, server: &ServerName, services: &[String]) -> Result<(), DriverError> {
        let started = self.directory.change_server(server, |state, _| {
            let stopped = state.server.services.known_mut().into_iter().flatten();
            for (_, runs) in stopped.filter(|(name, _)| services.contains(name)) {
                *runs = true;
            }
            Ok(())
        });
        started.map_err(|error| into_driver_error(format!("starting services of {server}"), error))
    }

    /// Nothing of it stays, so that there is nothing to write down.
    /// A lab's servers are never drained by anybody else.
    fn drain_transport(
        &self,
        server: &ServerName,
        redirect_to: &DnsName,
        _: FoundDrained,
    ) -> Result<(), DriverError> {
        // A server's name is nearly always the first label of its FQDN: not everyone is asked for each one that is drained.
        let likely = redirect_to.as_str().split('.').next().and_then(|label| label.parse().ok());
        let both = likely.into_iter().chain([server.clone()]).collect();
        let organization = self.observe(Wanted::Servers(&both))?.organization;
        if verbs::check_drain(&organization, server, redirect_to).is_ok() {
            return Ok(());
        }
        let organization = self.observe(Wanted::Everything)?.organization;
        Ok(verbs::check_drain(&organization, server, redirect_to)?)
    }

    fn stage_auth(&self, certificate: Thumbprint, effective: Option<Timestamp>) -> Result<(), DriverError> {
        let staged = auth::set_auth_config(&self.directory, |organization| {
            Ok(verbs::auth::stage_auth(organization, certificate, effective, self.now)?)
        });
        let distributed = staged.and_then(|()| auth::distribute_auth(&self.directory, certificate));
        distributed.map_err(|error| into_driver_error(format!("staging {}", certificate.short()), error))
    }

    fn synchronize_edge(&self, server: &ServerName) -> Result<(), DriverError> {
        let doing = format!("Start-EdgeSynchronization on {server}");
        let failed = |error| into_driver_error(doing.clone(), error);
        self.directory.server(server).map_err(failed)?;
        let subscriptions = self.directory.organization().map_err(failed)?.edge_subscriptions;
        for own in subscriptions.iter().filter(|own| own.site_servers.contains(server)) {
            self.change(&own.edge, &doing, |organization, _| {
                edge::synchronize(organization, &own.edge);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn publish_auth(&self) -> Result<(), DriverError> {
        let published = auth::set_auth_config(&self.directory, |organization| {
            Ok(verbs::auth::publish_auth(organization)?)
        });
        published.map_err(|error| into_driver_error("publishing the Auth certificate".into(), error))
    }

    fn clear_previous_auth(&self) -> Result<(), DriverError> {
        let cleared = auth::set_auth_config(&self.directory, |organization| {
            Ok(verbs::auth::clear_previous_auth(organization)?)
        });
        cleared.map_err(|error| into_driver_error("clearing the previous Auth certificate".into(), error))
    }

    fn take_back(&self, server: &ServerName, certificate: Thumbprint) -> Result<(), DriverError> {
        self.removed(server, certificate, &[])
    }

    /// The names are cleared and set again by one hand, and every server in between: nobody sees the organization without
    /// them but the removals.
    fn remove_named(&self, removal: &NamedRemoval<'_>, _: &[Arc<Verified>]) -> Result<(), DriverError> {
        self.removed_named(removal)
    }

    fn remove(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        while_stopped: &[ServiceGroup],
        _: &Verified,
    ) -> Result<(), DriverError> {
        self.removed(server, certificate, while_stopped)
    }
}
