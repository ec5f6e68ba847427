# When this was captured, and in which order this shell writes the parts of a date.
Write-Host "Capturing into $folder"
Save-Objects 'certwright-capture' {
    $now = (Get-Date).ToUniversalTime().ToString('s') + 'Z'
    $order = (Get-Culture).DateTimeFormat.ShortDatePattern
    New-Object PSObject -Property @{ CapturedAt = $now; DateOrder = $order; Computer = $env:COMPUTERNAME }
}

Write-Host 'The organization'
Save-Objects 'Get-ExchangeServer' { Get-ExchangeServer -ErrorAction Stop }
# An Edge server answers for itself only.
$servers = @($answer | Where-Object { $_.Name -and -not $_.IsEdgeServer })
Save-Objects 'Get-AcceptedDomain' { Get-AcceptedDomain -ErrorAction Stop }
Save-Objects 'Get-SendConnector' {
    Get-SendConnector -ErrorAction Stop | Select-Object Name, Identity, DistinguishedName, WhenChangedUTC, Enabled,
        Fqdn, SourceTransportServers, AddressSpaces, SmartHosts, TlsCertificateName, RequireTLS, TlsAuthLevel,
        TlsDomain, CloudServicesMailEnabled, DomainSecureEnabled
}
# The partners of Domain Security.
Save-Objects 'Get-TransportConfig' {
    Get-TransportConfig -ErrorAction Stop |
        Select-Object Identity, WhenChangedUTC, TLSReceiveDomainSecureList, TLSSendDomainSecureList
}
Save-Objects 'Get-HybridConfiguration' { Get-HybridConfiguration -ErrorAction Stop }
Save-Objects 'Get-AuthConfig' { Get-AuthConfig -ErrorAction Stop }
Save-Objects 'Get-FederationTrust' { Get-FederationTrust -ErrorAction Stop }
# Instant messaging in Outlook on the web names its certificate in one of these (Exchange 2016 and later).
if (Get-Command Get-SettingOverride -ErrorAction SilentlyContinue) {
    Save-Objects 'Get-SettingOverride' {
        Get-SettingOverride -ErrorAction Stop | Select-Object Name, ComponentName, SectionName, Server, Parameters
    }
}
# Each subscription, with the certificate that the directory holds of its Edge server: the other side of direct trust.
Save-Objects 'Get-EdgeSubscription' {
    foreach ($edge in @(Get-EdgeSubscription -ErrorAction Stop)) {
        $held = Get-TransportService $edge.Name -ErrorAction SilentlyContinue
        New-Object PSObject -Property @{ Name = $edge.Name; Site = [string]$edge.Site
            WhenCreatedUTC = $edge.WhenCreatedUTC; EdgeCertificate = $held.InternalTransportCertificateThumbprint }
    }
}

foreach ($server in $servers) {
    $name = $server.Name
    Write-Host "Server $name"
    # The certificates with what Exchange says of them, by name, and without their private keys.
    Save-Objects "$name.Get-ExchangeCertificate" {
        Get-ExchangeCertificate -Server $name -ErrorAction Stop | Select-Object RawData, SerializationData, Identity,
            Services, Status, RootCAType, HasPrivateKey, PrivateKeyExportable, FriendlyName
    }
    Save-Objects "$name.Get-ReceiveConnector" {
        Get-ReceiveConnector -Server $name -ErrorAction Stop | Select-Object Name, Identity, Server, DistinguishedName,
            WhenChangedUTC, Enabled, TransportRole, Bindings, RemoteIPRanges, Fqdn, TlsCertificateName, AuthMechanism,
            TlsDomainCapabilities, RequireTLS, SuppressXAnonymousTls, DomainSecureEnabled
    }
    foreach ($cmdlet in 'Get-PopSettings', 'Get-ImapSettings') {
        Save-Objects "$name.$cmdlet" {
            & $cmdlet -Server $name -ErrorAction Stop |
                Select-Object Identity, Server, WhenChangedUTC, X509CertificateName, UnencryptedOrTLSBindings,
                    SSLBindings, ExternalConnectionSettings
        }
    }
    Save-Objects "$name.Get-TransportService" {
        Get-TransportService $name -ErrorAction Stop | Select-Object Name, InternalTransportCertificateThumbprint
    }
    if ($server.IsUnifiedMessagingServer) {
        Save-Objects "$name.Get-UMService" {
            Get-UMService $name -ErrorAction Stop | Select-Object Name, UMStartupMode
        }
        Save-Objects "$name.Get-UMCallRouterSettings" {
            Get-UMCallRouterSettings -Server $name -ErrorAction Stop | Select-Object Server, UMStartupMode
        }
    }
    # The names that clients are sent to, from the directory: IIS is not asked for them.
    foreach ($directory in 'Owa', 'Ecp', 'WebServices', 'ActiveSync', 'Oab', 'Mapi', 'PowerShell') {
        Save-Objects "$name.Get-$($directory)VirtualDirectory" {
            & "Get-$($directory)VirtualDirectory" -Server $name -ADPropertiesOnly -ErrorAction Stop |
                Select-Object Server, Identity, InternalUrl, ExternalUrl
        }
    }
    Save-Objects "$name.Get-OutlookAnywhere" {
        Get-OutlookAnywhere -Server $name -ADPropertiesOnly -ErrorAction Stop |
            Select-Object Server, Identity, InternalHostname, ExternalHostname
    }
    # Exchange 2016 and later call it a service.
    $cmdlet = @('Get-ClientAccessService', 'Get-ClientAccessServer' |
        Where-Object { Get-Command $_ -ErrorAction SilentlyContinue })[0]
    if ($cmdlet) {
        Save-Objects "$name.Get-ClientAccessService" {
            & $cmdlet $name -ErrorAction Stop | Select-Object Name, AutoDiscoverServiceInternalUri
        }
    }
    # Windows answers over its remote management.
    foreach ($topic in 'Win32_OperatingSystem', 'Win32_Service', 'Get-WebBinding', 'certwright-iis', 'certwright-roots',
        'certwright-other-programs', 'certwright-keyless', 'certwright-authorities', 'certwright-events') {
        Save-Objects "$name.$topic" {
            Invoke-Command -ComputerName $server.Fqdn -ScriptBlock $windows[$topic] -ErrorAction Stop
        }
    }
}

