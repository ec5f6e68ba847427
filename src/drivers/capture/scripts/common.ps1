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
# The https bindings of IIS.
$windows['Get-WebBinding'] = {
    Import-Module WebAdministration -ErrorAction Stop
    Get-WebBinding -Protocol https -ErrorAction Stop |
        Select-Object protocol, bindingInformation, sslFlags, certificateHash, certificateStoreName, ItemXPath
}

