# What the certificates of an Edge Transport server are, and where they are used: a capture for certwright.
#
# This script only reads. It changes nothing and touches no private key. Run it in the Exchange Management Shell of the
# Edge server, started as administrator. It makes one folder of text files in the current directory; put them beside
# those of the organization, which the first script makes: certwright observe --print-script

# In a 32-bit shell the cmdlets of Exchange fail or are missing.
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    throw 'This PowerShell is a 32-bit process, in which Exchange fails. Run it in the Exchange Management Shell.'
}

$ErrorActionPreference = 'Stop'
$folder = Join-Path (Get-Location) ('certwright-capture-' + (Get-Date -Format 'yyyyMMdd-HHmmss'))
New-Item -ItemType Directory -Path $folder | Out-Null
$name = $env:COMPUTERNAME

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
Save-Objects "$name.certwright-capture" {
    $now = (Get-Date).ToUniversalTime().ToString('s') + 'Z'
    $order = (Get-Culture).DateTimeFormat.ShortDatePattern
    New-Object PSObject -Property @{ CapturedAt = $now; DateOrder = $order; Computer = $name }
}

# The server as it knows itself. Send connectors and accepted domains are the organization's, and come from there.
Save-Objects "$name.Get-ExchangeServer" { Get-ExchangeServer $name }
Save-Objects "$name.Get-ExchangeCertificate" {
    Get-ExchangeCertificate | Select-Object RawData, SerializationData, Identity, Services, Status, RootCAType,
        HasPrivateKey, PrivateKeyExportable, FriendlyName
}
Save-Objects "$name.Get-ReceiveConnector" { Get-ReceiveConnector }
Save-Objects "$name.Get-TransportService" {
    Get-TransportService $name | Select-Object Name, InternalTransportCertificateThumbprint
}
# What the directory of this server holds of the servers that synchronize to it.
Save-Objects "$name.certwright-edge-peers" {
    foreach ($peer in (Get-TransportService | Where-Object { $_.Name -ne $name })) {
        New-Object PSObject -Property @{ Name = $peer.Name
            InternalTransportCertificateThumbprint = $peer.InternalTransportCertificateThumbprint }
    }
}
# Whether it trusts DigiCert Global Root G2, as mail to Microsoft 365 needs, and whether Windows fetches roots.
Save-Objects "$name.certwright-roots" {
    $at = 'HKLM:\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot'
    $policy = Get-ItemProperty $at -ErrorAction SilentlyContinue
    New-Object PSObject -Property @{ DisableRootAutoUpdate = $policy.DisableRootAutoUpdate
        DigiCertGlobalRootG2 = Test-Path Cert:\LocalMachine\Root\DF3C24F9BFD666761B268073FE06D1CC8D4F82A4 }
}
Save-Objects "$name.Win32_OperatingSystem" { Get-CimInstance Win32_OperatingSystem | Select-Object Caption, CSName }

Write-Host "Done. Zip this folder: $folder"
