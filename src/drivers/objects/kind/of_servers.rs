//! What each server has.

use super::{Kind, Scope};

pub(super) static EXCHANGE_CERTIFICATE: Kind = Kind {
    cmdlet: "Get-ExchangeCertificate",
    also: &[],
    types: &["Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate"],
    scope: Scope::Server,
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
    cmdlet: "Get-ReceiveConnector",
    also: &[],
    types: &["Microsoft.Exchange.Data.Directory.SystemConfiguration.ReceiveConnector"],
    scope: Scope::Server,
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
        "DomainSecureEnabled",
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
        "RemoteIPRanges",
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
    cmdlet: "Get-TransportService",
    also: &["Get-TransportServer"],
    types: &["Microsoft.Exchange.Data.Directory.Management.TransportServer"],
    scope: Scope::Server,
    used: &["Name", "InternalTransportCertificateThumbprint"],
    ignored: &[],
};

pub(super) static INTERNAL_TRANSPORT_CERTIFICATE: Kind = Kind {
    cmdlet: "Get-InternalTransportCertificate",
    also: &["Get-InternalTransportCertificateFromServer"],
    types: &[],
    scope: Scope::Server,
    used: &["RawData"],
    ignored: &[],
};

/// No cmdlet, but what the printed script for Edge servers writes of the servers of the site.
/// Of certwright's own script. The computer's store `Root` shows third-party roots (`AuthRoot`) too.
pub(super) static ONLINE_ROOT: Kind = Kind {
    cmdlet: "certwright-roots",
    also: &[],
    types: &[],
    scope: Scope::Server,
    used: &["DigiCertGlobalRootG2", "DisableRootAutoUpdate"],
    ignored: &[],
};

pub(super) static EDGE_PEERS: Kind = Kind {
    cmdlet: "certwright-edge-peers",
    also: &[],
    types: &[],
    scope: Scope::Server,
    used: &["Name", "InternalTransportCertificateThumbprint"],
    ignored: &[],
};

pub(super) static POP_SETTINGS: Kind = Kind {
    cmdlet: "Get-PopSettings",
    also: &[],
    types: &["Microsoft.Exchange.Data.Directory.SystemConfiguration.Pop3AdConfiguration"],
    scope: Scope::Server,
    used: &["Server", "X509CertificateName"],
    ignored: &[],
};

pub(super) static IMAP_SETTINGS: Kind = Kind {
    cmdlet: "Get-ImapSettings",
    also: &[],
    types: &["Microsoft.Exchange.Data.Directory.SystemConfiguration.Imap4AdConfiguration"],
    scope: Scope::Server,
    used: &["Server", "X509CertificateName"],
    ignored: &[],
};

pub(super) static UM_SERVICE: Kind = Kind {
    cmdlet: "Get-UMService",
    also: &["Get-UMServer"],
    types: &["Microsoft.Exchange.Data.Directory.Management.UMServer"],
    scope: Scope::Server,
    used: &["Name", "UMStartupMode"],
    ignored: &[],
};

pub(super) static UM_CALL_ROUTER: Kind = Kind {
    cmdlet: "Get-UMCallRouterSettings",
    also: &[],
    types: &["Microsoft.Exchange.Data.Directory.SystemConfiguration.SIPFEServerConfiguration"],
    scope: Scope::Server,
    used: &["Server", "UMStartupMode"],
    ignored: &[],
};

pub(super) static WEB_BINDING: Kind = Kind {
    cmdlet: "Get-WebBinding",
    also: &[],
    types: &[
        "Microsoft.IIs.PowerShell.Framework.ConfigurationElement#bindings#binding",
        "Microsoft.IIs.PowerShell.Framework.ConfigurationElement",
    ],
    scope: Scope::Server,
    used: &["protocol", "bindingInformation", "certificateHash", "ItemXPath"],
    ignored: &[
        "Attributes",
        "ChildElements",
        "ElementTagName",
        "Methods",
        "Schema",
        "sslFlags", // the host name in bindingInformation says that it is chosen by SNI
        "isDsMapperEnabled",
        "certificateStoreName",
    ],
};

pub(super) static OPERATING_SYSTEM: Kind = Kind {
    cmdlet: "Get-CimInstance",
    also: &["Get-WmiObject", "Win32_OperatingSystem"],
    types: &[
        "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_OperatingSystem",
        "System.Management.ManagementObject#root\\cimv2\\Win32_OperatingSystem",
    ],
    scope: Scope::Server,
    used: &["Caption", "CSName"],
    ignored: &[],
};
