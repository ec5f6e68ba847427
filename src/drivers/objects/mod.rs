//! Exchange's objects as its cmdlets give them and PowerShell writes them down, read into the model and put together to an
//! organization. No file is opened here and no server is asked; drivers do that.
//!
//! Texts depend on the language of the server: dates, names of enums, "Version 15.2 (Build 986.5)". Numbers do not, so
//! they are read first. Lists come as lists, as one value, or cut off for their depth, which is said.

mod assembly;
mod bag;
mod certificate;
mod client_names;
mod connector;
mod culture;
mod kind;
mod server;
mod settings;
mod site;

pub use self::{
    assembly::{CmdletAnswer, KnownServers, Merger, Part, ServerHint},
    bag::{Bag, ObjectError, flattened},
    certificate::{
        Listed, authority, certificate, internal_transport, keyless, server_of_certificate,
        server_that_signed,
    },
    client_names::client_names,
    connector::{receive_connector, send_connector},
    culture::{DateOrder, moment_of_text},
    kind::{CaptureRecord, CmdletKind, KINDS, Kind, OrganizationCmdlet, ServerCmdlet},
    server::{
        EventCount, ServerFacts, event, exchange_server, online_root, operating_system, other_program,
        web_settings, windows_service,
    },
    settings::{
        accepted_domain, auth_config, domain_security, edge_peer, edge_subscription, federation_trust,
        hybrid_configuration, im_override, is_dedicated_application, mail_access, transport_service,
        um_startup_mode,
    },
    site::web_binding,
};
