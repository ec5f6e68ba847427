# In a 32-bit shell the cmdlets of Exchange fail or are missing.
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    throw 'This PowerShell is a 32-bit process, in which Exchange fails. Run it in the Exchange Management Shell.'
}

$profile_folder = $HOME
if ($env:USERPROFILE) { $profile_folder = $env:USERPROFILE }
$folder = Join-Path $profile_folder ('certwright-capture-' + (Get-Date -Format 'yyyyMMdd-HHmmss'))
$null = New-Item -ItemType Directory -Path $folder -ErrorAction Stop
$answers = @()

# Writes what $Read returns into a file of this name, or the reason why it failed, and leaves the objects in $answer.
# The cmdlets of the Exchange Management Shell are functions of a module. Those obey the global preference, not that of
# a script, so it is set for as long as they run and put back.
function Save-Objects([string] $File, [scriptblock] $Read) {
    $script:answer = @()
    $preference = $global:ErrorActionPreference
    $state = 'failed'
    $reason = ''
    try {
        $global:ErrorActionPreference = 'Stop'
        $script:answer = @(& $Read | Where-Object { $null -ne $_ })
        Export-Clixml -InputObject $script:answer -Depth 3 -Encoding UTF8 -LiteralPath (Join-Path $folder "$File.xml")
        $state = 'done'
    }
    catch {
        $script:answer = @()
        $reason = [string]$_.Exception.Message
        Set-Content -Value $reason -Encoding UTF8 -LiteralPath (Join-Path $folder "$File.failed.txt")
    }
    finally {
        $global:ErrorActionPreference = $preference
    }
    $count = $script:answer.Count
    $script:answers += New-Object PSObject -Property @{ File = $File; State = $state; Count = $count; Reason = $reason }
    if ($state -eq 'done') { Write-Host "  ${File}: $count" } else { Write-Host "  ${File}: FAILED, $reason" }
}

# What Windows is asked beside Exchange, on each server. All of it reads.
$windows = @{}
$windows['Win32_OperatingSystem'] = {
    Get-CimInstance Win32_OperatingSystem -ErrorAction Stop | Select-Object Caption, CSName
}
# Whether services run: POP and IMAP do not until somebody wants them.
$windows['Win32_Service'] = {
    Get-CimInstance Win32_Service -ErrorAction Stop |
        Where-Object { $_.Name -like 'MSExchange*' -or $_.Name -eq 'W3SVC' } |
        Select-Object Name, State, StartMode
}
# Whether it trusts DigiCert Global Root G2, as mail to Microsoft 365 needs, and whether Windows fetches roots.
$windows['certwright-roots'] = {
    $at = 'HKLM:\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot'
    $policy = Get-ItemProperty $at -ErrorAction SilentlyContinue
    New-Object PSObject -Property @{ DisableRootAutoUpdate = $policy.DisableRootAutoUpdate
        DigiCertGlobalRootG2 = Test-Path Cert:\LocalMachine\Root\DF3C24F9BFD666761B268073FE06D1CC8D4F82A4 }
}
# What else names a certificate of this store: http.sys outside of IIS, WinRM and Remote Desktop.
$windows['certwright-other-programs'] = {
    $place = ''
    $hash = ''
    # The words of netsh are in the language of the machine, its values are not. 4dc3e181 is IIS, which is asked below.
    foreach ($line in @(netsh http show sslcert)) {
        if ($line -match '^\s+\S.*?\s+:\s(\S+:\d+)\s*$') { $place = $Matches[1]; $hash = '' }
        elseif ($line -match ':\s([0-9a-fA-F]{40})\s*$') { $hash = $Matches[1] }
        elseif ($hash -and $line -match ':\s\{([0-9a-fA-F-]{36})\}') {
            if ($Matches[1] -notlike '4dc3e181-*') {
                New-Object PSObject -Property @{ Program = "http.sys $place"; Thumbprint = $hash }
            }
            $hash = ''
        }
    }
    foreach ($listener in @(Get-ChildItem WSMan:\localhost\Listener -ErrorAction Stop)) {
        $path = 'WSMan:\localhost\Listener\' + $listener.PSChildName
        $named = Get-ChildItem $path -ErrorAction Stop | Where-Object { $_.Name -eq 'CertificateThumbprint' }
        $thumbprint = ([string]$named.Value) -replace '\s', ''
        if ($thumbprint) {
            New-Object PSObject -Property @{ Program = "WinRM $($listener.PSChildName)"; Thumbprint = $thumbprint }
        }
    }
    $desktop = Get-CimInstance Win32_TSGeneralSetting -Namespace root/cimv2/TerminalServices -ErrorAction Stop
    foreach ($setting in @($desktop | Where-Object { $_.SSLCertificateSHA1Hash })) {
        New-Object PSObject -Property @{ Program = "Remote Desktop $($setting.TerminalName)"
            Thumbprint = $setting.SSLCertificateSHA1Hash }
    }
}
# Certificates of the store without their keys, which Get-ExchangeCertificate does not show.
$windows['certwright-keyless'] = {
    Get-ChildItem Cert:\LocalMachine\My -ErrorAction Stop | Where-Object { -not $_.HasPrivateKey } |
        Select-Object RawData, FriendlyName
}
# How often transport and http.sys have complained of certificates in the last seven days.
$windows['certwright-events'] = {
    $since = (Get-Date).AddDays(-7)
    $transport = @{ LogName = 'Application'; ProviderName = 'MSExchangeTransport'; StartTime = $since
        Id = 12012, 12013, 12014, 12015, 12016, 12017, 12018 }
    $http = @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-HttpEvent'; Id = 15021; StartTime = $since }
    # Get-WinEvent fails where there is none.
    $found = $transport, $http | ForEach-Object { Get-WinEvent -FilterHashtable $_ -ErrorAction SilentlyContinue }
    foreach ($group in @($found | Group-Object Id)) {
        New-Object PSObject -Property @{ Id = [int]$group.Name; Count = $group.Count }
    }
}
# The https bindings of IIS.
$windows['Get-WebBinding'] = {
    Import-Module WebAdministration -ErrorAction Stop
    Get-WebBinding -Protocol https -ErrorAction Stop |
        Select-Object protocol, bindingInformation, sslFlags, certificateHash, certificateStoreName, ItemXPath
}
# Whether the Default Web Site requires SSL, and whether Extended Protection binds sign-in to its certificate.
$windows['certwright-iis'] = {
    Import-Module WebAdministration -ErrorAction Stop
    function Read-Setting([string] $Location, [string] $Filter, [string] $Name) {
        $value = Get-WebConfigurationProperty -PSPath 'MACHINE/WEBROOT/APPHOST' -Location $Location -Filter $Filter `
            -Name $Name -ErrorAction Stop
        if ($value -and $value.PSObject.Properties['Value']) { $value = $value.Value }
        [string]$value
    }
    $ssl = Read-Setting 'Default Web Site' 'system.webServer/security/access' 'sslFlags'
    $protected = @('Autodiscover', 'EWS', 'mapi', 'OAB' | ForEach-Object {
        $at = 'system.webServer/security/authentication/windowsAuthentication/extendedProtection'
        Read-Setting "Default Web Site/$_" $at 'tokenChecking'
    } | Where-Object { $_ -match 'Allow|Require' })
    $extended = $protected.Count -gt 0
    New-Object PSObject -Property @{ RequireSsl = ($ssl -match '\bSsl\b'); ExtendedProtection = $extended }
}

