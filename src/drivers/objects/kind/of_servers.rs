//! What each server has.

use super::cmdlet::{CmdletKind, Kind, ServerCmdlet};
use crate::model::client_names::ClientDirectory;

pub(super) static EXCHANGE_CERTIFICATE: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::ExchangeCertificate),
    cmdlet: "Get-ExchangeCertificate",
    also: &[],
    types: &["Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate"],
    used: &[
        "RawData",
        "SerializationData",
        "Services",
        "Status",
        "RootCAType",
        "HasPrivateKey",
        "PrivateKeyExportable",
        "FriendlyName",
    ],
    ignored: &[
        // All that the DER says itself.
        "Thumbprint",
        "Subject",
        "Issuer",
        "SerialNumber",
        "NotBefore",
        "NotAfter",
        "CertificateDomains",
        "DnsNameList",
        "EnhancedKeyUsageList",
        "Extensions",
        "IssuerName",
        "SubjectName",
        "KeyIdentifier",
        "SubjectKeyIdentifier",
        "PublicKey",
        "PublicKeySize",
        "SignatureAlgorithm",
        "Version",
        "IsSelfSigned",
        "SelfSigned",
        // Displays and handles.
        "AccessRules",
        "Archived",
        "CertificateRequest",
        "Handle",
        "IISServices", // the bindings say it with their ports
        "ServicesStringForm",
        "SendAsTrustedIssuer",
        "PrivateKey",
    ],
};

pub(super) static RECEIVE_CONNECTOR: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::ReceiveConnector),
    cmdlet: "Get-ReceiveConnector",
    also: &[],
    types: &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ReceiveConnector"],
    used: &[
        "Name",
        "Server",
        "TransportRole",
        "Bindings",
        "Fqdn",
        "TlsCertificateName",
        "AuthMechanism",
        "TlsDomainCapabilities",
        "RequireTLS",
        "SuppressXAnonymousTls",
        "RemoteIPRanges",
        "DomainSecureEnabled",
        "Enabled",
    ],
    ignored: &[
        "Banner",
        "BinaryMimeEnabled",
        "ChunkingEnabled",
        "DefaultDomain",
        "DeliveryStatusNotificationEnabled",
        "EightBitMimeEnabled",
        "SmtpUtf8Enabled",
        "BareLinefeedRejectionEnabled",
        "EnhancedStatusCodesEnabled",
        "LongAddressesEnabled",
        "OrarEnabled",
        "ProxyEnabled",
        "AdvertiseClientSettings",
        "ServiceDiscoveryFqdn",
        "Comment",
        "ConnectionTimeout",
        "ConnectionInactivityTimeout",
        "MessageRateLimit",
        "MessageRateSource",
        "MaxInboundConnection",
        "MaxInboundConnectionPerSource",
        "MaxInboundConnectionPercentagePerSource",
        "MaxHeaderSize",
        "MaxHopCount",
        "MaxLocalHopCount",
        "MaxLogonFailures",
        "MaxMessageSize",
        "MaxProtocolErrors",
        "MaxRecipientsPerMessage",
        "PermissionGroups",
        "PipeliningEnabled",
        "ProtocolLoggingLevel",
        "RequireEHLODomain",
        "EnableAuthGSSAPI",
        "ExtendedProtectionPolicy",
        "LiveCredentialEnabled",
        "RejectReservedTopLevelRecipientDomains",
        "RejectReservedSecondLevelRecipientDomains",
        "RejectSingleLabelRecipientDomains",
        "AcceptConsumerMail",
        "SizeEnabled",
        "TarpitInterval",
        "AuthTarpitInterval",
        "MaxAcknowledgementDelay",
    ],
};

pub(super) static TRANSPORT_SERVICE: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::TransportService),
    cmdlet: "Get-TransportService",
    also: &["Get-TransportServer"],
    types: &["Microsoft.Exchange.Data.Directory.Management.TransportServer"],
    used: &["Name", "InternalTransportCertificateThumbprint"],
    ignored: &[],
};

pub(super) static INTERNAL_TRANSPORT_CERTIFICATE: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::InternalTransportCertificate),
    cmdlet: "Get-InternalTransportCertificate",
    also: &["Get-InternalTransportCertificateFromServer"],
    types: &[],
    used: &["RawData"],
    ignored: &[],
};

/// No cmdlet, but what the printed script for Edge servers writes of the servers of the site.
/// Of certwright's own script. The computer's store `Root` shows third-party roots (`AuthRoot`) too.
pub(super) static ONLINE_ROOT: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::OnlineRoot),
    cmdlet: "certwright-roots",
    also: &[],
    types: &[],
    used: &["DigiCertGlobalRootG2", "DisableRootAutoUpdate"],
    ignored: &[],
};

/// Written by the printed script.
pub(super) static WEB_SETTINGS: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::WebSettings),
    cmdlet: "certwright-iis",
    also: &[],
    types: &[],
    used: &["RequireSsl", "ExtendedProtection"],
    ignored: &[],
};

pub(super) static EDGE_PEERS: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::EdgePeers),
    cmdlet: "certwright-edge-peers",
    also: &[],
    types: &[],
    used: &["Name", "InternalTransportCertificateThumbprint", "RawData"],
    ignored: &[],
};

pub(super) static POP_SETTINGS: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::PopSettings),
    cmdlet: "Get-PopSettings",
    also: &[],
    types: &["Microsoft.Exchange.Data.Directory.SystemConfiguration.Pop3AdConfiguration"],
    used: &[
        "Server",
        "X509CertificateName",
        "UnencryptedOrTLSBindings",
        "SSLBindings",
        "ExternalConnectionSettings",
    ],
    ignored: &[],
};

pub(super) static IMAP_SETTINGS: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::ImapSettings),
    cmdlet: "Get-ImapSettings",
    also: &[],
    types: &["Microsoft.Exchange.Data.Directory.SystemConfiguration.Imap4AdConfiguration"],
    used: &[
        "Server",
        "X509CertificateName",
        "UnencryptedOrTLSBindings",
        "SSLBindings",
        "ExternalConnectionSettings",
    ],
    ignored: &[],
};

pub(super) static UM_SERVICE: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::UmService),
    cmdlet: "Get-UMService",
    also: &["Get-UMServer"],
    types: &["Microsoft.Exchange.Data.Directory.Management.UMServer"],
    used: &["Name", "UMStartupMode"],
    ignored: &[],
};

pub(super) static UM_CALL_ROUTER: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::UmCallRouterSettings),
    cmdlet: "Get-UMCallRouterSettings",
    also: &[],
    types: &["Microsoft.Exchange.Data.Directory.SystemConfiguration.SIPFEServerConfiguration"],
    used: &["Server", "UMStartupMode"],
    ignored: &[],
};

pub(super) static WEB_BINDING: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::WebBinding),
    cmdlet: "Get-WebBinding",
    also: &[],
    // What it derives from is everything in IIS's configuration: sites and applications too.
    types: &["Microsoft.IIs.PowerShell.Framework.ConfigurationElement#bindings#binding"],
    used: &[
        "protocol",
        "bindingInformation",
        "certificateHash",
        "certificateStoreName",
        "sslFlags",
        "ItemXPath",
    ],
    ignored: &["Attributes", "ChildElements", "ElementTagName", "Methods", "Schema", "isDsMapperEnabled"],
};

pub(super) static OPERATING_SYSTEM: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::OperatingSystem),
    cmdlet: "Get-CimInstance",
    also: &["Get-WmiObject", "Win32_OperatingSystem"],
    types: &[
        "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_OperatingSystem",
        "System.Management.ManagementObject#root\\cimv2\\Win32_OperatingSystem",
    ],
    used: &["Caption", "CSName"],
    ignored: &[],
};

pub(super) static WINDOWS_SERVICE: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::WindowsService),
    cmdlet: "Win32_Service",
    also: &["Get-Service"],
    types: &["Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_Service"],
    used: &["Name", "State"],
    ignored: &["StartMode"],
};

/// Written by the printed script: what http.sys, `WinRM` and Remote Desktop name.
pub(super) static OTHER_PROGRAMS: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::OtherPrograms),
    cmdlet: "certwright-other-programs",
    also: &[],
    types: &[],
    used: &["Program", "Thumbprint"],
    ignored: &[],
};

/// Written by the printed script: certificates of the store that have lost their key.
pub(super) static KEYLESS: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::Keyless),
    cmdlet: "certwright-keyless",
    also: &[],
    types: &[],
    used: &["RawData", "FriendlyName"],
    ignored: &["Thumbprint", "HasPrivateKey"],
};

/// Written by the printed script: the CAs above the certificates of the computer, from its stores.
pub(super) static AUTHORITIES: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::Authorities),
    cmdlet: "certwright-authorities",
    also: &[],
    types: &[],
    used: &["RawData"],
    ignored: &[],
};

/// Written by the printed script: events about certificates, by their numbers.
pub(super) static EVENTS: Kind = Kind {
    of: CmdletKind::Server(ServerCmdlet::Events),
    cmdlet: "certwright-events",
    also: &[],
    types: &[],
    used: &["Id", "Count"],
    ignored: &["Last"],
};

/// Where a URL or a host name for clients is kept.
const fn client_directory(
    directory: ClientDirectory,
    cmdlet: &'static str,
    also: &'static [&'static str],
    types: &'static [&'static str],
) -> Kind {
    Kind {
        of: CmdletKind::Server(ServerCmdlet::ClientDirectory(directory)),
        cmdlet,
        also,
        types,
        used: &[
            "Name",
            "Server",
            "InternalUrl",
            "ExternalUrl",
            "InternalHostname",
            "ExternalHostname",
            "AutoDiscoverServiceInternalUri",
        ],
        ignored: &[],
    }
}

pub(super) static OWA: Kind = client_directory(
    ClientDirectory::Owa,
    "Get-OwaVirtualDirectory",
    &[],
    &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ADOwaVirtualDirectory"],
);
pub(super) static ECP: Kind = client_directory(
    ClientDirectory::Ecp,
    "Get-EcpVirtualDirectory",
    &[],
    &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ADEcpVirtualDirectory"],
);
pub(super) static EWS: Kind = client_directory(
    ClientDirectory::Ews,
    "Get-WebServicesVirtualDirectory",
    &[],
    &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ADWebServicesVirtualDirectory"],
);
pub(super) static ACTIVE_SYNC: Kind = client_directory(
    ClientDirectory::ActiveSync,
    "Get-ActiveSyncVirtualDirectory",
    &[],
    &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ADMobileVirtualDirectory"],
);
pub(super) static OAB: Kind = client_directory(
    ClientDirectory::Oab,
    "Get-OabVirtualDirectory",
    &[],
    &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ADOabVirtualDirectory"],
);
pub(super) static MAPI: Kind = client_directory(
    ClientDirectory::Mapi,
    "Get-MapiVirtualDirectory",
    &[],
    &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ADMapiVirtualDirectory"],
);
pub(super) static POWERSHELL: Kind = client_directory(
    ClientDirectory::PowerShell,
    "Get-PowerShellVirtualDirectory",
    &[],
    &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ADPowerShellVirtualDirectory"],
);
pub(super) static OUTLOOK_ANYWHERE: Kind = client_directory(
    ClientDirectory::OutlookAnywhere,
    "Get-OutlookAnywhere",
    &[],
    &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ADRpcHttpVirtualDirectory"],
);
pub(super) static AUTODISCOVER: Kind = client_directory(
    ClientDirectory::Autodiscover,
    "Get-ClientAccessService",
    &["Get-ClientAccessServer"],
    &["Microsoft.Exchange.Data.Directory.Management.ClientAccessServer"],
);
