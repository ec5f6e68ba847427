//! The cmdlets of Exchange that are called, with their parameters, and what of certwright's work each is for. The driver script
//! refuses all others by the same table.

/// A cmdlet.
#[derive(Debug)]
pub(super) struct UsedCmdlet {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [&'static str],
    /// The built-in role that grants it (facts 1.10), where one is known; Exchange tells it for any.
    pub(super) role: Option<&'static str>,
    pub(super) used_for: UsedFor,
}

/// The built-in role that grants a cmdlet, where one is known.
pub(super) fn role_for(cmdlet: &str) -> Option<&'static str> {
    CMDLETS.iter().find(|used| used.name.eq_ignore_ascii_case(cmdlet))?.role
}

/// What a cmdlet is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UsedFor {
    /// Seeing what there is.
    Observation,
    /// Certificates of servers.
    Certificates,
    /// Connectors that name a certificate.
    Connectors,
    /// POP and IMAP.
    PopAndImap,
    /// The names that clients are sent to.
    ClientNames,
    /// The Auth certificate.
    OAuth,
    /// Microsoft 365.
    Hybrid,
    /// Instant messaging in Outlook on the web.
    SettingOverrides,
    /// Edge Transport servers.
    EdgeSubscriptions,
    /// Unified Messaging, until Exchange 2016.
    UnifiedMessaging,
    /// Draining transport before it restarts.
    Draining,
}

/// All of them.
pub(super) static CMDLETS: &[UsedCmdlet] = &[
    UsedCmdlet {
        name: "Get-ExchangeServer",
        parameters: &["Identity"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Observation,
    },
    UsedCmdlet {
        name: "Get-AcceptedDomain",
        parameters: &[],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Observation,
    },
    UsedCmdlet {
        name: "Get-SendConnector",
        parameters: &["Identity"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Observation,
    },
    UsedCmdlet {
        name: "Get-HybridConfiguration",
        parameters: &[],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Hybrid,
    },
    UsedCmdlet {
        name: "Get-AuthConfig",
        parameters: &[],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Observation,
    },
    UsedCmdlet {
        name: "Get-FederationTrust",
        parameters: &[],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Observation,
    },
    UsedCmdlet {
        name: "Get-SettingOverride",
        parameters: &["Identity"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::SettingOverrides,
    },
    UsedCmdlet {
        name: "Get-TransportConfig",
        parameters: &[],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Connectors,
    },
    UsedCmdlet {
        name: "Get-EdgeSubscription",
        parameters: &[],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::EdgeSubscriptions,
    },
    UsedCmdlet {
        name: "Get-ExchangeCertificate",
        parameters: &["Server", "Thumbprint"],
        role: Some("Exchange Server Certificates"),
        used_for: UsedFor::Certificates,
    },
    UsedCmdlet {
        name: "Get-ReceiveConnector",
        parameters: &["Server", "Identity"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Observation,
    },
    UsedCmdlet {
        name: "Get-PopSettings",
        parameters: &["Server"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Observation,
    },
    UsedCmdlet {
        name: "Get-ImapSettings",
        parameters: &["Server"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Observation,
    },
    UsedCmdlet {
        name: "Get-TransportService",
        parameters: &["Identity"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::Observation,
    },
    UsedCmdlet {
        name: "Get-UMService",
        parameters: &["Identity"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::UnifiedMessaging,
    },
    UsedCmdlet {
        name: "Get-UMServer",
        parameters: &["Identity"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::UnifiedMessaging,
    },
    UsedCmdlet {
        name: "Get-UMCallRouterSettings",
        parameters: &["Server"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::UnifiedMessaging,
    },
    UsedCmdlet {
        name: "Get-OwaVirtualDirectory",
        parameters: &["Server", "ADPropertiesOnly"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-EcpVirtualDirectory",
        parameters: &["Server", "ADPropertiesOnly"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-WebServicesVirtualDirectory",
        parameters: &["Server", "ADPropertiesOnly"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-ActiveSyncVirtualDirectory",
        parameters: &["Server", "ADPropertiesOnly"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-OabVirtualDirectory",
        parameters: &["Server", "ADPropertiesOnly"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-MapiVirtualDirectory",
        parameters: &["Server", "ADPropertiesOnly"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-PowerShellVirtualDirectory",
        parameters: &["Server", "ADPropertiesOnly"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-OutlookAnywhere",
        parameters: &["Server", "ADPropertiesOnly"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-ClientAccessService",
        parameters: &["Identity"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-ClientAccessServer",
        parameters: &["Identity"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::ClientNames,
    },
    UsedCmdlet {
        name: "Get-ExchangeDiagnosticInfo",
        parameters: &["Server", "Process", "Component", "Argument"],
        role: Some("View-Only Configuration"),
        used_for: UsedFor::SettingOverrides,
    },
    UsedCmdlet {
        name: "New-ExchangeCertificate",
        parameters: &[
            "Server",
            "SubjectName",
            "DomainName",
            "KeySize",
            "PrivateKeyExportable",
            "FriendlyName",
            "Services",
            "GenerateRequest",
            "Confirm",
            "Force",
        ],
        role: Some("Exchange Server Certificates"),
        used_for: UsedFor::Certificates,
    },
    UsedCmdlet {
        name: "Import-ExchangeCertificate",
        parameters: &["Server", "FileData", "Password", "FriendlyName", "PrivateKeyExportable", "Confirm"],
        role: Some("Exchange Server Certificates"),
        used_for: UsedFor::Certificates,
    },
    UsedCmdlet {
        name: "Export-ExchangeCertificate",
        parameters: &["Server", "Thumbprint", "BinaryEncoded", "Password", "Confirm"],
        role: Some("Exchange Server Certificates"),
        used_for: UsedFor::Certificates,
    },
    UsedCmdlet {
        name: "Enable-ExchangeCertificate",
        parameters: &["Server", "Thumbprint", "Services", "DoNotRequireSsl", "Confirm", "Force"],
        role: Some("Exchange Server Certificates"),
        used_for: UsedFor::Certificates,
    },
    UsedCmdlet {
        name: "Remove-ExchangeCertificate",
        parameters: &["Server", "Thumbprint", "Confirm"],
        role: Some("Exchange Server Certificates"),
        used_for: UsedFor::Certificates,
    },
    UsedCmdlet {
        name: "Set-PopSettings",
        parameters: &["Server", "X509CertificateName", "Confirm"],
        role: Some("POP3 And IMAP4 Protocols"),
        used_for: UsedFor::PopAndImap,
    },
    UsedCmdlet {
        name: "Set-ImapSettings",
        parameters: &["Server", "X509CertificateName", "Confirm"],
        role: Some("POP3 And IMAP4 Protocols"),
        used_for: UsedFor::PopAndImap,
    },
    UsedCmdlet {
        name: "Set-UMService",
        parameters: &["Identity", "UMStartupMode", "Confirm"],
        role: None,
        used_for: UsedFor::UnifiedMessaging,
    },
    UsedCmdlet {
        name: "Set-UMServer",
        parameters: &["Identity", "UMStartupMode", "Confirm"],
        role: None,
        used_for: UsedFor::UnifiedMessaging,
    },
    UsedCmdlet {
        name: "Set-UMCallRouterSettings",
        parameters: &["Server", "UMStartupMode", "Confirm"],
        role: None,
        used_for: UsedFor::UnifiedMessaging,
    },
    UsedCmdlet {
        name: "Set-SendConnector",
        parameters: &["Identity", "TlsCertificateName", "Confirm"],
        role: Some("Send Connectors"),
        used_for: UsedFor::Connectors,
    },
    UsedCmdlet {
        name: "Set-ReceiveConnector",
        parameters: &["Identity", "TlsCertificateName", "Confirm"],
        role: Some("Receive Connectors"),
        used_for: UsedFor::Connectors,
    },
    UsedCmdlet {
        name: "Set-HybridConfiguration",
        parameters: &["TlsCertificateName", "Confirm"],
        role: None,
        used_for: UsedFor::Hybrid,
    },
    UsedCmdlet {
        name: "Set-AuthConfig",
        parameters: &[
            "NewCertificateThumbprint",
            "NewCertificateEffectiveDate",
            "PublishCertificate",
            "ClearPreviousCertificate",
            "Confirm",
            "Force",
        ],
        role: Some("Organization Client Access"),
        used_for: UsedFor::OAuth,
    },
    UsedCmdlet {
        name: "Set-SettingOverride",
        parameters: &["Identity", "Parameters", "Reason", "Confirm"],
        role: None,
        used_for: UsedFor::SettingOverrides,
    },
    UsedCmdlet {
        name: "Start-EdgeSynchronization",
        parameters: &["Server", "Confirm"],
        role: Some("Edge Subscriptions"),
        used_for: UsedFor::EdgeSubscriptions,
    },
    UsedCmdlet {
        name: "Get-ServerComponentState",
        parameters: &["Identity", "Component"],
        role: None,
        used_for: UsedFor::Draining,
    },
    UsedCmdlet {
        name: "Set-ServerComponentState",
        parameters: &["Identity", "Component", "State", "Requester", "Confirm"],
        role: None,
        used_for: UsedFor::Draining,
    },
    UsedCmdlet {
        name: "Redirect-Message",
        parameters: &["Server", "Target", "Confirm"],
        role: None,
        used_for: UsedFor::Draining,
    },
    UsedCmdlet { name: "Get-Queue", parameters: &["Server"], role: None, used_for: UsedFor::Draining },
];

#[cfg(test)]
mod tests;
