$name = $env:COMPUTERNAME

# When this was captured, and in which order this shell writes the parts of a date.
Write-Host "Capturing $name into $folder"
Save-Objects "$name.certwright-capture" {
    $now = (Get-Date).ToUniversalTime().ToString('s') + 'Z'
    $order = (Get-Culture).DateTimeFormat.ShortDatePattern
    New-Object PSObject -Property @{ CapturedAt = $now; DateOrder = $order; Computer = $name }
}

# The server as it knows itself.
Save-Objects "$name.Get-ExchangeServer" { Get-ExchangeServer $name -ErrorAction Stop }
Save-Objects "$name.Get-ExchangeCertificate" {
    Get-ExchangeCertificate -ErrorAction Stop | Select-Object RawData, SerializationData, Identity, Services, Status,
        RootCAType, HasPrivateKey, PrivateKeyExportable, FriendlyName
}
Save-Objects "$name.Get-ReceiveConnector" {
    Get-ReceiveConnector -ErrorAction Stop | Select-Object Name, Identity, Server, DistinguishedName, WhenChangedUTC,
        Enabled, TransportRole, Bindings, RemoteIPRanges, Fqdn, TlsCertificateName, AuthMechanism,
        TlsDomainCapabilities, RequireTLS, SuppressXAnonymousTls, DomainSecureEnabled
}
Save-Objects "$name.Get-TransportService" {
    Get-TransportService $name -ErrorAction Stop | Select-Object Name, InternalTransportCertificateThumbprint
}
# The servers that synchronize to it, with their certificates as its own directory (AD LDS) holds them. No cmdlet shows
# them: Get-TransportService knows the server itself only.
Save-Objects "$name.certwright-edge-peers" {
    $root = [ADSI]'LDAP://localhost:50389/RootDSE'
    $base = [ADSI]('LDAP://localhost:50389/' + $root.configurationNamingContext)
    $searcher = New-Object DirectoryServices.DirectorySearcher($base, '(msExchServerInternalTLSCert=*)')
    foreach ($found in @($searcher.FindAll())) {
        $peer = [string]$found.Properties['cn'][0]
        if (-not $peer -or $peer -eq $name) { continue }
        New-Object PSObject -Property @{ Name = $peer
            RawData = [byte[]]$found.Properties['msexchserverinternaltlscert'][0] }
    }
}
# Without a subscription it has connectors and domains of its own; with one they are copies of the organization's, by
# which it acts until EdgeSync brings it others. Where its directory could not be read, nobody knows.
$connectors = {
    Get-SendConnector -ErrorAction Stop | Select-Object Name, Identity, DistinguishedName, WhenChangedUTC, Enabled,
        Fqdn, SourceTransportServers, AddressSpaces, SmartHosts, TlsCertificateName, RequireTLS, TlsAuthLevel,
        TlsDomain, CloudServicesMailEnabled, DomainSecureEnabled
}
$seen = @($answers)[-1].State -eq 'done'
$isSubscribed = @($answer).Count -gt 0
if ($seen -and $isSubscribed) { Save-Objects "$name.Get-SendConnector" $connectors }
if ($seen -and -not $isSubscribed) {
    Save-Objects 'Get-SendConnector' $connectors
    Save-Objects 'Get-AcceptedDomain' { Get-AcceptedDomain -ErrorAction Stop }
}
foreach ($topic in 'Win32_OperatingSystem', 'Win32_Service', 'certwright-roots', 'certwright-other-programs',
    'certwright-keyless', 'certwright-authorities', 'certwright-events') {
    Save-Objects "$name.$topic" $windows[$topic]
}

