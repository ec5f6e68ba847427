//! The verbs: each is one request, made of the cmdlet that the printed script shows too.

mod common;
mod outcome;
mod removals;

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use serde_json::json;

use self::{
    common::{decoded, exactly, set, unreadable},
    outcome::{Changed, changed, driver_error, stored},
};
use super::{
    PowerShell,
    error::PowerShellError,
    request::{Content, Request, SERVICE_SECONDS},
    session::WindowsAccess,
};
use crate::{
    exchange::{
        cmdlet::{self, Capability, Cmdlet, Content as File},
        refusal::Why,
    },
    model::{
        action::{CertRef, CertificateRequest, ConnectorRef, DefaultSmtp, ServiceGroup},
        bundle::{Answer, Bundle},
        dn::TlsCertificateName,
        names::{ConnectorName, DnsName, FriendlyName, OverrideName, ServerName},
        server::UmStartupMode,
        service::{MailService, Restartable, Service, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
        version::Release,
    },
    pki::{self, pem, pfx},
    ports::{
        FoundDrained,
        driver::{Driver, DriverError, NamedRemoval},
        enrolment::NewRequest,
        evidence::Verified,
    },
};

/// What `Export-ExchangeCertificate` gave.
#[derive(Deserialize)]
struct Exported {
    certificate: String,
    pfx: Option<String>,
}

/// What is published next.
#[derive(Deserialize)]
struct Staged {
    next: Thumbprint,
}

impl Driver for PowerShell {
    /// Files of servers are not read. Exchange 2007 has no remote PowerShell, and its own is older than the driver's.
    fn capabilities(&self, server: &ServerName) -> BTreeSet<Capability> {
        let Some(session) = self.sessions.get(server) else { return BTreeSet::new() };
        let is_2007 = self.version(server).is_some_and(|version| version.release() == Release::Exchange2007);
        let exchange = (!is_2007).then_some(Capability::ExchangeCmdlets);
        let windows: &[Capability] = match session.endpoint.windows {
            WindowsAccess::Same | WindowsAccess::Other(_) | WindowsAccess::Through(_) => {
                &[Capability::Iis, Capability::CertificateStore, Capability::Services]
            }
            WindowsAccess::None => &[],
        };
        let refused = |capability: &Capability| self.refusal(server, *capability).is_some();
        let windows = windows.iter().copied().filter(|capability| !refused(capability));
        exchange.into_iter().chain(windows).collect()
    }

    fn refusal(&self, server: &ServerName, capability: Capability) -> Option<String> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(server)?.get(&capability).cloned()
    }

    fn create(
        &self,
        server: &ServerName,
        request: &CertificateRequest,
    ) -> Result<(Thumbprint, Timestamp), DriverError> {
        let session = self.session(server)?;
        let cmdlet = cmdlet::create(self.target(session), request).unattended();
        let (made, _) = self.made(session, &cmdlet)?;
        Ok((made.thumbprint, made.not_after))
    }

    fn request(&self, server: &ServerName, request: &CertificateRequest) -> Result<NewRequest, DriverError> {
        let session = self.session(server)?;
        let cmdlet = cmdlet::request(self.target(session), request, "").unattended();
        let (stand_in, text) = self.made(session, &cmdlet)?;
        let what = || format!("New-ExchangeCertificate -GenerateRequest on {server}");
        let text = text.ok_or_else(|| DriverError::barred(what(), "no request was given back"))?;
        let request = pem::request(text.as_bytes()).or_else(|error| {
            // With -BinaryEncoded it comes without its lines.
            BASE64_STANDARD.decode(text.trim()).map_err(|_| error)
        });
        let request = request.map_err(|error| DriverError::barred(what(), error))?;
        Ok(NewRequest { thumbprint: stand_in.thumbprint, public_key: stand_in.public_key.clone(), request })
    }

    fn complete(
        &self,
        server: &ServerName,
        answer: &Answer,
        friendly_name: &FriendlyName,
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let thumbprint = answer.certificate.thumbprint;
        let what = format!("Import-ExchangeCertificate of {} on {server}", thumbprint.short());
        let der = &answer.certificate.der.0;
        // With the certificates above it, which the server needs to send them along; PKCS#7 holds them all.
        let file = if answer.chain.is_empty() {
            der.clone()
        } else {
            pki::answer::to_pkcs7(answer).map_err(|error| DriverError::barred(what.clone(), error))?
        };
        let cmdlet = cmdlet::complete(self.target(session), File::File(String::new()), friendly_name);
        let content = Content { bytes: Some(&file), password: None };
        let request = self.of(session, "certificate.complete");
        let request = request
            .with("thumbprint", thumbprint.to_string())
            .with("certificate", BASE64_STANDARD.encode(der))
            .with_call("call", &cmdlet.unattended(), &content)
            .map_err(|error| DriverError::barred(what.clone(), error))?;
        stored(server, thumbprint, changed(session, &request, what, Why::NoRequest(thumbprint)))
    }

    fn remove_request(&self, server: &ServerName, request: Thumbprint) -> Result<(), DriverError> {
        self.removed(server, request, &[], true)
    }

    fn import(
        &self,
        server: &ServerName,
        bundle: &Bundle,
        friendly_name: &FriendlyName,
        exportable: bool,
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let thumbprint = bundle.certificate.thumbprint;
        let what = format!("Import-ExchangeCertificate of {} on {server}", thumbprint.short());
        let failed = |error: PowerShellError| DriverError::barred(what.clone(), error);
        // What travels is under a password of its own: the server may write the parameters of its cmdlets down.
        let password = pki::ephemeral_password().map_err(|error| DriverError::barred(what.clone(), error))?;
        let encryption = pfx::Encryption::for_server(self.version(server));
        let file = pfx::to_travel(bundle, &password, friendly_name.as_str(), encryption)
            .map_err(|error| failed(error.into()))?;
        let cmdlet =
            cmdlet::import(self.target(session), File::File(String::new()), friendly_name, exportable);
        let content = Content { bytes: Some(&file), password: Some(&password) };
        let request = self.of(session, "certificate.import").with("thumbprint", thumbprint.to_string());
        let request = request.with_call("call", &cmdlet.unattended(), &content).map_err(failed)?;
        stored(server, thumbprint, changed(session, &request, what, Why::NotImportable))
    }

    fn export(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        with_key: bool,
    ) -> Result<Bundle, DriverError> {
        let session = self.session(server)?;
        let what = format!("Export-ExchangeCertificate of {} on {server}", certificate.short());
        let failed = |error: PowerShellError| DriverError::barred(what.clone(), error);
        let password = pki::ephemeral_password().map_err(|error| DriverError::barred(what.clone(), error))?;
        let mut request = self.of(session, "certificate.export").with("thumbprint", certificate.to_string());
        request.changes = false;
        if with_key {
            let cmdlet = cmdlet::export(self.target(session), CertRef::Known(certificate), "");
            let content = Content { bytes: None, password: Some(&password) };
            request = request.with_call("call", &cmdlet.unattended(), &content).map_err(failed)?;
        }
        let exported = session
            .call::<Exported>(&request)
            .map_err(|error| driver_error(session, what.clone(), error, Why::NotFound(certificate)))?
            .result;
        let unreadable = |of, source| failed(unreadable(server, of, source));
        if let Some(file) = exported.pfx {
            let file =
                BASE64_STANDARD.decode(file).map_err(|error| unreadable("a PFX file", error.into()))?;
            return pfx::read(&file, &password).map_err(|error| failed(error.into()));
        }
        let certificate = decoded(server, &exported.certificate).map_err(failed)?;
        Ok(Bundle { certificate, chain: Vec::new(), key: None })
    }

    fn bind(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        services: &Services,
        default_smtp: DefaultSmtp,
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let what = format!("Enable-ExchangeCertificate of {} on {server}", certificate.short());
        let unreached = |error| driver_error(session, what.clone(), error, Why::NotFound(certificate));
        // Where nobody can say no, the plan knows it and puts the default certificate back afterwards.
        let answers = session.answers_prompts().map_err(unreached)?;
        let is_asked = default_smtp == DefaultSmtp::Keep && services.contains(&Service::Smtp);
        if is_asked && !answers && *self.answered.lock().unwrap_or_else(PoisonError::into_inner) {
            let why = "nobody can answer any more whether the default SMTP certificate stays, and the plan rests on that: run \
                       the same command again, which plans anew";
            return Err(DriverError::barred(what, why));
        }
        let answer = if answers { default_smtp } else { DefaultSmtp::Replace };
        let keeps = answer == DefaultSmtp::Keep && services.contains(&Service::Smtp);
        let cmdlet = cmdlet::enable(self.target(session), CertRef::Known(certificate), services, answer);
        let request = self.of(session, "certificate.enable").with("thumbprint", certificate.to_string());
        let request = request
            .with("keep_default", keeps)
            .with_call("call", &cmdlet.unattended(), &Content::default())
            .map_err(|error| DriverError::barred(what.clone(), error))?;
        // Enabling twice is enabling once, and whether it was done cannot be seen from here.
        let enabled = session.call::<Changed>(&request);
        let enabled =
            enabled.map(drop).map_err(|error| driver_error(session, what, error, Why::NotFound(certificate)));
        if services.contains(&Service::Iis) {
            self.note_bindings(server, &enabled, HTTPS, None);
        }
        enabled
    }

    fn bind_site(
        &self,
        server: &ServerName,
        site: &SiteBinding,
        certificate: Thumbprint,
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let SiteBinding { site: name, address, port, host } = site;
        let seen = self.seen_binding(server, site);
        let request = self
            .of(session, "iis.bind")
            .with("site", name.as_str())
            .with("address", address.as_deref().unwrap_or_default())
            .with("port", *port)
            .with("host", host.as_ref().map_or("", DnsName::as_str))
            .with("thumbprint", certificate.to_string())
            .with("expected", json!(seen));
        let what = format!("setting {site} on {server}");
        let bound = changed(session, &request, what, Why::NoSuchBinding(site.to_string())).map(drop);
        self.note_bindings(server, &bound, *port, Some((site, certificate)));
        bound
    }

    fn set_x509_certificate_name(
        &self,
        server: &ServerName,
        service: MailService,
        name: Option<&DnsName>,
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let setting = cmdlet::set_x509_certificate_name(self.target(session), service, name);
        set(session, setting, Why::NoSuchServer)
    }

    fn set_um_startup_mode(
        &self,
        server: &ServerName,
        call_router: bool,
        mode: UmStartupMode,
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let setting = cmdlet::set_um_startup_mode(self.target(session), call_router, mode);
        set(session, setting, Why::NoSuchServer)
    }

    fn repoint_receive(
        &self,
        server: &ServerName,
        connector: &ConnectorName,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let reference = ConnectorRef::Receive { server: server.clone(), name: connector.clone() };
        let setting = cmdlet::repoint(&reference, exactly(to).as_ref());
        set(session, setting, Why::NoSuchConnector(connector.clone()))
    }

    fn repoint_send(
        &self,
        connector: &ConnectorName,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError> {
        let reference = ConnectorRef::Send { name: connector.clone() };
        let setting = cmdlet::repoint(&reference, exactly(to).as_ref());
        self.anywhere("Get-SendConnector", |session| {
            set(session, setting.clone(), Why::NoSuchConnector(connector.clone()))
        })
    }

    fn synchronize_edge(&self, server: &ServerName) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let what = format!("Start-EdgeSynchronization for {server}");
        let request = Request::change("edge.synchronize", json!({}))
            .with_call("call", &cmdlet::synchronize_edge(server).unattended(), &Content::default())
            .map_err(|error| DriverError::barred(what.clone(), error))?;
        let synchronized = session.call::<Changed>(&request);
        synchronized.map(drop).map_err(|error| driver_error(session, what, error, Why::NoSuchServer))
    }

    fn stage_auth(&self, certificate: Thumbprint, effective: Option<Timestamp>) -> Result<(), DriverError> {
        let cmdlet = cmdlet::stage_auth(CertRef::Known(certificate), effective);
        let arguments = json!({ "thumbprint": certificate.to_string() });
        self.set_auth("auth.stage", arguments, cmdlet)
    }

    fn publish_auth(&self) -> Result<(), DriverError> {
        // Which one is published is asked before: when the answer is lost, a look tells whether it is the current one.
        let what = "Set-AuthConfig".to_owned();
        let request = Request { what_if: true, ..Request::look("auth.publish", json!({})) };
        let request = request
            .with_call("call", &cmdlet::publish_auth().unattended(), &Content::default())
            .map_err(|error| DriverError::barred(what.clone(), error))?;
        let next = self.anywhere("Get-AuthConfig", |session| {
            let next = session.call::<Staged>(&request);
            next.map_err(|error| driver_error(session, what.clone(), error, Why::NoAuthConfig))
        });
        let next = next?.result.next;
        self.set_auth("auth.publish", json!({ "thumbprint": next }), cmdlet::publish_auth())
    }

    fn clear_previous_auth(&self) -> Result<(), DriverError> {
        self.set_auth("auth.clear", json!({}), cmdlet::clear_previous_auth())
    }

    fn repoint_hybrid(&self, to: Option<&TlsCertificateName>) -> Result<(), DriverError> {
        let setting = cmdlet::repoint(&ConnectorRef::Hybrid {}, exactly(to).as_ref());
        self.anywhere("Get-HybridConfiguration", |session| {
            set(session, setting.clone(), Why::NoHybridConfiguration)
        })
    }

    fn set_im_certificate(
        &self,
        name: &OverrideName,
        certificate: Thumbprint,
        servers: &[ServerName],
    ) -> Result<(), DriverError> {
        let what = format!("Set-SettingOverride {name}");
        let (read, set) = cmdlet::set_override(name, CertRef::Known(certificate));
        let refresh: Vec<Cmdlet> = servers.iter().map(cmdlet::refresh_overrides).collect();
        let request = Request::change("override.set", json!({ "thumbprint": certificate.to_string() }));
        let request = request
            .with_call("read", &read, &Content::default())
            .and_then(|request| request.with_call("call", &set.unattended(), &Content::default()))
            .and_then(|request| request.with_calls("refresh", &refresh))
            .map_err(|error| DriverError::barred(what.clone(), error))?;
        self.anywhere("Get-SettingOverride", |session| {
            changed(session, &request, what.clone(), Why::NoSuchOverride(name.clone())).map(drop)
        })
    }

    fn restart(
        &self,
        server: &ServerName,
        what: Restartable,
        services: &[String],
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let request = self
            .of(session, "service.restart")
            .with("services", services)
            .with("pools", what == Restartable::WebApps)
            .with("seconds", SERVICE_SECONDS);
        // Restarting once more does no harm, so that there is nothing to look at when the answer does not come.
        let doing = format!("restarting {what} on {server}");
        let restarted = session.call::<Changed>(&request);
        restarted.map(drop).map_err(|error| driver_error(session, doing, error, Why::NoSuchServer))
    }

    fn start(&self, server: &ServerName, services: &[String]) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let request = self.of(session, "service.resume").with("services", services);
        let what = format!("starting {} on {server}", services.join(", "));
        let started = session.call::<Changed>(&request);
        started.map(drop).map_err(|error| driver_error(session, what, error, Why::NoSuchServer))
    }

    fn drain_transport(
        &self,
        server: &ServerName,
        redirect_to: &DnsName,
        found: FoundDrained,
    ) -> Result<(), DriverError> {
        let session = self.session(server)?;
        let what = format!("draining transport on {server}");
        let calls = [
            ("read", cmdlet::read_hub_transport(server)),
            ("drain", cmdlet::set_hub_transport(server, false).unattended()),
            ("redirect", cmdlet::redirect_messages(server, redirect_to).unattended()),
            ("queues", cmdlet::read_queues(server)),
            ("activate", cmdlet::set_hub_transport(server, true).unattended()),
        ];
        let mut request = self
            .of(session, "transport.drain")
            .with("seconds", QUEUE_SECONDS)
            .with("own", found == FoundDrained::Own);
        for (name, cmdlet) in &calls {
            let added = request.with_call(name, cmdlet, &Content::default());
            request = added.map_err(|error| DriverError::barred(what.clone(), error))?;
        }
        // Draining once more does no harm, so that there is nothing to look at when the answer does not come.
        let drained = session.call::<Changed>(&request);
        drained.map(drop).map_err(|error| driver_error(session, what, error, Why::InMaintenance))
    }

    fn take_back(&self, server: &ServerName, certificate: Thumbprint) -> Result<(), DriverError> {
        self.removed(server, certificate, &[], false)
    }

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
        self.removed(server, certificate, while_stopped, false)
    }
}

/// The port of the bindings that enabling a certificate for IIS sets (facts 11.1).
const HTTPS: u16 = 443;

/// How long queues are waited for. What is still in them waits there for the restart, and nothing is lost.
const QUEUE_SECONDS: u32 = 60;
