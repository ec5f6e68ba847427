//! Writes a blob as Exchange 2019 does, record for record, so that labs and tests need no captures.

use super::{CLASS, ExchangeCertificateBlob, store};
use crate::wire::nrbf::{Member, Writer};

/// Encodes a blob in its plain form.
pub fn encode(blob: &ExchangeCertificateBlob) -> Vec<u8> {
    let ExchangeCertificateBlob {
        certificate,
        friendly_name,
        has_private_key,
        provider_type,
        self_signed,
        status,
        root_ca_type,
        services,
        iis_services,
        private_key_exportable,
        identity,
    } = blob;
    let mut stream = Writer::new(ROOT);
    stream.library(MANAGEMENT, MANAGEMENT_NAME);
    let list = list_class();
    let members = [
        ("CertData", Member::Bytes),
        ("SelfSigned", Member::Boolean),
        ("Status", Member::Class(STATUS_CLASS, MANAGEMENT)),
        ("RootCAType", Member::Class(ROOT_CA_TYPE_CLASS, MANAGEMENT)),
        ("Services", Member::Class(SERVICES_CLASS, MANAGEMENT)),
        ("IISServices", Member::SystemClass(&list)),
        ("PrivateKeyExportable", Member::Boolean),
        ("Identity", Member::Text),
    ];
    stream.class(ROOT, CLASS, &members, MANAGEMENT);
    stream.reference(CERT_DATA);
    stream.boolean(*self_signed);
    // Value types lie where they are used, and their numbers are negative.
    for (id, class, number) in
        [(-4, STATUS_CLASS, status), (-5, ROOT_CA_TYPE_CLASS, root_ca_type), (-6, SERVICES_CLASS, services)]
    {
        stream.class(id, class, &[("value__", Member::Int32)], MANAGEMENT);
        stream.i32(*number);
    }
    stream.reference(LIST);
    stream.boolean(*private_key_exportable);
    match identity {
        Some(identity) => stream.text(IDENTITY, identity),
        None => stream.null(),
    }
    let element = store::Element {
        certificate: certificate.clone(),
        friendly_name: friendly_name.clone(),
        has_private_key: *has_private_key,
        provider_type: *provider_type,
    };
    stream.byte_array(CERT_DATA, &store::write(&element));
    write_list(&mut stream, &list, iis_services);
    stream.end()
}

/// A `List<IisService>`, its array, and what the array refers to.
fn write_list(stream: &mut Writer, class: &str, sites: &[String]) {
    let array_class = format!("{SITE_CLASS}[]");
    let members = [
        ("_items", Member::Class(&array_class, MANAGEMENT)),
        ("_size", Member::Int32),
        ("_version", Member::Int32),
    ];
    let count = i32::try_from(sites.len()).expect("no server has two thousand million sites");
    stream.system_class(LIST, class, &members);
    stream.reference(ARRAY);
    stream.i32(count);
    stream.i32(count); // how often the list was changed
    // A list of .NET has room for four, and doubles it when it is full.
    let room = if sites.is_empty() { 0 } else { sites.len().next_power_of_two().max(4) };
    stream.class_array(ARRAY, room, SITE_CLASS, MANAGEMENT);
    let first = ARRAY + 1;
    (first..first + count).for_each(|id| stream.reference(id));
    stream.nulls(room - sites.len());
    write_sites(stream, sites, first, count);
}

/// An `IisService` each. The first describes the class, and the others are like it.
fn write_sites(stream: &mut Writer, sites: &[String], first: i32, count: i32) {
    let system = first + count;
    let mut next = system + 1;
    let mut validation_like = None;
    for (id, site) in (first..).zip(sites) {
        if id == first {
            stream.library(system, SYSTEM_NAME);
            let members = [
                ("serviceName", Member::Text),
                ("internalUrl", Member::Class(URI_CLASS, system)),
                ("internalUrlValid", Member::Class(VALIDATION_CLASS, MANAGEMENT)),
                ("externalUrl", Member::Class(URI_CLASS, system)),
                ("externalUrlValid", Member::Class(VALIDATION_CLASS, MANAGEMENT)),
            ];
            stream.class(id, SITE_CLASS, &members, MANAGEMENT);
        } else {
            stream.class_like(id, first);
        }
        stream.text(next, site);
        for validation in [-next - 1, -next - 2] {
            stream.null(); // the URL
            if let Some(like) = validation_like {
                stream.class_like(validation, like);
            } else {
                stream.class(validation, VALIDATION_CLASS, &[("value__", Member::Int32)], MANAGEMENT);
                validation_like = Some(validation);
            }
            stream.i32(0);
        }
        next += 3;
    }
}

fn list_class() -> String {
    format!("System.Collections.Generic.List`1[[{SITE_CLASS}, {MANAGEMENT_NAME}]]")
}

// The numbers that .NET gives the objects.
const ROOT: i32 = 1;
const MANAGEMENT: i32 = 2;
const CERT_DATA: i32 = 3;
const LIST: i32 = 7;
const IDENTITY: i32 = 8;
const ARRAY: i32 = 9;

const MANAGEMENT_NAME: &str =
    "Microsoft.Exchange.Management, Version=15.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35";
const SYSTEM_NAME: &str = "System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089";
const STATUS_CLASS: &str = "Microsoft.Exchange.Management.SystemConfigurationTasks.CertificateStatus";
const ROOT_CA_TYPE_CLASS: &str =
    "Microsoft.Exchange.Management.SystemConfigurationTasks.CertificateAuthorityType";
const SERVICES_CLASS: &str = "Microsoft.Exchange.Management.SystemConfigurationTasks.AllowedServices";
const SITE_CLASS: &str = "Microsoft.Exchange.Management.SystemConfigurationTasks.IisService";
const VALIDATION_CLASS: &str = "Microsoft.Exchange.Management.SystemConfigurationTasks.UrlValidation";
const URI_CLASS: &str = "System.Uri";
