# What Exchange's certificates are, and where they are used: a capture for certwright.
#
# This script only reads. It changes nothing on any server and touches no private key. Run it in the Exchange Management
# Shell of one Mailbox server (Exchange 2013 or later), started as administrator. It makes one folder of text files in
# the current directory; look into them if you like, then zip the folder. What cannot be read, because you may not or
# because a server is down, is noted in a file of its own and does not stop the rest.
#
# For an Edge Transport server there is a second script, to be run there: certwright observe --print-script --edge

# In a 32-bit shell the cmdlets of Exchange fail or are missing.
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    throw 'This PowerShell is a 32-bit process, in which Exchange fails. Run it in the Exchange Management Shell.'
}

$ErrorActionPreference = 'Stop'
$folder = Join-Path (Get-Location) ('certwright-capture-' + (Get-Date -Format 'yyyyMMdd-HHmmss'))
New-Item -ItemType Directory -Path $folder | Out-Null

# Writes what $Read returns into a file of this name, or the reason why it failed.
function Save-Objects([string] $File, [scriptblock] $Read) {
    Write-Host $File
    try {
        Export-Clixml -InputObject @(& $Read) -Depth 3 -Encoding UTF8 -Path (Join-Path $folder "$File.xml")
    }
    catch {
        Set-Content -Value $_.Exception.Message -Encoding UTF8 -Path (Join-Path $folder "$File.failed.txt")
    }
}

# When this was captured, and in which order this shell writes the parts of a date.
Save-Objects 'certwright-capture' {
    $now = (Get-Date).ToUniversalTime().ToString('s') + 'Z'
    $order = (Get-Culture).DateTimeFormat.ShortDatePattern
    New-Object PSObject -Property @{ CapturedAt = $now; DateOrder = $order; Computer = $env:COMPUTERNAME }
}

# The organization.
Save-Objects 'Get-ExchangeServer' { Get-ExchangeServer }
Save-Objects 'Get-AcceptedDomain' { Get-AcceptedDomain }
Save-Objects 'Get-SendConnector' { Get-SendConnector }
Save-Objects 'Get-HybridConfiguration' { Get-HybridConfiguration }
Save-Objects 'Get-AuthConfig' { Get-AuthConfig }
Save-Objects 'Get-FederationTrust' { Get-FederationTrust }
# Instant messaging in Outlook on the web names its certificate in one of these (Exchange 2016 and later).
Save-Objects 'Get-SettingOverride' {
    Get-SettingOverride | Select-Object Name, ComponentName, SectionName, Server, Parameters
}
# Each subscription, with the certificate that the directory holds of its Edge server: the other side of direct trust.
Save-Objects 'Get-EdgeSubscription' {
    foreach ($edge in Get-EdgeSubscription) {
        $held = Get-TransportService $edge.Name -ErrorAction SilentlyContinue
        New-Object PSObject -Property @{ Name = $edge.Name; Site = [string]$edge.Site; CreateUtc = $edge.CreateUtc
            EdgeCertificate = $held.InternalTransportCertificateThumbprint }
    }
}

# Each server. An Edge server answers for itself only.
foreach ($server in (Get-ExchangeServer | Where-Object { -not $_.IsEdgeServer })) {
    # The certificates with what Exchange says of them, by name, and without their private keys.
    Save-Objects "$($server.Name).Get-ExchangeCertificate" {
        Get-ExchangeCertificate -Server $server.Name | Select-Object RawData, SerializationData, Identity, Services,
            Status, RootCAType, HasPrivateKey, PrivateKeyExportable, FriendlyName
    }
    Save-Objects "$($server.Name).Get-ReceiveConnector" { Get-ReceiveConnector -Server $server.Name }
    Save-Objects "$($server.Name).Get-PopSettings" { Get-PopSettings -Server $server.Name }
    Save-Objects "$($server.Name).Get-ImapSettings" { Get-ImapSettings -Server $server.Name }
    Save-Objects "$($server.Name).Get-TransportService" {
        Get-TransportService $server.Name | Select-Object Name, InternalTransportCertificateThumbprint
    }
    if ($server.IsUnifiedMessagingServer) {
        Save-Objects "$($server.Name).Get-UMService" {
            Get-UMService $server.Name | Select-Object Name, UMStartupMode
        }
        Save-Objects "$($server.Name).Get-UMCallRouterSettings" {
            Get-UMCallRouterSettings -Server $server.Name | Select-Object Server, UMStartupMode
        }
    }
    # The bindings of IIS and the name of the system, by Windows remote management.
    Save-Objects "$($server.Name).Get-WebBinding" {
        Invoke-Command -ComputerName $server.Fqdn -ScriptBlock {
            Import-Module WebAdministration
            Get-WebBinding -Protocol https |
                Select-Object protocol, bindingInformation, sslFlags, certificateHash, certificateStoreName, ItemXPath
        }
    }
    # Whether it trusts DigiCert Global Root G2, as mail to Microsoft 365 needs, and whether Windows fetches roots.
    Save-Objects "$($server.Name).certwright-roots" {
        Invoke-Command -ComputerName $server.Fqdn -ScriptBlock {
            $at = 'HKLM:\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot'
            $policy = Get-ItemProperty $at -ErrorAction SilentlyContinue
            New-Object PSObject -Property @{ DisableRootAutoUpdate = $policy.DisableRootAutoUpdate
                DigiCertGlobalRootG2 = Test-Path Cert:\LocalMachine\Root\DF3C24F9BFD666761B268073FE06D1CC8D4F82A4 }
        }
    }
    Save-Objects "$($server.Name).Win32_OperatingSystem" {
        Get-CimInstance Win32_OperatingSystem -ComputerName $server.Fqdn | Select-Object Caption, CSName
    }
}

Write-Host "Done. Zip this folder: $folder"
